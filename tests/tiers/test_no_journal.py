"""Workers without a lasting disk: what is acknowledged stands on two tiers, and nothing else is acknowledged."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from holdfast.domain.errors import LogUnavailable, NoTier
from holdfast.infrastructure.tiers.memory import MemoryTier
from tests.conformance.scribe import inbound
from tests.tiers.test_append import heal, texts
from tests.tiers.workers import Worker, until, worker


@asynccontextmanager
async def forgetful(tiers: Sequence[MemoryTier], seed: int = 1) -> AsyncIterator[Worker]:
    """Run a worker on these tiers that keeps nothing; once all of them that are up serve."""
    async with worker(*tiers, seed=seed, lasting=False) as one:
        up = sum(not tier.down for tier in tiers)
        await until(lambda: one.service.lineup.serving() == up)
        yield one


@pytest.fixture
def three() -> list[MemoryTier]:
    return [MemoryTier(name) for name in ("neon", "supabase", "railway")]


async def test_an_acknowledged_turn_stands_on_two_tiers(three: list[MemoryTier]) -> None:
    """When a reply has gone out, two tiers hold the very same bytes, and the fate of the reply."""
    async with forgetful(three) as one:
        await one.hear(1, "/addmachine")
        held = [tier for tier in three if tier.events]
        fates = [tier for tier in three if tier.deliveries]
        replies = len(one.messages.texts)

    assert (len(held) >= 2, len(fates) >= 2, replies) == (True, True, 1)
    assert list(held[0].events.items()) == list(held[1].events.items())


async def test_nothing_is_begun_unless_two_tiers_answer(three: list[MemoryTier]) -> None:
    """With one tier left nobody is answered, no tier gets anything, and with two again people go on."""
    async with forgetful(three) as one:
        await one.hear(1, "/addmachine")
        three[0].down = three[2].down = True
        await until(lambda: one.service.lineup.serving() < 2)
        before = texts(three[1])
        with pytest.raises(NoTier, match="1 of the 2 tiers needed"):
            await one.hear(2, "Press 4")
        after = texts(three[1])
        heal(three[0])
        await until(lambda: one.service.lineup.serving() == 2)
        await one.hear(2, "Press 4")

    assert before == after == ["/addmachine"]
    assert texts(three[0]) == ["/addmachine", "Press 4"]


async def test_one_tier_down_costs_nothing(three: list[MemoryTier]) -> None:
    """Of three tiers one may fail: two others hold each turn, and each reply goes out."""
    async with forgetful(three) as one:
        await one.hear(1, "/addmachine")
        three[0].down = True
        await one.hear(2, "Press 4")
        await one.hear(3, "ACME")
        replies = len(one.messages.texts)

    assert replies == 3
    assert texts(three[1]) == texts(three[2]) == ["/addmachine", "Press 4", "ACME"]


async def test_who_comes_after_goes_on_from_the_tiers(three: list[MemoryTier]) -> None:
    """Killed with nothing left of it, a worker is followed by one that knows all that was acknowledged."""
    async with forgetful(three) as one:
        await one.hear(1, "/addmachine")
        await one.hear(2, "Press 4")
    async with forgetful(three, seed=2) as two:
        await two.hear(3, "ACME")
        said, problems = await two.texts(), await two.problems()

    assert (said, problems) == (["/addmachine", "Press 4", "ACME"], [])


async def test_what_one_tier_lacks_is_read_from_another(three: list[MemoryTier]) -> None:
    """The first tier was away and comes back with less: what two others hold is known all the same."""
    three[0].down = True
    async with forgetful(three) as one:
        await one.hear(1, "/addmachine")
        await one.hear(2, "Press 4")
    heal(three[0])
    three[2].down = True
    async with forgetful(three, seed=2) as two:
        await two.hear(3, "ACME")

    assert texts(three[0]) == texts(three[1]) == ["/addmachine", "Press 4", "ACME"]


async def test_a_turn_that_stands_on_one_tier_is_refused_and_comes_again(three: list[MemoryTier]) -> None:
    """After a partial write nobody is answered; delivered again, the stored bytes are put on a second tier first."""
    pair = three[:2]
    async with forgetful(pair) as one:
        await one.hear(1, "/addmachine")
        await until(lambda: len(pair[1].events) == 1)
        pair[1].lose_answer_next = 1
        pair[1].down = True
        with pytest.raises(LogUnavailable):
            await one.turns.take(inbound(2, "Press 4"))
        partial, replies = texts(pair[0]), len(one.messages.texts)
        heal(pair[1])
        await until(lambda: one.service.lineup.serving() == 2)
        await one.hear(2, "Press 4")
        answered = len(one.messages.texts)

    assert (partial, replies, answered) == (["/addmachine", "Press 4"], 1, 2)
    assert texts(pair[0]) == texts(pair[1]) == ["/addmachine", "Press 4"]
    assert list(pair[0].events) == list(pair[1].events)


async def test_delivered_again_to_another_worker_it_is_one_event(three: list[MemoryTier]) -> None:
    """What was acknowledged by one worker, and is delivered again to another that keeps nothing either, counts once."""
    async with forgetful(three) as one, forgetful(three, seed=2) as two:
        await one.hear(1, "/addmachine")
        await one.hear(2, "Press 4")
        await two.hear(2, "Press 4")
        said = await two.texts()

    assert said == ["/addmachine", "Press 4"]
    assert len(three[0].events) == 2

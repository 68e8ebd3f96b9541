"""One worker sends, another takes over when that is silent for longer than a lease; else nothing is sent twice."""

import asyncio
from contextlib import AsyncExitStack

from holdfast.domain.screen import Screen
from holdfast.infrastructure.log.memory import MemoryJournal
from holdfast.infrastructure.tiers.memory import MemoryTier
from tests.conformance.scribe import ADA, BEN, inbound
from tests.tiers.test_append import REGISTER
from tests.tiers.workers import until, worker

LEASE = 0.4


class Mute:
    """A messenger whose messages get nowhere."""

    def parts(self, screen: Screen) -> tuple[Screen, ...]:
        return (screen,)

    async def send(self, chat_id: int, screen: Screen, replaces: int = 0) -> int:
        await asyncio.Event().wait()
        return chat_id

    async def acknowledge(self, callback_id: str) -> None:
        """Nobody hears it."""


async def left_behind(*tiers: MemoryTier, journal: MemoryJournal | None = None, texts: int = 3) -> list[str]:
    """Let a worker take texts in and die with their replies unsent; give what should have been said, by another."""
    async with worker(*tiers, journal=journal, seed=1, lease=LEASE) as gone:
        gone.sender._messenger = Mute()  # noqa: SLF001 - the way to Telegram is cut
        for update, text in enumerate(REGISTER[:texts], start=1):
            await gone.turns.take(inbound(update, text))
        await until(lambda: all(len(tier.events) == texts for tier in tiers if not tier.down))
    async with worker(seed=9) as alone:
        for update, text in enumerate(REGISTER[:texts], start=1):
            await alone.hear(update, text)
        return alone.messages.chats[ADA]


def recorded(tier: MemoryTier) -> int:
    return len(tier.deliveries)


async def test_another_worker_sends_what_a_dead_one_owes() -> None:
    """When its lease has run out, what a worker owed is sent by one other, in order, recorded, and by nobody again."""
    neon = MemoryTier("neon")
    wanted = await left_behind(neon)
    async with AsyncExitStack() as stack:
        heirs = [await stack.enter_async_context(worker(neon, seed=seed, lease=LEASE)) for seed in (2, 3, 4)]
        await until(lambda: recorded(neon) == 3)
        await asyncio.sleep(2 * LEASE)

        assert sorted(len(one.messages.texts) for one in heirs) == [0, 0, 3]
        assert max((one.messages.chats[ADA] for one in heirs), key=len) == wanted
        assert recorded(neon) == 3


async def test_before_its_lease_runs_out_nobody_sends_for_a_worker() -> None:
    """While a worker lives, and be it slow, what it owes is its own: others leave it alone."""
    neon = MemoryTier("neon")
    async with worker(neon, seed=1, lease=LEASE) as slow, worker(neon, seed=2, lease=LEASE) as other:
        said, slow.sender._messenger = slow.sender._messenger, Mute()  # noqa: SLF001 - the way to Telegram is cut
        await slow.turns.take(inbound(1, "/addmachine"))
        await until(lambda: len(other.journal_events()) == 1)
        await asyncio.sleep(3 * LEASE)

        assert other.messages.texts == []
        assert said is slow.messages


async def test_who_comes_back_answers_for_itself_again() -> None:
    """A worker that starts again has its own lease back: what was sent for it is not sent again, what is new it is."""
    neon, journal = MemoryTier("neon"), MemoryJournal()
    await left_behind(neon, journal=journal)
    async with worker(neon, seed=2, lease=LEASE) as heir:
        await until(lambda: recorded(neon) == 3)
        async with worker(neon, journal=journal, seed=1, lease=LEASE) as back:
            await until(lambda: len(back.journal_deliveries()) == 3)
            await back.answer_what_is_owed()
            await back.hear(4, "/skip")
            await until(lambda: recorded(neon) == 4)
            await asyncio.sleep(LEASE)

            assert len(back.messages.texts) == 1
            assert len(heir.messages.texts) == 3


async def test_a_later_reply_of_another_worker_stands_below_the_earlier_ones() -> None:
    """A person who goes on with another worker finds the answers of the dead one first, and their own last."""
    neon = MemoryTier("neon")
    wanted = await left_behind(neon)
    async with worker(neon, seed=2, lease=LEASE) as heir:
        await heir.turns.take(inbound(4, "/skip"))
        await until(lambda: recorded(neon) == 4)

        assert heir.messages.chats[ADA][:3] == wanted
        assert len(heir.messages.chats[ADA]) == 4


async def test_two_workers_that_share_a_person_send_each_reply_once_and_in_order() -> None:
    """However a person's inputs are spread over two workers that live, each has one reply, in the inputs' order."""
    neon = MemoryTier("neon")
    texts = ["/addmachine", *(f"word {number}" for number in range(6))]
    async with worker(neon, seed=1) as one, worker(neon, seed=2) as other:
        other.messages.chats = one.messages.chats
        for update, text in enumerate(texts, start=1):
            for person in (ADA, BEN):
                await (one, other)[(update + person) % 2].turns.take(inbound(10 * update + person, text, person=person))
        await until(lambda: recorded(neon) == 2 * len(texts))
        await one.settle()
        await other.settle()

    async with worker(seed=9) as alone:
        for update, text in enumerate(texts, start=1):
            await alone.hear(update, text)
        wanted = alone.messages.chats[ADA]

    assert one.messages.chats == {ADA: wanted, BEN: wanted}

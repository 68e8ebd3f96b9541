import asyncio
from pathlib import Path

import pytest

from holdfast.domain.errors import Blocked
from holdfast.domain.wording import WORDING
from holdfast.infrastructure.log.journal import SqliteJournal
from holdfast.infrastructure.log.memory import MemoryJournal
from holdfast.infrastructure.log.stores import JournalStore
from tests.conformance.clocks import Dice, StandingClock
from tests.conformance.scribe import BEN, inbound
from tests.engine.fakes import house, said_as

TALK = ["hello", "/addmachine", "x", "Press <4>", "/back", "/skip", "/dance", "/survey", "well", "/cancel", "/help"]


@pytest.fixture(params=["memory", "sqlite"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> JournalStore:
    if request.param == "memory":
        return MemoryJournal()
    return SqliteJournal(tmp_path / "local.db", StandingClock(), Dice(9))


async def test_owed_replies_are_sent_again_word_for_word(journal: JournalStore) -> None:
    """What was owed when a process ended is sent by the next one: the same screens, in the same order."""
    async with house() as undisturbed:
        await undisturbed.say(*TALK)
    async with house(journal) as before:
        before.messages.hold()
        for update, text in enumerate(TALK, start=1):
            await before.turns.take(inbound(update, text))
    async with house(journal, seed=2) as after:
        taken_up = await after.resume()

        assert taken_up == len(TALK)
        assert after.messages.shown == undisturbed.messages.shown
        assert await after.debts() == []
        assert await after.resume() == 0


async def test_only_what_is_owed_is_sent_again(journal: JournalStore) -> None:
    """Replies whose fate is recorded, be it good or bad, are not sent again, and nobody gets another's."""
    async with house(journal) as before:
        await before.say("/addmachine", "Press 4")
        before.messages.faults = [Blocked()]
        await before.say("/help", person=BEN)
        before.messages.hold()
        await before.turns.take(inbound(3, "ACME"))
        await before.turns.take(inbound(4, "/skip"))
    async with house(journal, seed=2) as after:
        taken_up = await after.resume()

        assert taken_up == 2
        assert ["ACME" in text for text in after.messages.texts()] == [True, False]
        assert after.messages.texts(BEN) == []


async def test_nothing_owed_is_nothing_to_do(journal: JournalStore) -> None:
    """After a quiet end there is nothing to take up."""
    async with house(journal) as before:
        await before.say(*TALK)
    async with house(journal, seed=2) as after:
        assert await after.resume() == 0
        assert after.messages.shown == []


async def test_a_silent_event_hides_no_debt(journal: JournalStore) -> None:
    """A group's first message is answered after a restart, also when more came that are not answered."""
    async with house(journal) as before:
        before.messages.hold()
        for update in (1, 2, 3):
            await before.turns.take(said_as(inbound(update, "hey"), type="group"))
    async with house(journal, seed=2) as after:
        assert await after.resume() == 1
        assert after.messages.texts() == [WORDING["noted.group"]]
        assert [one.answers for one in after.log.recorded] == [(await after.history())[0].event_id]


async def test_a_redelivery_during_recovery_sends_nothing_twice(journal: JournalStore) -> None:
    """An input that Telegram delivers again while its reply is being taken up does not double the reply."""
    async with house(journal) as before:
        before.messages.hold()
        await before.turns.take(inbound(1, "/help"))
    async with house(journal, seed=2) as after:
        gate = after.messages.hold()
        recovery = asyncio.create_task(after.resume())
        await asyncio.gather(*(after.turns.take(inbound(1, "/help")) for _ in range(3)))
        gate.set()
        await recovery
        await after.turns.take(inbound(1, "/help"))
        await after.sender.settle()

        assert len(after.messages.texts()) == 1
        assert await after.kinds() == ["thread.noted"]

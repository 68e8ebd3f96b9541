"""Stories that broke earlier versions of the protocol: with the rule off each goes wrong, with it on it ends well."""

import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager, nullcontext
from pathlib import Path
from unittest.mock import patch

import pytest
from msgspec.structs import replace

from holdfast.domain.errors import RowRefused, TelegramUnreachable
from holdfast.domain.event import Event
from holdfast.domain.ids import ThreadId
from holdfast.domain.kinds import Kind
from holdfast.domain.screen import Screen
from holdfast.infrastructure.log import journal_file, journal_writer
from holdfast.infrastructure.log.event_log import EventLog
from holdfast.infrastructure.log.journal import SqliteJournal
from holdfast.infrastructure.log.memory import MemoryJournal
from holdfast.infrastructure.log.stores import Outcome, Write
from holdfast.infrastructure.tiers import service
from holdfast.infrastructure.tiers.keeper import Keeper
from holdfast.infrastructure.tiers.memory import MemoryTier
from holdfast.infrastructure.tiers.service import TierService
from holdfast.infrastructure.tiers.store import Appended, Mark, Stale, TierTurn
from tests.conformance.clocks import Dice, StandingClock
from tests.conformance.scribe import ADA, BEN, BOT, Scribe, commit, inbound, machine, thread
from tests.tiers.workers import Worker, worker

Rule = Callable[[], AbstractContextManager[object]]
_DAY = 24 * 3600 * 1_000_000


def off_and_on(off: Rule, wrong: object, right: object) -> pytest.MarkDecorator:
    """Tell a story twice: what comes of it with the rule off, and with it on."""
    return pytest.mark.parametrize(("rule", "ends"), [(off, wrong), (nullcontext, right)], ids=["off", "on"])


async def _no_copies(_log: EventLog, _thread_id: ThreadId, _key: str) -> tuple[Event, ...]:
    return ()


@off_and_on(lambda: patch.object(EventLog, "copies", _no_copies), 4, 3)
async def test_an_input_of_an_ended_conversation_that_comes_again(rule: Rule, ends: int) -> None:
    """Every event with an input's key is looked for; otherwise a redelivered answer is decided a second time."""
    async with worker(MemoryTier("neon")) as one:
        for update, text in enumerate(("/addmachine", "Press 4", "/cancel"), start=1):
            await one.hear(update, text)
        with rule():
            await one.hear(2, "Press 4")

        assert len(await one.log.history(thread())) == ends


@pytest.mark.parametrize(("knows", "becomes"), [(False, Kind.NOTED), (True, Kind.ANSWERED)], ids=["off", "on"])
async def test_a_tier_that_came_back_old_is_not_believed_alone(
    knows: bool,  # noqa: FBT001 - a column of the table
    becomes: Kind,
) -> None:
    """The tier says that nothing is open, and its head is sound: only with the journal beside it is the answer one."""
    neon, journal = MemoryTier("neon"), MemoryJournal()
    async with worker(neon, journal=journal) as one:
        await one.hear(1, "/addmachine")
    neon.go_back_to(MemoryTier("neon"))
    async with worker(neon, journal=journal if knows else None, seed=2) as again:
        await again.hear(2, "Press 4")

        assert (await again.log.history(thread()))[-1].kind == becomes


@off_and_on(lambda: patch.object(MemoryTier, "_find_heads", lambda _tier, _thread_id: None), Appended, Stale)
async def test_a_tier_that_was_given_something_has_moved_on(rule: Rule, ends: type) -> None:
    """An insert without comparing raises the revision; otherwise a turn goes through over what it had not seen."""
    scribe, tier = Scribe(), MemoryTier("neon")
    start, answer = (TierTurn(scribe.append(inbound(n)).record, Mark(), (), True, None) for n in (1, 2))  # noqa: FBT003 - owes a reply
    await tier.open(BOT, 1.0)
    [first] = await tier.append([start], 1.0)
    assert isinstance(first, Appended)

    with rule():
        await tier.push([Scribe(seed=9).append(inbound(5)).record], [], 1.0)
    late = TierTurn(answer.record, first.mark, (), True, None)  # noqa: FBT003

    assert [type(verdict) for verdict in await tier.append([late], 1.0)] == [ends]


@off_and_on(lambda: patch.object(service, "TIMERS", frozenset()), [Kind.STARTED, Kind.EXPIRED], [Kind.STARTED])
async def test_an_expiry_is_not_written_on_the_journal_alone(rule: Rule, ends: list[Kind]) -> None:
    """While no tier can be had nothing ends: another worker may know that its person went on."""
    neon = MemoryTier("neon")
    async with worker(neon) as one:
        await one.hear(1, "/addmachine")
        neon.down = True
        late = inbound(2, "Press 4")
        with rule():
            await one.turns.take(replace(late, occurred_at=late.occurred_at + 2 * _DAY))

        kinds = [event.kind for event in await one.log.history(thread())]
        assert kinds[: len(ends)] == ends
        assert (Kind.EXPIRED in kinds) is (Kind.EXPIRED in ends)


def _hasty() -> AbstractContextManager[object]:
    """Neither wait at a start until the tiers have everything, nor look before a reply is sent; they follow later."""

    async def at_once(*_: object) -> bool:
        return True

    stack = ExitStack()
    stack.enter_context(patch.object(TierService, "_until_they_serve", at_once))
    stack.enter_context(patch.object(TierService, "secure", at_once))
    stack.enter_context(patch.object(Keeper, "run", at_once))
    return stack


@off_and_on(_hasty, [0], [1])
async def test_a_reply_waits_until_a_tier_has_what_it_answers(rule: Rule, ends: list[int]) -> None:
    """After a crash the row that only the journal holds is pushed before its person is told."""
    neon, journal = MemoryTier("neon"), MemoryJournal()
    neon.down = True
    async with worker(neon, journal=journal) as crashed:
        with patch.object(crashed.messages, "send", _nobody_hears):
            await crashed.turns.take(inbound(1, "/addmachine"))
            await crashed.sender.close(0)
    neon.down = False
    with rule():
        async with _told_when(neon, journal) as (again, held):
            await again.answer_what_is_owed()

    assert held == ends


async def _nobody_hears(*_: object) -> int:
    raise TelegramUnreachable


@asynccontextmanager
async def _told_when(neon: MemoryTier, journal: MemoryJournal) -> AsyncIterator[tuple[Worker, list[int]]]:
    """A worker, and how many events the tier held whenever its person was told something."""
    held: list[int] = []
    async with worker(neon, journal=journal) as one:
        show = one.messages.send

        async def send(chat_id: int, screen: Screen, replaces: int = 0) -> int:
            held.append(len(neon.events))
            return await show(chat_id, screen, replaces)

        one.messages.send = send  # type: ignore[method-assign] # to see the moment
        yield one, held


def _all_or_nothing() -> AbstractContextManager[object]:
    """A batch is one transaction, and whoever breaks it breaks it for all."""

    def commit_all(connection: sqlite3.Connection, batch: Sequence[Write]) -> Sequence[Outcome]:
        try:
            journal_writer._transaction(connection, batch)  # noqa: SLF001 - without the halves
        except sqlite3.Error as error:
            return [RowRefused(f"{error}")] * len(batch)
        return [None] * len(batch)

    return patch("holdfast.infrastructure.log.journal.commit", commit_all)


@off_and_on(_all_or_nothing, 0, 2)
async def test_one_clash_harms_no_other_turn_of_its_batch(rule: Rule, ends: int, tmp_path: Path) -> None:
    """An outcome per turn: a nickname that is taken refuses its own turn, and no other."""
    store, scribe = SqliteJournal(tmp_path / "local.db", StandingClock(), Dice(1)), Scribe()
    await store.open()
    turns = [
        scribe.append(inbound(1, person=ADA), rows=[machine(1, "Press 4")]),
        scribe.append(inbound(2, person=100), rows=[machine(2, "Press 4")]),
        scribe.append(inbound(3, person=BEN)),
    ]
    with rule():
        outcomes = await commit(store, *turns)
    await store.close()

    assert outcomes.count(None) == ends


@off_and_on(lambda: patch.object(journal_file, "incarnation", lambda _path: "the same"), False, True)  # noqa: FBT003
async def test_a_clone_of_a_journal_has_an_origin_of_its_own(rule: Rule, ends: bool, tmp_path: Path) -> None:  # noqa: FBT001
    """Two files never number their events alike, even if one was copied from the other."""
    first, clone = tmp_path / "local.db", tmp_path / "clone.db"
    with rule():
        origins = []
        for seed, path in ((1, first), (2, clone)):
            store = SqliteJournal(path, StandingClock(), Dice(seed))
            origins.append((await store.open()).origin)
            await store.close()
            shutil.copy(first, clone) if path is first else None

    assert (origins[0] != origins[1]) is ends

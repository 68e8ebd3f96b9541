"""A full disk refuses, says so, keeps what it acknowledged, and recovers by itself."""

from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from holdfast.domain.errors import LogUnavailable
from holdfast.infrastructure.log.event_log import EventLog
from holdfast.infrastructure.log.journal import SqliteJournal
from holdfast.infrastructure.log.stores import AppendWrite, Outcome, Write
from tests.conformance.clocks import Dice, StandingClock
from tests.conformance.scribe import (
    BOT,
    EMPTY,
    Scribe,
    codec,
    commit,
    head_of,
    inbound,
    machine,
    owed_by,
    set_aside,
    thread,
    write,
)
from tests.figures import tell
from tests.infrastructure.files import ProbedJournal, journal
from tests.infrastructure.full_disks import no_small_disk, ways

LONG = "a long answer " * 300
A_LOT_OF_PAGES = 100_000


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[ProbedJournal]:
    """A journal that may grow by a few pages only."""
    store = journal(tmp_path / "local.db")
    await store.open()
    [(pages,)] = await store.ask("PRAGMA page_count")
    await store.ask(f"PRAGMA max_page_count = {pages + 10}")
    yield store
    await store.close()


async def fill(store: ProbedJournal, scribe: Scribe) -> int:
    """Append until the journal is full; give the first person that was refused."""
    for person in range(1, 1000):
        turn = scribe.append(inbound(person, LONG * person, person=person))
        [outcome] = await commit(store, turn)
        if outcome is not None:
            assert isinstance(outcome, LogUnavailable)
            assert "full" in str(outcome)
            del scribe.heads[turn.record.thread_id]
            return person
    raise AssertionError("the journal is not full")


async def test_a_full_journal_refuses_and_says_so(store: ProbedJournal) -> None:
    """An append that finds no room is unavailable, and what was acknowledged before is there."""
    scribe = Scribe()
    refused = await fill(store, scribe)

    assert await store.counts() == (refused - 1, 0, 0)
    assert [one async for one in store.threads()] == sorted(scribe.heads)
    assert await head_of(store, refused) == EMPTY


async def test_nothing_of_a_refused_batch_is_left(store: ProbedJournal) -> None:
    """When a batch finds no room each of its writers is refused, and no part of any turn is written."""
    scribe = Scribe()
    await write(store, scribe.append(inbound(1)))
    before = await owed_by(store), await head_of(store)
    batch: list[Write] = [
        scribe.append(inbound(2), rows=[machine(1, "Press 4")]),
        set_aside("odd", b"{}"),
        scribe.append(inbound(3, person=50), rows=[machine(2, "Lathe", 50)]),
        scribe.append(inbound(4, Dice()(200_000).hex(), person=51)),
    ]

    outcomes = await commit(store, *batch)

    assert [type(outcome) for outcome in outcomes] == [LogUnavailable] * 4
    assert await store.counts() == (1, 0, 0)
    assert await store.rows("user_machines") == []
    assert (await owed_by(store), await head_of(store)) == before


async def test_a_full_journal_recovers_by_itself(store: ProbedJournal) -> None:
    """As soon as there is room again appends succeed, with nothing opened anew."""
    scribe = Scribe()
    refused = await fill(store, scribe)
    again: AppendWrite = scribe.append(inbound(refused, LONG * refused, person=refused))
    [still] = await commit(store, again)
    await store.ask(f"PRAGMA max_page_count = {A_LOT_OF_PAGES}")

    await write(store, again)

    assert isinstance(still, LogUnavailable)
    assert await head_of(store, refused) == again.head
    assert await store.ask("PRAGMA integrity_check") == [("ok",)]
    assert (await owed_by(store))[thread(refused)] == (again.record.event_id,)


async def test_a_delivery_waits_for_room(store: ProbedJournal) -> None:
    """A delivery that finds no room is refused, and its reply stays owed until it is recorded."""
    scribe = Scribe()
    turn = scribe.append(inbound(1))
    await write(store, turn)
    await store.ask("PRAGMA max_page_count = 1")
    late = scribe.delivery(turn.record, text=Dice()(200_000).hex())
    [refused] = await commit(store, late)
    owed = await owed_by(store)
    await store.ask(f"PRAGMA max_page_count = {A_LOT_OF_PAGES}")
    await write(store, late)

    assert isinstance(refused, LogUnavailable)
    assert owed == {thread(): (turn.record.event_id,)}
    assert await owed_by(store) == {}


async def test_a_first_start_on_a_full_disk_can_be_repeated(tmp_path: Path) -> None:
    """A log that could not write down whose it is lets its journal go, and is opened when there is room."""

    class Full(SqliteJournal):
        async def commit(self, batch: Sequence[Write]) -> Sequence[Outcome]:
            return [LogUnavailable("the disk is full")] * len(batch)

    path, clock, dice = tmp_path / "local.db", StandingClock(), Dice()
    with pytest.raises(LogUnavailable, match="the disk is full"):
        await EventLog(Full(path, clock, dice), codec(), clock, dice).open(BOT)

    log = EventLog(SqliteJournal(path, clock, dice), codec(), clock, dice)
    opened = await log.open(BOT)

    assert "bot_id" not in opened.meta
    await log.close()


@pytest.mark.parametrize("fill_up", ways().values(), ids=ways().keys())
def test_a_really_full_disk_refuses_and_recovers(tmp_path: Path, fill_up: Callable[[Path], dict[str, Any]]) -> None:
    """What was acknowledged is in the journal and nothing else is, and it goes on when there is room."""
    found = fill_up(tmp_path)

    assert found["held"] == found["acknowledged"]
    assert len(found["refused"]) == 4
    assert len(found["acknowledged"]) > 5 + len(found["refused"])
    assert found["counts"] == len(found["held"])
    assert found["others"] == []
    assert all("cannot be written" in error for error in found["errors"])


def test_how_a_disk_was_filled_is_declared(request: pytest.FixtureRequest) -> None:
    """A limit on files works anywhere, and a small disk is mounted wherever the system permits it."""
    if reason := no_small_disk():
        tell(request.config, "not tried here", f"a really full disk: no small disk can be mounted ({reason})")
    assert set(ways()) == {"file size"} | (set() if no_small_disk() else {"small disk"})

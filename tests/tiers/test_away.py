"""An outage of several workers beside one tier: the real engine and protocol, over stores in memory."""

import asyncio

from holdfast.domain.errors import NoTier
from holdfast.domain.kinds import Kind
from holdfast.engine.absences import Absences
from holdfast.engine.heartbeat import Heartbeat, presence_known_to
from holdfast.engine.photos import Photos
from holdfast.engine.presence import TAP_LIFE, Presence, presence_from
from holdfast.engine.recovery import Recovery
from holdfast.engine.work import OutsideWork
from holdfast.infrastructure.clock import SystemClock
from holdfast.infrastructure.tiers.memory import MemoryTier
from tests.conformance.clocks import NOON
from tests.conformance.scribe import inbound, thread
from tests.engine.fakes import said_as
from tests.tiers.workers import FLOWS, Worker, two_workers, until, worker

SECOND = 1_000_000
LEASE = 0.4
LATER = NOON + 3600 * SECOND


def absences_of(one: Worker, presence: Presence) -> Absences:
    return Absences(FLOWS, one.log, one.turns, presence, clock=SystemClock(), thread_of=thread)


def back_after(seconds: int) -> Presence:
    """A worker that was there an hour after people wrote, and then not for so long."""
    presence = Presence(LATER)
    presence.here(LATER + seconds * SECOND)
    return presence


async def kinds(one: Worker) -> list[str]:
    return [event.kind for event in await one.log.history(thread())]


async def test_two_workers_beside_one_tier_ask_once() -> None:
    """Both come back from one outage at once, with journals of their own: there is one event, and one reply."""
    neon = MemoryTier("neon")
    async with two_workers(neon) as (one, other):
        await one.hear(1, "/addmachine")
        await until(lambda: len(other.journal_events()) == 1)
        shared = back_after(200).absences
        told = await asyncio.gather(
            *(absences_of(worker, Presence(1, shared)).resume() for worker in (one, other)), return_exceptions=True
        )
        await until(lambda: len(one.journal_events()) == len(other.journal_events()) == 2)
        await asyncio.gather(one.sender.settle(), other.sender.settle())

        assert sorted(map(str, told)) == ["0", "1"]
        assert await kinds(one) == await kinds(other) == [Kind.STARTED, Kind.REPEATED]
        assert len(one.messages.texts) + len(other.messages.texts) == 2


async def test_where_one_worker_was_there_nobody_was_away() -> None:
    """What one worker has told the tier, another goes by: it was away itself, and asks nothing again."""
    neon = MemoryTier("neon")
    async with two_workers(neon) as (one, other):
        await one.hear(1, "/addmachine")
        await until(lambda: len(other.journal_events()) == 1)
        there, back = Presence(), back_after(400)
        there.here(back.last - 20 * SECOND)
        await Heartbeat(there, one.log, absences_of(one, there), Recovery(SystemClock())).beat()
        await Heartbeat(back, other.log, absences_of(other, back), Recovery(SystemClock())).beat()

        assert back.is_here(back.last)
        assert await kinds(other) == [Kind.STARTED]
        assert await one.log.seen(0) == back.last


async def test_while_no_tier_can_be_had_nobody_is_asked_and_nothing_is_forgotten() -> None:
    """Another worker may have been there: the absence is kept, and told once a tier can say so."""
    neon = MemoryTier("neon")
    async with worker(neon) as one:
        await one.hear(1, "/addmachine")
        neon.down = True
        await until(lambda: one.service.lineup.first is None)
        back = back_after(200)
        heart = Heartbeat(back, one.log, absences_of(one, back), Recovery(SystemClock()))
        await heart.beat()
        assert await kinds(one) == [Kind.STARTED]
        meta = (await one.journal.open()).meta
        assert presence_from(meta["presence"]).absences == back.absences != ()

        neon.down = False
        await until(lambda: one.service.lineup.first is not None)
        assert await absences_of(one, back).resume() == 1
        assert await kinds(one) == [Kind.STARTED, Kind.REPEATED]


async def test_the_tiers_hear_of_a_worker_through_any_of_them() -> None:
    """The latest moment on any tier counts, and a tier that can't be reached keeps nobody from saying it."""
    neon, supabase = MemoryTier("neon"), MemoryTier("supabase")
    async with worker(neon, supabase) as one:
        assert [await one.log.seen(at) for at in (5, 9, 7)] == [0, 5, 9]
        neon.down = True
        assert await one.log.seen(11) == 9
        assert await supabase.seen(0, 1.0) == 11
        supabase.down = True
        failed = 0
        for _ in range(2):
            try:
                await one.log.seen(12)
            except NoTier:
                failed += 1
        assert failed == 2


async def test_a_worker_without_its_journal_knows_from_the_tiers_when_it_was_there() -> None:
    """Its disk lost, a worker finds out how long it was away, and asks the open questions again."""
    neon = MemoryTier("neon")
    async with worker(neon) as lost:
        await lost.hear(1, "/addmachine")
        there = Presence()
        there.here(LATER)
        await Heartbeat(there, lost.log, absences_of(lost, there), Recovery(SystemClock())).beat()
    async with worker(neon, seed=2) as fresh:
        await until(lambda: len(fresh.journal_events()) == 1)
        known = await presence_known_to(fresh.log, {}, 0, patience=TAP_LIFE)
        known.here(LATER + 200 * SECOND)

        assert [(one.since, one.length) for one in known.absences] == [(LATER, 200 * SECOND)]
        assert await absences_of(fresh, known).resume() == 1
        assert await kinds(fresh) == [Kind.STARTED, Kind.REPEATED]


class Shelf:
    """Where photos are fetched from."""

    def __init__(self) -> None:
        self.fetched: list[str] = []

    async def fetch(self, file_id: str) -> bytes:
        self.fetched.append(file_id)
        return b"a picture"


async def test_a_dead_workers_photo_is_fetched_by_the_one_who_answers_for_it() -> None:
    """While its lease lasts nobody else fetches what a worker was sent; afterwards one of the others does."""
    neon = MemoryTier("neon")
    async with worker(neon, seed=1, lease=LEASE) as one, worker(neon, seed=2, lease=LEASE) as other:
        shelves = Shelf(), Shelf()
        works = [
            OutsideWork(
                [Photos(each.log, each.turns, shelf, each.log.leases, SystemClock())], each.log, SystemClock(), {}
            )
            for each, shelf in zip((one, other), shelves, strict=True)
        ]
        for work in works:
            await work.look()
        async with worker(neon, seed=3, lease=LEASE) as gone:
            await gone.turns.take(said_as(inbound(1, ""), type="photo", file_id="plate", file_size=9))
            await until(lambda: len(one.journal_events()) == len(other.journal_events()) == 1)
            [photo] = one.journal_events()
            for work in works:
                await work.look()
                await work.settle()
        assert (shelves[0].fetched, shelves[1].fetched) == ([], [])
        await until(lambda: any(each.log.leases.answers_for(photo.origin) for each in (one, other)))
        for work, each in zip(works, (one, other), strict=True):
            await (work.resume() if each.log.leases.answers_for(photo.origin) else work.look())
            await work.settle()
        await until(lambda: len(one.journal_events()) == len(other.journal_events()) == 2)

        assert [*shelves[0].fetched, *shelves[1].fetched] == ["plate"]
        assert await kinds(one) == [Kind.NOTED, Kind.PHOTO_STORED]

"""What a tier knows comes into every journal, and from there to every other tier, whatever was lost on the way."""

import asyncio

import pytest

from holdfast.domain.errors import NotExecuted
from holdfast.domain.ids import OriginId
from holdfast.infrastructure.log.memory import MemoryJournal
from holdfast.infrastructure.tiers import keeper
from holdfast.infrastructure.tiers.memory import MemoryTier
from holdfast.infrastructure.tiers.store import Place
from tests.conformance.scribe import ADA, BEN, inbound, thread
from tests.tiers.test_append import REGISTER, heal, rows_on, texts
from tests.tiers.workers import two_workers, until, worker


async def test_a_worker_learns_what_another_wrote() -> None:
    """Without being asked about that person, a worker's journal holds soon what another worker took in."""
    neon = MemoryTier("neon")
    async with two_workers(neon) as (one, other):
        for update, text in enumerate(REGISTER, start=1):
            await other.hear(update, text)
        await until(lambda: len(one.journal_events()) == len(REGISTER))
        await until(lambda: len(one.journal_deliveries()) == len(REGISTER))

        assert await one.texts() == list(REGISTER)
        assert await one.rows() == await other.rows()
        assert await one.problems() == []
        assert await one.answer_what_is_owed() == 0


async def test_a_lost_journal_is_filled_again() -> None:
    """A worker that starts with an empty journal has all that the tier holds, soon after."""
    neon = MemoryTier("neon")
    async with worker(neon) as one:
        for update, text in enumerate(REGISTER, start=1):
            await one.hear(update, text)
        await until(lambda: len(neon.deliveries) == len(REGISTER))
        rows = await one.rows()

    async with worker(neon, seed=9) as fresh:
        await until(lambda: len(fresh.journal_events()) == len(REGISTER))

        assert await fresh.rows() == rows
        assert await fresh.problems() == []


async def test_what_one_tier_alone_holds_comes_to_the_other() -> None:
    """A worker wrote to one tier and is gone with its disk: another worker brings its words to the second tier."""
    neon, supabase = MemoryTier("neon"), MemoryTier("supabase")
    supabase.down = True
    async with worker(neon, supabase) as lost:
        await lost.hear(1, "/addmachine")
        await lost.hear(2, "Press 4")
    supabase.down = False

    async with worker(neon, supabase, seed=2):
        await until(lambda: len(supabase.events) == 2)

        assert texts(supabase) == texts(neon)
        await until(lambda: rows_on(supabase) == rows_on(neon))


async def test_both_sides_of_a_partition_are_kept() -> None:
    """Two workers, each cut off from the other's tier, take in one person's inputs: in the end all hold all of them."""
    neon, supabase = MemoryTier("neon"), MemoryTier("supabase")
    async with worker(neon, supabase, seed=1) as one, worker(supabase, neon, seed=2) as other:
        await one.hear(1, "/addmachine")
        await until(lambda: len(other.journal_events()) == 1)
        neon.down = supabase.down = True
        await one.hear(2, "Press 4")
        await other.hear(3, "ACME")
        heal(neon)
        heal(supabase)
        await until(lambda: len(neon.events) == len(supabase.events) == 3)
        await until(lambda: len(one.journal_events()) == len(other.journal_events()) == 3)

        assert await one.texts() == await other.texts() == ["/addmachine", "Press 4", "ACME"]
        assert await one.rows() == await other.rows()
        await until(lambda: rows_on(neon) == rows_on(supabase))
        assert await one.problems() == await other.problems() == []


async def test_a_hole_in_a_tier_is_found_by_comparing_hours() -> None:
    """A row that is gone from the middle of a tier, past every cursor, stands there again after it comes back."""
    neon = MemoryTier("neon")
    async with worker(neon) as one:
        for update, text in enumerate(REGISTER, start=1):
            await one.hear(update, text)
        await until(lambda: len(neon.deliveries) == len(REGISTER))
        del neon.events[list(neon.events)[3]]
        del neon.deliveries[list(neon.deliveries)[2]]
        one.service.lineup.tiers[0].failed(NotExecuted("restarted"))
        await until(lambda: one.service.lineup.tiers[0].serves)

        assert sorted(texts(neon)) == sorted(REGISTER)
        assert len(neon.deliveries) == len(REGISTER)


async def test_a_tail_that_is_held_back_is_made_up_for_by_comparing(monkeypatch: pytest.MonkeyPatch) -> None:
    """While a transaction stays open on a tier's server, what others bring there is learned all the same."""
    neon, supabase = MemoryTier("neon"), MemoryTier("supabase")
    async with worker(neon, seed=1) as one, worker(supabase, seed=2) as other:
        await other.hear(1, "/addmachine")
        neon.held_back = True
        monkeypatch.setattr(keeper, "HELD_BACK", 0)
        await neon.push(tuple(supabase.events.values()), (), 1.0)
        await until(lambda: [record.dedup_key for record in one.journal_events()] == [inbound(1).dedup_key])

        assert one.service.keepers[0].tier.cursor.place == Place()


async def test_a_tail_that_begins_anew_is_read_anew() -> None:
    """A tier restored from an old copy numbers its rows as before: what others bring there then is not passed over."""
    neon, supabase = MemoryTier("neon"), MemoryTier("supabase")
    async with worker(neon, seed=1) as one, worker(supabase, seed=2) as other:
        for update, text in enumerate(REGISTER, start=1):
            await one.hear(update, text)
        await one.service.keepers[0].tier.probe(1)
        one.service.lineup.tiers[0].failed(NotExecuted("restarted"))
        await until(lambda: one.service.lineup.tiers[0].serves)
        await other.hear(20, "/addmachine", person=BEN)
        neon.go_back_to(supabase)
        one.service.lineup.tiers[0].failed(NotExecuted("restarted"))
        await until(lambda: one.service.lineup.tiers[0].serves)

        assert [record.thread_id for record in one.journal_events()][-1] == thread(BEN)
        assert len(neon.events) == len(REGISTER) + 1


async def test_a_turn_that_was_decided_before_its_thread_was_learned_is_decided_again() -> None:
    """What another worker brought while this one remembered an older state of the thread is not forked from."""
    neon, supabase = MemoryTier("neon"), MemoryTier("supabase")
    async with worker(neon, seed=1) as one, worker(neon, supabase, seed=2) as other:
        await one.hear(1, "/addmachine")
        await other.hear(2, "Press 4")
        await until(lambda: len(one.journal_events()) == 2)
        await one.hear(3, "ACME")

        versions = [event.version for event in await one.log.history(thread(ADA))]
        assert versions == [1, 2, 3]


async def test_a_thread_is_folded_by_one_at_a_time() -> None:
    """Several keepers and a turn bring the same thread home at once: each waits for the others, and none for ever."""
    tiers = [MemoryTier(name) for name in ("neon", "supabase", "railway")]
    async with worker(*tiers, seed=1) as one, worker(*tiers, seed=2) as other:
        for update in range(1, 40):
            async with asyncio.timeout(10):
                await asyncio.gather(
                    one.hear(2 * update, f"Press {update}"),
                    other.hear(2 * update + 1, f"Hall {update}"),
                    *(keeper.take() for keeper in (*one.service.keepers, *other.service.keepers)),
                )
        await until(lambda: len(one.journal_events()) == len(other.journal_events()) == 78)

        assert await one.texts() == await other.texts()


async def test_people_are_learned_apart() -> None:
    """What comes of several people in one go is folded for each of them."""
    neon = MemoryTier("neon")
    async with worker(neon) as one:
        for person in (ADA, BEN):
            await one.turns.take(inbound(person * 10, "/addmachine", person=person))
    async with worker(neon, journal=MemoryJournal(), seed=3) as fresh:
        await until(lambda: len(fresh.journal_events()) == 2)

        assert len(await fresh.rows()) == 2


async def test_an_event_forgotten_in_a_crash_is_answered_when_it_comes_home() -> None:
    """A tier took a turn, and the worker died before its journal did: its reply is owed once the event is learned."""
    neon, journal = MemoryTier("neon"), MemoryJournal(OriginId(bytes([1]) * 16))
    async with worker(neon, seed=1) as one:
        await one.hear(1, "/addmachine")
        await until(lambda: len(neon.deliveries) == 1)
    neon.deliveries.clear()
    async with worker(neon, journal=journal, seed=1) as forgetful:
        await until(lambda: len(forgetful.journal_events()) == 1)
        await forgetful.log.learned()

        assert await forgetful.answer_what_is_owed() == 1
        assert await forgetful.answer_what_is_owed() == 0

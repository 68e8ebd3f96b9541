"""Where a turn comes to stand: the journal and the tiers, whatever fails."""

import asyncio
from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from holdfast.domain.errors import KeyMissing, LogUnavailable, NotExecuted, OtherBot
from holdfast.domain.inbound import Inbound
from holdfast.domain.kinds import Kind
from holdfast.domain.ports import RowChange
from holdfast.engine.outbox import LeftOwed
from holdfast.engine.turns import Turns
from holdfast.infrastructure.log.memory import MemoryJournal
from holdfast.infrastructure.log.stores import Cursor, Outcome, Tail, Write
from holdfast.infrastructure.tiers.memory import MemoryTier
from holdfast.projections.fold import TABLES, fold_of
from tests.conformance.scribe import BOT, codec, inbound, thread
from tests.tiers.workers import FLOWS, said_in, two_workers, until, worker

REGISTER = ("/addmachine", "Press 4", "ACME", "M-1", "SN-1", "Hall 2", "none", "/skip")


def texts(tier: MemoryTier) -> list[str]:
    """What was said, as a tier holds it, in the order it came to it."""
    return [said_in(codec().event(record)) for record in tier.events.values()]


def rows_on(tier: MemoryTier) -> list[RowChange]:
    """Every row of every projection on a tier."""
    return [row for table in TABLES for row in tier.rows(table)]


def heal(tier: MemoryTier) -> None:
    tier.down, tier.lose_answer_next = False, 0


async def test_a_turn_stands_on_the_journal_and_on_the_first_tier_before_its_reply() -> None:
    """When a reply has gone out, its event and its rows are on both."""
    neon = MemoryTier("neon")
    async with worker(neon) as one:
        await one.hear(1, "/addmachine")
        await one.hear(2, "Press 4")

        assert texts(neon) == await one.texts() == ["/addmachine", "Press 4"]
        assert rows_on(neon) == await one.rows()
        assert len(one.messages.texts) == 2


async def test_every_other_tier_follows() -> None:
    """What the first tier took is soon on the others too: events, rows and deliveries."""
    tiers = [MemoryTier(name) for name in ("neon", "supabase", "railway")]
    async with worker(*tiers) as one:
        for update, text in enumerate(REGISTER, start=1):
            await one.hear(update, text)
        rows = await one.rows()
        for tier in tiers:
            await until(lambda tier=tier: len(tier.events) == len(tier.deliveries) == len(REGISTER))  # type: ignore[misc]
            await until(lambda tier=tier: rows_on(tier) == rows)  # type: ignore[misc]

    assert [tier.debt(thread()) for tier in tiers] == [0, 0, 0]


async def test_a_turn_goes_on_to_the_next_tier_when_one_refuses() -> None:
    """A tier that is gone costs a turn nothing but time: the next one holds it, and the person reads no excuse."""
    neon, supabase = MemoryTier("neon"), MemoryTier("supabase")
    async with worker(neon, supabase) as one:
        await one.hear(1, "/addmachine")
        await until(lambda: len(supabase.events) == 1)
        neon.down = True
        await one.hear(2, "Press 4")

        assert texts(supabase) == ["/addmachine", "Press 4"]
        assert [tier.serves for tier in one.service.lineup.tiers] == [False, True]
        assert "syncing" not in "".join(one.messages.texts)


async def test_a_tier_is_given_what_it_lacks_before_a_turn() -> None:
    """The second tier had not followed yet when the first one went: it gets the thread's whole past with the turn."""
    neon, supabase = MemoryTier("neon"), MemoryTier("supabase")
    async with worker(neon, supabase) as one:
        keeper = one.service.keepers[1]
        keeper.tier.push = _never  # type: ignore[method-assign, assignment]
        await one.hear(1, "/addmachine")
        neon.down = True
        await one.hear(2, "Press 4")

        assert texts(supabase) == ["/addmachine", "Press 4"]
        assert one.service.lineup.first is keeper.tier


async def _never(*_: object) -> dict[bytes, object]:
    await asyncio.Event().wait()
    raise AssertionError


async def test_an_answer_that_was_lost_leaves_one_event_everywhere() -> None:
    """The tier had done it and could not say so: the very same bytes go to the next one, and they never differ."""
    neon, supabase = MemoryTier("neon"), MemoryTier("supabase")
    async with worker(neon, supabase) as one:
        await one.hear(1, "/addmachine")
        neon.lose_answer_next = 99
        await one.hear(2, "Press 4")
        heal(neon)
        await until(lambda: one.service.lineup.tiers[0].serves)

        assert texts(neon) == texts(supabase) == await one.texts() == ["/addmachine", "Press 4"]
        assert neon.events == supabase.events
        assert await one.problems() == []


async def test_the_journal_alone_will_do_and_says_so() -> None:
    """With no tier in reach a turn is kept, a person who is told "saved" is told where, and tiers get it later."""
    neon = MemoryTier("neon")
    async with worker(neon) as one:
        neon.down = True
        for update, text in enumerate(REGISTER, start=1):
            await one.hear(update, text)
        await one.confirm(len(REGISTER) + 1)
        assert texts(neon) == []
        assert "Saved on this machine, syncing." in one.messages.texts[-1]

        heal(neon)
        await until(lambda: one.service.lineup.tiers[0].serves)

        assert texts(neon) == await one.texts()
        assert rows_on(neon) == await one.rows()


async def test_a_turn_that_is_overtaken_is_decided_again() -> None:
    """Another worker's event came first: this worker's own counts nowhere, and the input is decided on top of both."""
    neon = MemoryTier("neon")
    async with two_workers(neon) as (one, other):
        await one.hear(1, "/addmachine")
        await other.hear(2, "Press 4")
        await one.hear(3, "ACME")

        assert await one.texts() == texts(neon) == ["/addmachine", "Press 4", "ACME"]
        assert [event.kind for event in await one.log.history(thread())] == [
            Kind.STARTED,
            Kind.ANSWERED,
            Kind.ANSWERED,
        ]
        assert await one.rows() == rows_on(neon)
        assert await one.problems() == []


async def test_an_input_that_another_worker_took_in_is_not_taken_in_again() -> None:
    """A redelivery to another worker finds the event on the tier, brings it home, and writes nothing new."""
    neon = MemoryTier("neon")
    async with two_workers(neon) as (one, other):
        await one.hear(1, "/addmachine")
        await other.hear(1, "/addmachine")

        assert texts(neon) == await other.texts() == ["/addmachine"]


async def test_replies_to_events_of_another_worker_are_its_own() -> None:
    """A worker that learned events from a tier owes no replies for them when it starts again."""
    neon = MemoryTier("neon")
    async with two_workers(neon) as (one, other):
        await one.hear(1, "/addmachine")
        await other.hear(2, "Press 4")
        before = len(other.messages.texts)

        assert await other.answer_what_is_owed() == 0
        assert len(other.messages.texts) == before


async def test_a_redelivered_input_is_brought_to_a_tier_before_it_is_acknowledged() -> None:
    """An event that only the journal held, after a crash, stands on a tier when its redelivery is acknowledged."""
    neon, journal = MemoryTier("neon"), MemoryJournal()
    neon.down = True
    async with worker(neon, journal=journal) as crashed:
        await crashed.turns.take(inbound(1, "/addmachine"))
    heal(neon)
    async with worker(neon, journal=journal) as one:
        neon.go_back_to(MemoryTier("neon"))
        await one.hear(1, "/addmachine")

        assert texts(neon) == ["/addmachine"]


async def test_what_a_crash_left_in_the_journal_is_on_a_tier_before_anything_else() -> None:
    """When a worker has started, the tier holds what only its journal held."""
    neon, journal = MemoryTier("neon"), MemoryJournal()
    neon.down = True
    async with worker(neon, journal=journal) as crashed:
        await crashed.turns.take(inbound(1, "/addmachine"))
    heal(neon)

    async with worker(neon, journal=journal):
        assert texts(neon) == ["/addmachine"]


async def test_two_copies_can_be_asked_for() -> None:
    """With two copies asked for, a turn stands on two tiers before its reply."""
    tiers = [MemoryTier(name) for name in ("neon", "supabase", "railway")]
    async with worker(*tiers, copies=2) as one:
        for tier in one.service.lineup.tiers:
            tier.push = _never  # type: ignore[method-assign, assignment]
        await one.hear(1, "/addmachine")

        assert [texts(tier) for tier in tiers] == [["/addmachine"], ["/addmachine"], []]


async def test_a_tier_of_another_bot_is_refused() -> None:
    """A worker does not start on a tier that belongs to another bot."""
    neon = MemoryTier("neon")
    neon.bot_id = BOT + 1

    with pytest.raises(OtherBot):
        async with worker(neon):
            raise AssertionError


async def test_an_unreachable_tier_does_not_keep_a_worker_from_starting() -> None:
    """A tier that can't be had at the start is named, and the bot works on the journal."""
    neon = MemoryTier("neon")
    neon.down = True
    async with worker(neon) as one:
        await one.hear(1, "/addmachine")

        assert await one.texts() == ["/addmachine"]
        assert "is down" in one.service.lineup.tiers[0].breaker.reason


class FullJournal(MemoryJournal):
    """A journal whose disk may be full."""

    full = False

    async def commit(self, batch: Sequence[Write]) -> Sequence[Outcome]:
        if self.full:
            raise LogUnavailable("the disk is full")
        return await super().commit(batch)


async def test_a_journal_that_cannot_be_written_refuses_the_turn() -> None:
    """A turn that stands on a tier but not in the journal is not acknowledged; it is found when it comes again."""
    neon, journal = MemoryTier("neon"), FullJournal()
    async with worker(neon, journal=journal) as one:
        await one.hear(1, "/addmachine")
        journal.full = True
        with pytest.raises(LogUnavailable):
            await one.turns.take(inbound(2, "Press 4"))
        journal.full = False
        await one.hear(2, "Press 4")

        assert texts(neon) == await one.texts() == ["/addmachine", "Press 4"]
        assert len(one.messages.texts) == 2
        assert await one.problems() == []


async def test_what_its_own_journal_could_not_keep_is_still_this_worker_s_to_answer() -> None:
    """A turn that only a tier could keep, and that the journal learned from there, is answered after a restart."""
    neon, journal = MemoryTier("neon"), FullJournal()
    async with worker(neon, journal=journal) as crashed:
        journal.full = True
        with pytest.raises(LogUnavailable):
            await crashed.turns.take(inbound(1, "/addmachine"))
        journal.full = False
        await crashed.log.load(thread(), inbound(1, "/addmachine"))
    async with worker(neon, journal=journal) as one:
        assert await one.answer_what_is_owed() == 1
        assert len(one.messages.texts) == 1


async def test_a_reply_after_a_restart_says_where_it_is_saved() -> None:
    """What was saved while no tier could be had, and is told only after a restart, is told as on this machine only."""
    neon, journal = MemoryTier("neon"), MemoryJournal()
    async with worker(neon, journal=journal) as crashed:
        for update, text in enumerate(REGISTER, start=1):
            await crashed.hear(update, text)
        neon.down = True
        crashed.turns = Turns(FLOWS, fold_of(FLOWS), crashed.log, LeftOwed())  # it dies before the reply goes out
        await crashed.confirm(len(REGISTER) + 1)
    async with worker(neon, journal=journal) as one:
        await one.answer_what_is_owed()

        assert "Saved on this machine, syncing." in one.messages.texts[-1]


async def test_what_only_a_tier_took_comes_home() -> None:
    """A turn that stands on a tier because the disk was full is in the journal soon after there is room again."""
    neon, journal = MemoryTier("neon"), FullJournal()
    async with worker(neon, journal=journal) as one:
        journal.full = True
        with pytest.raises(LogUnavailable):
            await one.turns.take(inbound(1, "/addmachine"))
        journal.full = False
        one.service.wake()

        await until(lambda: len(one.journal_events()) == 1)


async def test_a_tier_that_came_back_with_old_data_gets_everything_again() -> None:
    """Restored from an old copy, a tier holds all of it again: the last event it had been given was gone."""
    neon = MemoryTier("neon")
    async with worker(neon) as one:
        await one.hear(1, "/addmachine")
        await until(lambda: len(neon.deliveries) == 1)
        old = neon.copy()
        for update, text in enumerate(REGISTER[1:], start=2):
            await one.hear(update, text)
        await until(lambda: len(neon.deliveries) == len(REGISTER))
        neon.go_back_to(old)
        one.service.lineup.tiers[0].failed(NotExecuted("restarted"))
        await until(lambda: one.service.lineup.tiers[0].serves)

        assert texts(neon) == list(REGISTER)
        assert rows_on(neon) == await one.rows()


async def test_an_event_that_may_still_be_taken_back_goes_to_no_other_tier() -> None:
    """While the first tier has not said yes, no other tier is given the turn."""
    neon, supabase = MemoryTier("neon"), MemoryTier("supabase")
    async with worker(neon, supabase) as one:
        gate, append = asyncio.Event(), neon.append

        async def held(*given: object) -> object:
            await gate.wait()
            return await append(*given)  # type: ignore[arg-type]

        neon.append = held  # type: ignore[method-assign, assignment]
        turn = asyncio.create_task(one.turns.take(inbound(1, "/addmachine")))
        await until(lambda: bool(one.service.keepers))
        one.service.wake()
        await asyncio.sleep(0.15)
        before = list(supabase.events)
        gate.set()
        await turn
        await until(lambda: len(supabase.events) == 1)

    assert before == []


async def test_an_event_that_is_taken_back_while_a_keeper_reads_goes_to_no_tier() -> None:
    """A keeper that read a turn from the journal before it was taken back gives the tier only what counts."""
    neon, supabase = MemoryTier("neon"), MemoryTier("supabase")
    async with two_workers(neon, supabase) as (one, other):
        await one.hear(1, "/addmachine")
        await other.hear(2, "Press 4")
        await until(lambda: len(supabase.events) == 2)
        seen, overtaken, done = asyncio.Event(), asyncio.Event(), asyncio.Event()
        tail, append = one.journal.tail, neon.append

        async def read(after: Cursor, at_most: int) -> Tail:
            found = await tail(after, at_most)
            if any(said_in(codec().event(record)) == "ACME" for _, record in found.events):
                seen.set()
                await done.wait()
            return found

        async def refuse(*given: object) -> object:
            if not overtaken.is_set():
                overtaken.set()
                one.service.wake()
                await seen.wait()
            return await append(*given)  # type: ignore[arg-type]

        one.journal.tail = read  # type: ignore[method-assign]
        neon.append = refuse  # type: ignore[method-assign, assignment]
        await one.turns.take(inbound(3, "ACME"))
        done.set()
        await until(lambda: len(supabase.events) >= 3)
        await until(lambda: len(neon.deliveries) == len(supabase.deliveries) == 3)

        assert texts(supabase) == ["/addmachine", "Press 4", "ACME"]
        assert supabase.events == neon.events
        assert await one.problems() == []


async def test_nothing_expires_while_no_tier_can_be_had() -> None:
    """Where there are tiers, an expiry is never written to the journal alone: the late answer is simply the answer."""
    neon = MemoryTier("neon")
    async with worker(neon) as one:
        await one.hear(1, "/addmachine")
        neon.down = True
        await one.turns.take(_a_month_later(inbound(2, "Press 4")))
        kinds = [event.kind for event in await one.log.history(thread())]

    assert kinds == [Kind.STARTED, Kind.ANSWERED]


async def test_an_expiry_stands_on_a_tier() -> None:
    """With a tier in reach, what was left alone too long ends, on the tier as in the journal."""
    neon = MemoryTier("neon")
    async with worker(neon) as one:
        await one.hear(1, "/addmachine")
        await one.turns.take(_a_month_later(inbound(2, "Press 4")))
        kinds = [event.kind for event in await one.log.history(thread())]

        assert kinds[1] == Kind.EXPIRED
        assert kinds == [record.kind for record in neon.events.values()]


def _a_month_later(given: Inbound) -> Inbound:
    return replace(given, occurred_at=given.occurred_at + 30 * 86_400 * 1_000_000)


async def test_a_tier_under_another_key_is_refused() -> None:
    """A worker with another master key than the tier's words were written with does not start, and writes nothing."""
    neon = MemoryTier("neon")
    neon.key = "aabb"

    with pytest.raises(KeyMissing):
        async with worker(neon):
            raise AssertionError
    assert neon.events == {}


async def test_what_may_be_taken_back_is_given_to_no_tier() -> None:
    """Replies owed to a thread restore its promise beside a turn of it: the turn's own event is left to its append."""
    neon = MemoryTier("neon")
    async with worker(neon) as one:
        await one.hear(1, "/addmachine")
        neon.down = True
        await one.hear(2, "Press 4")
        last = one.journal_events()[-1]
        flights = one.service._flights  # noqa: SLF001 - an append that lasts
        flights.begin(last.event_id, last.thread_id)
        heal(neon)
        await until(lambda: one.service.lineup.tiers[0].serves)
        during = await one.log.secure(thread()), texts(neon)
        flights.end(last.event_id, last.thread_id)
        after = await one.log.secure(thread()), texts(neon)

    assert during == (True, ["/addmachine"])
    assert after == (True, ["/addmachine", "Press 4"])

"""What time brings: each timer fires once, on any number of workers, and never when its person went on."""

import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace

from holdfast.domain.errors import Conflict, NoTier
from holdfast.domain.flow import Flow, Flows
from holdfast.domain.ids import ThreadId
from holdfast.domain.inbound import Inbound
from holdfast.domain.kinds import Kind
from holdfast.domain.ports import Due, Turn
from holdfast.domain.wording import WORDING, say
from holdfast.engine.sweeper import Sweeper
from holdfast.infrastructure.log.memory import MemoryJournal
from tests.conformance.clocks import NOON
from tests.conformance.scribe import ADA, BEN, inbound, thread
from tests.engine.fakes import House, fails, house

SECOND, HOUR = 1_000_000, 3600 * 1_000_000
EVENING = NOON + 12 * HOUR
"""When a person is reminded of what they began at NOON, which is eight in the morning."""
END = NOON + 24 * HOUR
ONCE = [Kind.STARTED, Kind.REMINDED, Kind.EXPIRED]


def sweeper_of(engine: House, page: int = 100) -> Sweeper:
    """Make the sweeper of an engine whose bot is always there."""
    engine.presence.patience = 1 << 60
    engine.presence.here(engine.clock.now())
    return Sweeper(
        engine.flows, engine.log, engine.turns, engine.presence, clock=engine.clock, thread_of=thread, page=page
    )


async def sweep_at(engine: House, at: int, sweeper: Sweeper | None = None) -> int:
    """Let a sweeper look at a moment, a new one as after a restart if none is given, and let what it owes be sent."""
    engine.clock.time = at
    happened = await (sweeper or sweeper_of(engine)).sweep()
    await engine.sender.settle()
    return happened


def written(update: int, text: str, at: int) -> Inbound:
    """An input written at a moment, and read whenever it is."""
    return replace(inbound(update, text), occurred_at=at)


async def some_time() -> None:
    """Let what runs beside go on for a while; the clock is turned by whoever sleeps."""
    for _ in range(1000):
        await asyncio.sleep(0)


async def test_a_person_is_reminded_once_and_told_at_the_end_once() -> None:
    """Whoever looks as often as they like finds a reminder due at its moment, and the end at the deadline."""
    async with house() as engine:
        await engine.say("/addmachine")
        for at in (NOON + HOUR, EVENING - SECOND, EVENING + 10 * SECOND, EVENING + HOUR, END, END + 10 * SECOND):
            for _ in range(2):
                await sweep_at(engine, at)
        await sweep_at(engine, END + 100 * HOUR)

        assert await engine.kinds() == ONCE
        _, reminder, end = engine.messages.texts()
        assert reminder.startswith(say("reminded"))
        assert end.startswith(say("expired", title=WORDING["add_machine.title"]))
        assert await engine.debts() == []


async def test_nothing_fires_before_telegrams_queue_was_read() -> None:
    """What somebody wrote while the bot was away may still come: until all of it was read, no time runs."""
    async with house() as engine:
        await engine.say("/addmachine")
        sweeper = Sweeper(engine.flows, engine.log, engine.turns, engine.presence, clock=engine.clock, thread_of=thread)
        before = await sweep_at(engine, END + HOUR, sweeper)
        engine.presence.here(engine.clock.now())

        assert before == 0
        assert await sweep_at(engine, END + HOUR, sweeper) == 1


async def test_late_ones_fire_after_a_restart_each_once() -> None:
    """What came due while nobody looked is found in the log by the next process; the missed reminder is not made up."""
    journal = MemoryJournal()
    async with house(journal) as before:
        await before.say("/addmachine")
        await before.say("/survey", person=BEN)
    async with house(journal, seed=2) as after:
        assert await sweep_at(after, END + 2 * HOUR) == 2
        assert await sweep_at(after, END + 3 * HOUR) == 0
        assert await after.kinds() == await after.kinds(BEN) == [Kind.STARTED, Kind.EXPIRED]


async def test_of_many_workers_one_fires() -> None:
    """Three that look at one moment leave one reminder and one end in the log, and one message of each."""
    journal = MemoryJournal()
    async with house(journal) as a, house(journal, seed=2) as b, house(journal, seed=3) as c:
        await a.say("/addmachine")
        for at in (EVENING + 10 * SECOND, END + 10 * SECOND):
            happened = await asyncio.gather(*(sweep_at(one, at) for one in (a, b, c)))
            assert sum(happened) == 1

        assert await a.kinds() == ONCE
        assert len([*a.messages.shown, *b.messages.shown, *c.messages.shown]) == 3


async def test_who_went_on_elsewhere_is_left_alone() -> None:
    """A worker whose knowledge is old finds by the log's refusal that its person has answered."""
    journal = MemoryJournal()
    async with house(journal) as one, house(journal, seed=2) as other:
        await one.say("/addmachine")
        sweeper = sweeper_of(one)
        one.clock.time = END + 10 * SECOND
        await other.hear(written(2, "Press 4", END - HOUR))
        stale = [Due(END, ADA, ADA, "add_machine")]

        async def still_there(until: int, after: Due | None, at_most: int) -> list[Due]:
            return [stale.pop()] if stale else []

        one.log.due = still_there  # type: ignore[method-assign]

        assert await sweeper.sweep() == 0
        assert await other.kinds() == [Kind.STARTED, Kind.ANSWERED]


async def test_an_answer_under_way_at_the_deadline_comes_first() -> None:
    """Person and clock meet in the thread's lane; whoever is second finds what the first did."""
    async with house() as engine:
        await engine.say("/addmachine")
        engine.clock.time = END + 10 * SECOND
        await asyncio.gather(engine.turns.take(written(2, "Press 4", END - SECOND)), sweeper_of(engine).sweep())

        assert await engine.kinds() == [Kind.STARTED, Kind.ANSWERED]


async def test_an_answer_in_time_that_is_read_after_the_end_goes_on() -> None:
    """The end was told already; the answer is filed all the same, here and for whoever reads the log."""
    journal = MemoryJournal()
    async with house(journal) as engine:
        await engine.say("/addmachine")
        await sweep_at(engine, END + 10 * SECOND)
        await engine.hear(written(2, "Press 4", END))
        [row] = await journal.rows("conversation_states")

        assert await engine.kinds() == [Kind.STARTED, Kind.EXPIRED, Kind.ANSWERED]
        assert engine.messages.texts()[-1].startswith(say("answered", title="Nickname", value="Press 4"))
        assert row.values is not None
        assert row.values[0] == "manufacturer"
    async with house(journal, seed=2) as after:
        await after.hear(written(3, "ACME", END + HOUR))
        assert await after.kinds() == [Kind.STARTED, Kind.EXPIRED, Kind.ANSWERED, Kind.ANSWERED]


async def test_an_answer_after_the_deadline_is_offered_to_be_taken_up() -> None:
    """One second later it is too late, whoever reads it first."""
    async with house() as engine:
        await engine.say("/addmachine")
        await sweep_at(engine, END + 10 * SECOND)
        await engine.hear(written(2, "Press 4", END + SECOND))

        assert await engine.kinds() == [Kind.STARTED, Kind.EXPIRED, Kind.NOTED]
        assert engine.messages.texts()[-1].startswith(WORDING["noted.lapsed"])


async def test_a_conflict_is_looked_at_again() -> None:
    """Where another writer was first, the timer is decided anew on what that one left."""
    async with house() as engine:
        await engine.say("/addmachine")
        engine.log.before_append = fails(Conflict())

        assert await sweep_at(engine, END + 10 * SECOND) == 1
        assert await engine.kinds() == [Kind.STARTED, Kind.EXPIRED]


async def test_without_a_tier_timers_wait_and_then_fire() -> None:
    """Where no tier can be had nothing ends; the sweeper goes on by itself once one can."""
    async with house() as engine:
        await engine.say("/addmachine")
        sweeper = sweeper_of(engine)
        engine.log.before_append = fails(NoTier(), NoTier(), NoTier())
        engine.clock.time = END + 10 * SECOND
        running = asyncio.create_task(sweeper.run())
        await some_time()
        running.cancel()

        assert await engine.kinds() == [Kind.STARTED, Kind.EXPIRED]
        assert engine.clock.slept[:3] == [1.0, 2.0, 4.0]


async def test_what_another_worker_wrote_last_is_left_to_it_for_a_while() -> None:
    """Whoever spoke with the person does it; should that one be gone, another follows ten seconds later."""
    async with house() as engine:
        await engine.say("/addmachine")

        async def not_here(thread_id: ThreadId) -> bool:
            return False

        engine.log.wrote_last = not_here  # type: ignore[method-assign]
        sweeper = sweeper_of(engine)
        looks = [await sweep_at(engine, END + seconds * SECOND, sweeper) for seconds in (6, 10, 15, 17)]

        assert looks == [0, 0, 0, 1]


async def test_many_at_once_are_read_page_by_page() -> None:
    """However many are due, a page of them is held, and each fires once."""
    people = range(1000, 1050)
    async with house() as engine:
        for person in people:
            await engine.say("/survey", person=person)
        pages: list[int] = []
        due = engine.event_log.due

        async def counted(until: int, after: Due | None, at_most: int) -> list[Due]:
            page = await due(until, after, at_most)
            pages.append(len(page))
            return page

        engine.log.due = counted  # type: ignore[method-assign]
        assert await sweep_at(engine, END + HOUR, sweeper_of(engine, page=7)) == len(people)
        assert max(pages) == 7
        assert all([await engine.kinds(person) == [Kind.STARTED, Kind.EXPIRED] for person in people])


async def test_one_thread_that_fails_holds_up_no_other() -> None:
    """A defect in one person's turn is logged, the others' timers fire, and that one is looked at again later."""

    def broken(turn: Turn) -> None:
        if turn.thread_id == thread(ADA) and failing:
            raise RuntimeError("broken")

    failing = True
    async with house() as engine:
        await engine.say("/addmachine")
        await engine.say("/survey", person=BEN)
        engine.log.before_append = broken
        sweeper = sweeper_of(engine)
        await sweep_at(engine, END + HOUR, sweeper)
        failing = False

        assert (await engine.kinds(), await engine.kinds(BEN)) == ([Kind.STARTED], [Kind.STARTED, Kind.EXPIRED])
        assert await sweep_at(engine, END + 2 * HOUR, sweeper) == 1


async def test_when_telegram_is_lost_in_the_middle_the_rest_waits() -> None:
    """Time stops running for those that were not reached yet, and none of them is forgotten."""
    people = range(1000, 1040)
    async with house() as engine:
        for person in people:
            await engine.say("/survey", person=person)
        sweeper = sweeper_of(engine)
        engine.clock.time = END + HOUR
        lost = iter([*[True] * 20, *[False] * 1000])
        here = engine.presence.is_here
        engine.presence.is_here = lambda now: next(lost)  # type: ignore[method-assign]
        first = await sweeper.sweep()
        engine.presence.is_here = here  # type: ignore[method-assign]

        assert 0 < first < len(people)
        assert first + await sweeper.sweep() == len(people)


async def test_a_zone_that_was_named_long_ago_counts_after_a_restart() -> None:
    """The next process knows from the log where a person is, though it reads but the open conversation."""
    journal = MemoryJournal()
    async with house(journal) as before:
        await before.say("/timezone Asia/Tokyo", "hello", "/addmachine")
    async with house(journal, seed=2) as after:
        await sweep_at(after, EVENING + HOUR)
        assert Kind.REMINDED not in await after.kinds()
        # Four hours before the end it is 13 o'clock there.
        await sweep_at(after, END - 4 * HOUR + 10 * SECOND)
        assert (await after.kinds())[-1] == Kind.REMINDED
        assert (await after.history())[-1].facts.rule == ""


async def test_an_idle_sweeper_hardly_looks() -> None:
    """With nothing due it reads the log six times an hour, and wakes at most twice a minute."""
    async with house() as engine:
        await engine.say("/addmachine")
        looks: list[int] = []

        async def nothing(until: int, after: Due | None, at_most: int) -> list[Due]:
            looks.append(until)
            return []

        engine.log.due = nothing  # type: ignore[method-assign]
        running = asyncio.create_task(sweeper_of(engine).run())
        await some_time()
        running.cancel()
        hours = (engine.clock.time - NOON) / HOUR

        assert hours > 1
        assert len(looks) <= 6 * hours + 1
        assert len(engine.clock.slept) <= 120 * hours + 1


@pytest.mark.parametrize(("seconds", "ends"), [(4.9, False), (5.1, True)])
async def test_what_was_written_at_the_last_moment_has_time_to_arrive(seconds: float, *, ends: bool) -> None:
    """For five seconds after its moment nothing fires, since an input may be under way."""
    async with house() as engine:
        await engine.say("/addmachine")
        [start] = await engine.history()
        await sweep_at(engine, EVENING + HOUR)
        await sweep_at(engine, start.occurred_at + 24 * HOUR + round(seconds * SECOND))

        assert (Kind.EXPIRED in await engine.kinds()) is ends


@pytest.mark.parametrize(
    ("ttl", "ahead"), [(timedelta(days=1), 600), (timedelta(minutes=1), 15), (timedelta(milliseconds=1), 1)]
)
async def test_it_looks_more_often_where_a_flow_is_short(ttl: timedelta, ahead: int) -> None:
    """A time to live of a minute is looked for four times in it, so that nothing comes much too late."""
    async with house(flows=Flows([Flow(name="brief", title="Brief", steps=(), ttl=ttl)])) as engine:
        asked_until: list[int] = []

        async def asked(until: int, after: Due | None, at_most: int) -> list[Due]:
            asked_until.append(until)
            return []

        engine.log.due = asked  # type: ignore[method-assign]
        await sweeper_of(engine).sweep()

        assert asked_until == [engine.clock.now() + ahead * SECOND]

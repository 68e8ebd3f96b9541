"""After an outage; the journal is in memory, and time is turned by hand."""

import asyncio
import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from msgspec.structs import replace

from holdfast.domain.errors import LogUnavailable
from holdfast.domain.inbound import Inbound
from holdfast.domain.kinds import Kind
from holdfast.domain.wording import WORDING
from holdfast.engine.absences import Absences
from holdfast.engine.heartbeat import Heartbeat
from holdfast.engine.presence import PRESENCE, presence_from
from holdfast.engine.recovery import Recovery
from holdfast.engine.turns import Turns
from holdfast.infrastructure.log.memory import MemoryJournal
from holdfast.projections.fold import fold_of
from tests.conformance.clocks import NOON
from tests.conformance.scribe import ADA, BEN, inbound, thread
from tests.engine.fakes import FLOWS, House, fails, few_steps, house, said_as

SECOND = 1_000_000
HOUR = 3600
DAY = 24 * HOUR


def at(engine: House, update: int, text: str, person: int = ADA, *, seconds_ago: float = 0) -> Inbound:
    """A text as it comes now, or was written some time ago."""
    now = engine.clock.now()
    return replace(inbound(update, text, person=person), occurred_at=now - round(seconds_ago * SECOND), received_at=now)


async def says(engine: House, *texts: str, person: int = ADA, seconds_ago: float = 0) -> None:
    """Somebody writes, and is answered."""
    known = len(await engine.history(person))
    for update, text in enumerate(texts, start=known + 1):
        await engine.hear(at(engine, update, text, person, seconds_ago=seconds_ago))


def absences_of(engine: House) -> Absences:
    return Absences(FLOWS, engine.log, engine.turns, engine.presence, clock=engine.clock, thread_of=thread)


def away(engine: House, seconds: float) -> None:
    """The bot was there until now; then it is not, for so long."""
    engine.presence.here(engine.clock.now())
    engine.clock.turn(seconds)


async def back(engine: House) -> int:
    """The bot has read all that Telegram held; give how many were told something."""
    engine.presence.here(engine.clock.now())
    told = await absences_of(engine).resume()
    await engine.sender.settle()
    return told


async def facts_of(engine: House, kind: Kind, person: int = ADA) -> list[tuple[str, int, int]]:
    return [
        (event.facts.rule, event.facts.since, event.facts.away)
        for event in await engine.history(person)
        if event.kind == kind
    ]


async def test_after_an_outage_the_open_question_is_asked_again_with_fresh_buttons() -> None:
    """The person reads why, and the question as it stood, with buttons that work; others read nothing."""
    async with house() as engine:
        await says(engine, "/addmachine", "Press 4")
        await says(engine, "hello", person=BEN)
        asked = engine.messages.shown[-2][1]
        since = engine.clock.now()
        away(engine, 200)

        assert await back(engine) == 1
        again = engine.messages.shown[-1][1]
        assert engine.messages.texts()[-1].startswith(WORDING["repeated"])
        assert asked.text.endswith(again.text.removeprefix(f"{WORDING['repeated']}\n\n"))
        assert again.keyboard == asked.keyboard
        assert await facts_of(engine, Kind.REPEATED) == [("", since, 200 * SECOND)]
        assert len(engine.messages.texts(BEN)) == 1
        await engine.hear(said_as(at(engine, 9, again.keyboard[0][0].data), type="tap", callback_id="c"))
        assert (await engine.kinds())[-1] == Kind.SKIPPED


async def test_a_short_pause_asks_nothing_again() -> None:
    """Within 150 seconds Telegram delivers every tap again, so nobody is bothered."""
    async with house() as engine:
        await says(engine, "/addmachine")
        away(engine, 150)

        assert await back(engine) == 0
        assert Kind.REPEATED not in await engine.kinds()


async def test_who_answered_in_the_outage_is_not_asked_again() -> None:
    """An answer that waited with Telegram is taken in first, and its reply has fresh buttons already."""
    async with house() as engine:
        await says(engine, "/addmachine")
        away(engine, 200)
        await says(engine, "Press 4", seconds_ago=100)

        assert await back(engine) == 0
        assert await engine.kinds() == [Kind.STARTED, Kind.ANSWERED]


@pytest.mark.parametrize("times", [2, 3])
async def test_resuming_again_asks_nobody_again(times: int) -> None:
    """However often it is taken up, each question is asked once for one outage, also when its end was forgotten."""
    async with house() as engine:
        await says(engine, "/addmachine")
        away(engine, 200)
        engine.presence.here(engine.clock.now())
        [absence] = engine.presence.absences
        for _ in range(times):
            engine.presence.absences = (absence,)
            await absences_of(engine).resume()
        await engine.sender.settle()

        assert (await engine.kinds()).count(Kind.REPEATED) == 1
        assert len(engine.messages.texts()) == 2


async def test_two_workers_ask_once() -> None:
    """Two that know of one outage and share what was said make one event of it, whoever is faster."""
    journal = MemoryJournal()
    async with house(journal) as one, house(journal, seed=2) as other:
        await says(one, "/addmachine")
        other.presence.here(one.clock.now())
        away(one, 200)
        other.clock.turn(200)
        await asyncio.gather(back(one), back(other))

        assert (await one.kinds()).count(Kind.REPEATED) == 1
        assert len(one.messages.texts()) + len(other.messages.texts()) == 2


async def test_what_waits_below_another_question_is_not_asked_but_its_time_counts() -> None:
    """Of two open conversations the one whose question stands is asked again; both deadlines move by the outage."""
    journal = MemoryJournal()
    async with house(journal) as engine:
        await says(engine, "/addmachine", "/survey")
        before = {row.key[2]: (row.values or ())[4] for row in await journal.rows("conversation_states")}
        since = engine.clock.now()
        away(engine, 200)
        await back(engine)

        assert sorted(await facts_of(engine, Kind.REPEATED)) == [
            ("", since, 200 * SECOND),
            ("unasked", since, 200 * SECOND),
        ]
        assert "How are you?" in engine.messages.texts()[-1]
        after = {row.key[2]: (row.values or ())[4] for row in await journal.rows("conversation_states")}
        assert after == {flow: until + 200 * SECOND for flow, until in before.items()}
        assert await engine.debts() == []


async def test_a_conversation_that_had_run_out_before_is_not_asked_again() -> None:
    """What expired before the outage began stays so, though nobody had found out yet."""
    async with house() as engine:
        await says(engine, "/addmachine")
        engine.clock.turn(DAY + 1)
        away(engine, 200)

        assert await back(engine) == 0
        assert Kind.REPEATED not in await engine.kinds()


async def test_a_deadline_that_passed_in_the_outage_moves_by_it() -> None:
    """A conversation with an hour left, and a bot away for two: afterwards its person has that hour."""
    async with house() as engine:
        await says(engine, "/addmachine")
        engine.clock.turn(DAY - HOUR)
        away(engine, 2 * HOUR)
        await back(engine)
        engine.clock.turn(HOUR - 1)
        await says(engine, "Press 4")

        assert await engine.kinds() == [Kind.STARTED, Kind.REPEATED, Kind.ANSWERED]


async def test_who_wrote_in_the_outage_after_the_deadline_had_passed_in_it_is_heard() -> None:
    """The input is taken in before anybody is asked again: it answers, and the outage's time is counted once."""
    async with house() as engine:
        await says(engine, "/addmachine")
        engine.clock.turn(DAY - HOUR)
        since = engine.clock.now()
        away(engine, 3 * HOUR)
        await says(engine, "Press 4", seconds_ago=HOUR)
        told = await back(engine)

        assert await engine.kinds() == [Kind.STARTED, Kind.REPEATED, Kind.ANSWERED]
        assert await facts_of(engine, Kind.REPEATED) == [("unasked", since, 3 * HOUR * SECOND)]
        assert told == 0
        assert len(engine.messages.texts()) == 2
        assert await engine.debts() == []


async def test_after_a_gap_people_hear_that_something_may_be_missing() -> None:
    """Away for more than a day: who has a question open reads of the gap and the question, once, in one message."""
    async with house() as engine:
        await says(engine, "/addmachine")
        since = engine.clock.now()
        away(engine, 2 * DAY)

        assert await back(engine) == 1
        assert await facts_of(engine, Kind.MISSING) == [("", since, 2 * DAY * SECOND)]
        assert await facts_of(engine, Kind.REPEATED) == [("unasked", since, 2 * DAY * SECOND)]
        assert len(engine.messages.texts()) == 2
        text = engine.messages.texts()[-1]
        assert "I was away from 2027-01-15 08:00 UTC to 2027-01-17 08:00 UTC." in text
        assert WORDING["machine.nickname"] in text
        await says(engine, "Press 4")
        assert (await engine.kinds())[-1] == Kind.ANSWERED


async def test_a_gap_is_told_in_the_persons_own_time() -> None:
    """Who has named a time zone reads the moments as its clocks showed them."""
    async with house() as engine:
        await says(engine, "/timezone Europe/Berlin")
        away(engine, 2 * DAY)
        await back(engine)

        assert "from 2027-01-15 09:00 CET to 2027-01-17 09:00 CET." in engine.messages.texts()[-1]


async def test_after_a_gap_who_spoke_lately_hears_of_it_and_who_did_not_does_not() -> None:
    """Within seven days before the gap, also with nothing open; not earlier; no group; nobody who is kept out."""
    old, group, barred = 31, 32, 33
    async with house() as engine:
        await says(engine, "hello", person=old)
        engine.clock.turn(7 * DAY + 1)
        await says(engine, "hello")
        await engine.hear(said_as(at(engine, 1, "hey", group), type="group"))
        await engine.hear(replace(at(engine, 1, "hey", barred), barred="not_allowed"))
        away(engine, DAY + 1)

        assert await back(engine) == 1
        assert (await engine.kinds())[-1] == Kind.MISSING
        for person in (old, group, barred):
            assert Kind.MISSING not in await engine.kinds(person)
        assert await engine.debts() == []


async def test_a_day_away_exactly_is_no_gap() -> None:
    """Telegram keeps what people write for a day: until then nothing can be missing."""
    async with house() as engine:
        await says(engine, "hello")
        away(engine, DAY)

        assert await back(engine) == 0
        assert Kind.MISSING not in await engine.kinds()


async def test_an_absence_survives_a_crash_until_everybody_was_told(tmp_path: object) -> None:
    """A process that dies in the middle leaves the rest to the next, which tells each of them once."""
    journal = MemoryJournal()
    async with house(journal) as before:
        for person in (ADA, BEN):
            await says(before, "/addmachine", person=person)
        away(before, 200)
        before.log.before_append = fails(LogUnavailable("full"))
        before.presence.here(before.clock.now())
        with pytest.raises(LogUnavailable):
            await absences_of(before).resume()
        await before.sender.settle()
        told = len(before.messages.shown) - 2
        remembered = before.log.facts[PRESENCE]
    async with house(journal, seed=2) as after:
        after.clock.turn(300)
        after.presence = presence_from(remembered)
        assert await absences_of(after).resume() == 1
        await after.sender.settle()

        assert (told, len(after.messages.shown)) == (1, 1)
        assert [(await after.kinds(person)).count(Kind.REPEATED) for person in (ADA, BEN)] == [1, 1]
        assert presence_from(after.log.facts[PRESENCE]).absences == ()


async def test_of_many_people_each_is_asked_once_page_by_page() -> None:
    """More people than one page holds are all asked, and none twice."""
    people = range(1000, 1150)
    async with house() as engine:
        for person in people:
            await says(engine, "/addmachine", person=person)
        away(engine, 200)

        assert await back(engine) == len(people)
        assert {len(engine.messages.texts(person)) for person in people} == {2}


async def test_another_workers_presence_makes_an_outage_short_or_none() -> None:
    """With several workers of which one was there, the bot was not away."""
    async with house() as engine:
        await says(engine, "/addmachine")
        away(engine, 400)
        elsewhere = engine.clock.now() - 100 * SECOND

        async def seen(at: int) -> int:
            return elsewhere

        engine.log.seen = seen  # type: ignore[method-assign]
        assert await back(engine) == 0
        assert engine.presence.is_here(engine.clock.now())
        assert await engine.kinds() == [Kind.STARTED]


async def test_the_heartbeat_writes_down_what_is_new_and_nothing_else() -> None:
    """A beat is one write, to the journal and the tiers; without news there is none."""
    async with house() as engine:
        told: list[int] = []

        async def seen(at: int) -> int:
            told.append(at)
            return 0

        engine.log.seen = seen  # type: ignore[method-assign]
        heart = Heartbeat(engine.presence, engine.log, absences_of(engine), Recovery(engine.clock))
        await heart.beat()
        assert engine.log.facts == {}
        engine.presence.here(NOON)
        await heart.beat()
        await heart.beat()

        assert told == [NOON]
        assert presence_from(engine.log.facts[PRESENCE]).last == NOON


async def test_the_heartbeat_has_people_told_when_the_bot_is_back() -> None:
    """What polling says to `presence` is enough: whoever waited is asked again, then the tiers hear of the bot."""
    async with house() as engine:
        await says(engine, "/addmachine")
        away(engine, 200)
        heart = Heartbeat(engine.presence, engine.log, absences_of(engine), Recovery(engine.clock))
        beating = asyncio.create_task(heart.run())
        engine.presence.here(engine.clock.now())
        while not engine.presence.is_here(engine.clock.now()):
            await few_steps(1)
        await engine.sender.settle()
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)

        assert (await engine.kinds()).count(Kind.REPEATED) == 1


async def test_a_full_disk_makes_the_heartbeat_wait(caplog: pytest.LogCaptureFixture) -> None:
    """What can't be written down is said to the operator, and written at the next beat."""
    async with house() as engine:
        heart = Heartbeat(engine.presence, engine.log, absences_of(engine), Recovery(engine.clock))
        engine.presence.here(NOON)
        remember, failing = engine.log.remember, fails(LogUnavailable("full"))

        async def full(name: str, value: str) -> None:
            failing(None)
            await remember(name, value)

        engine.log.remember = full  # type: ignore[method-assign]
        with caplog.at_level(logging.WARNING):
            await heart.beat()
        assert "full" in caplog.text
        await heart.beat()
        assert presence_from(engine.log.facts[PRESENCE]).last == NOON


STEPS = some.lists(
    some.sampled_from(["ada speaks", "ben speaks", "away", "back", "again", "crash"]), min_size=3, max_size=14
)


async def _live(steps: list[str]) -> tuple[list[str], int]:
    """Go through the steps, with crashes between; give all events' keys, and how many were told once too often."""
    journal = MemoryJournal()
    remembered, too_often = "", 0
    keys: list[str] = []
    for life, chapter in enumerate(" ".join(steps).replace(" speaks", "").split("crash"), start=1):
        async with house(journal, seed=life) as engine:
            engine.clock.turn(life * HOUR)
            engine.presence = presence_from(remembered, NOON)
            engine.turns = Turns(FLOWS, fold_of(FLOWS), engine.log, engine.sender, engine.presence)
            engine.presence.here(engine.clock.now())
            for step in chapter.split():
                await _step(engine, step)
            await absences_of(engine).remember()
            remembered = engine.log.facts[PRESENCE]
            engine.presence.here(engine.clock.now())
            await absences_of(engine).resume()
            too_often += await absences_of(engine).resume()
            keys = [f"{person} {event.dedup_key}" for person in (ADA, BEN) for event in await engine.history(person)]
    return keys, too_often


async def _step(engine: House, step: str) -> None:
    if step == "away":
        away(engine, 300)
    elif step == "back":
        await back(engine)
    elif step == "again":
        await absences_of(engine).resume()
    else:
        person = ADA if step == "ada" else BEN
        await says(engine, "Press 4" if await engine.history(person) else "/addmachine", person=person)


@settings(max_examples=40, deadline=None)
@given(STEPS)
def test_whatever_happens_nothing_is_asked_twice(steps: list[str]) -> None:
    """Outages, crashes and several calls in any order: each question is asked once for each outage, and no more."""
    keys, too_often = asyncio.run(_live(steps))

    assert too_often == 0
    assert len(keys) == len(set(keys))

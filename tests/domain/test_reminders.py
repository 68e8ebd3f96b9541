"""One reminder in each silence, at an hour at which people may be spoken to; then the end, told by the clock."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from holdfast.domain.flow import Flow, Flows, Step
from holdfast.domain.ids import as_text
from holdfast.domain.kinds import Kind
from holdfast.domain.machine_flows import MACHINE_FLOWS
from holdfast.domain.timers import deadline, due, next_due, reminder
from holdfast.domain.wording import say
from holdfast.domain.zones import COMMON, is_polite
from tests.domain.given import (
    FLOWS,
    HOUR,
    NOON,
    SECOND,
    Given,
    Worker,
    a_machine,
    begins_removal,
    conversation,
    given,
    later,
    says,
    sends,
    taps,
    up_to,
)

EIGHT = 12.0
"""Hours from the first input, at eight in the morning UTC, to eight in the evening."""
OFFER = "Take it up again"


def lasting(hours: float) -> Flows:
    step = Step(name="word", prompt="Which word?")
    return Flows([Flow(name="brief", command="brief", title="Brief", steps=(step,), ttl=timedelta(hours=hours))])


def hours_to(moment: int | None) -> float | None:
    return None if moment is None else (moment - NOON) / SECOND / HOUR


def reminded_at(flows: Flows, zone: str = "") -> float | None:
    """Tell how many hours after eight o'clock UTC a person is reminded of what they then began."""
    worker = Worker(flows).hears(*([says(f"/timezone {zone}")] if zone else []), says("/brief"))
    [standing] = worker.state.open
    hours = hours_to(reminder(flows, worker.state, standing))
    return None if hours is None else round(hours, 2)


@pytest.mark.parametrize(
    ("hours", "zone", "reminded"),
    [
        (24, "", 12.0),  # 04:00 is night, 09:00 too late: the evening before
        (24, "Asia/Tokyo", 20.0),  # 13:00 there
        (24, "Europe/Berlin", 11.0),  # 05:00 there: the evening before, eight o'clock there
        (24, "America/New_York", 6.0 + 11.0),  # 23:00 there: at eight in the evening
        (30, "", 26.0),  # 10:00
        (29, "", 25.0),  # 09:00 sharp
        (28, "", 25.0),  # 08:00: an hour later leaves more than half of the four hours
        (26, "", 12.0),  # 06:00: the morning would leave less
        (3, "", 2.4),  # a fifth of the time before the end
        (2, "", 1.6),
        (1.9, "", None),  # not worth a word
        (3, "Asia/Tokyo", 2.4),  # 19:24 there
        (3, "Australia/Sydney", 1.0),  # 21:24 there: at eight
        (2, "Australia/Sydney", 1.0),  # 20:36 there: at eight
        (2, "Asia/Kolkata", 1.6),
        (3, "Pacific/Auckland", None),  # begun at nine in the evening there
    ],
)
def test_the_moment_of_a_reminder(hours: float, zone: str, reminded: float | None) -> None:
    """It comes a fifth of the time before the end, at most four hours, and never in anybody's night."""
    assert reminded_at(lasting(hours), zone) == reminded


def test_nobody_is_reminded_right_after_they_were_heard() -> None:
    """Where the only fitting moment comes before a quarter of the time has passed, there is none."""
    flows = lasting(14)
    worker = Worker(flows).hears(later(10, says("/brief")))

    [standing] = worker.state.open
    assert reminder(flows, worker.state, standing) is None
    assert next_due(flows, worker.state, standing) == deadline(flows, standing)


@examples(
    hours=st.floats(0.1, 24 * 60), begun=st.floats(0, 24 * 365), zone=st.sampled_from(COMMON), late=st.floats(0, 30)
)
def test_a_reminder_comes_at_a_polite_hour_between_the_last_input_and_the_end(
    hours: float, begun: float, zone: str, late: float
) -> None:
    """Whatever the time to live, the hour and the zone; and a clock that looks too late tells nobody at night."""
    flows = lasting(hours)
    worker = Worker(flows).hears(later(begun, says(f"/timezone {zone}")), says("/brief"))
    [standing] = worker.state.open
    at = reminder(flows, worker.state, standing)
    if at is not None:
        assert standing.updated_at + flows.shortest // 4 <= at < deadline(flows, standing)
        assert is_polite(at, zone)
        looks = at + round(late * HOUR) * SECOND
        timer = due(flows, worker.state, looks)
        assert timer is not None
        assert timer.kind == (Kind.EXPIRED if looks > deadline(flows, standing) else Kind.REMINDED)
        assert timer.kind == Kind.EXPIRED or (timer.rule == "night") is not is_polite(looks, zone)


def test_a_reminder_asks_the_question_again_and_moves_no_deadline() -> None:
    """The person reads a sentence and the question with its buttons; they have no more time than before."""
    story = given(*up_to("location"))
    [before] = story.worker.state.open
    story.worker.ticks(EIGHT)

    [after] = story.worker.state.open
    assert deadline(FLOWS, after) == deadline(FLOWS, before)
    story.then(Kind.REMINDED, rule="", step="location", next_step="location", cause="timer", basis=after.accepted)
    assert say("reminded") in story.text
    assert "Where does it stand?" in story.text
    assert "Skip" in story.labels


def test_a_reminder_comes_once_in_a_silence() -> None:
    """What was reminded of is left alone until it ends, also by an input that does not move it on."""
    worker = Worker().hears(*up_to("location"))
    worker.ticks(EIGHT)
    assert worker.ticks(EIGHT + 0.1) is None
    worker.hears(later(12.5, sends("sticker")))
    assert worker.ticks(EIGHT + 20) is None
    assert [one.kind for one in worker.events].count(Kind.REMINDED) == 1


def test_after_an_answer_the_next_silence_has_its_own_reminder() -> None:
    """A person who went on is reminded again, and of the new question."""
    worker = Worker().hears(*up_to("location"))
    worker.ticks(EIGHT)
    worker.hears(later(13, says("Hall 3")))
    reminded = worker.ticks(13 + 20.1)

    assert reminded is not None
    assert (reminded.kind, reminded.facts.step) == (Kind.REMINDED, "notes")
    assert len({one.dedup_key for one in worker.events}) == len(worker.events)


def test_a_missed_reminder_is_not_made_up_for_at_night() -> None:
    """It is written down, so that it does not come up again, and nobody is told."""
    worker = Worker().hears(*up_to("location"))
    shown = len(worker.screens)
    missed = worker.ticks(EIGHT + 3)

    assert missed is not None
    assert (missed.kind, missed.facts.rule) == (Kind.REMINDED, "night")
    assert len(worker.screens) == shown
    assert worker.ticks(EIGHT + 4) is None


def test_only_what_stands_at_the_bottom_is_reminded_of() -> None:
    """A parked conversation's question is not the one to answer, so nobody is reminded of it."""
    worker = Worker().hears(*up_to("location"), says("/report"))
    reminded = worker.ticks(EIGHT + 0.1)

    assert reminded is not None
    assert reminded.facts.flow == "report_fault"
    assert worker.ticks(EIGHT + 0.2) is None


def test_nothing_is_due_while_somebody_is_there() -> None:
    """Before its moment no timer fires, whatever is open."""
    worker = Worker().hears(*up_to("location"))

    assert [worker.ticks(hours) for hours in (0.1, 5, EIGHT - 0.01)] == [None, None, None]


def test_an_end_by_the_clock_is_told_and_can_be_taken_up() -> None:
    """The person reads what was closed, and one tap brings all of it back."""
    story = given(*up_to("location"))
    story.worker.ticks(24.1)

    story.then(Kind.EXPIRED, cause="timer", step="location")
    assert say("expired", title="Register a machine") in story.text
    story.when(later(25, taps(OFFER)))
    assert story.step == "location"
    assert story.worker.values()["nickname"] == "Press 4"


def test_the_end_of_a_parked_conversation_leaves_the_open_question_standing() -> None:
    """The person is told which one was closed; what they are asked stays asked."""
    story = Given(Worker().hears(*up_to("location"), later(20, says("/report"))))
    story.worker.ticks(24.1)

    assert say("expired", title="Register a machine") in story.text
    assert "Where &lt;is&gt; it?" in story.text
    assert story.step == "place"


def test_what_is_taken_up_by_the_clock_has_all_its_time() -> None:
    """When the upper one of two ends, the lower one's question is asked again, and can be answered in peace."""
    worker = Worker(Flows([*MACHINE_FLOWS, *lasting(3)])).hears(*up_to("location"), later(20, says("/brief")))
    worker.ticks(23.1)

    [standing] = worker.state.open
    assert worker.current_step() == "location"
    assert hours_to(deadline(worker.flows, standing)) == 23.1 + 24
    assert worker.ticks(24.1) is None


def test_an_answer_after_the_clock_closed_the_upper_one_goes_to_the_lower_one() -> None:
    """The person was told, and asked the other question again: what they type then answers that one."""
    flows = Flows([*MACHINE_FLOWS, *lasting(3)])
    story = Given(Worker(flows).hears(*up_to("location"), later(1, says("/brief"))))
    story.worker.ticks(4.1)
    story.then(Kind.EXPIRED, flow="brief", resumes=as_text(conversation(1)))
    story.when(later(4, says("Hall 3")))

    story.then(Kind.ANSWERED, field="location", value="Hall 3")


def test_two_timers_of_one_thread_at_one_moment_both_fire_once() -> None:
    """What has run out ends, one after another, each told; then nothing is due."""
    worker = Worker().hears(*up_to("location"), says("/report"))
    kinds = []
    while event := worker.ticks(49):
        kinds.append((event.kind, event.facts.flow))
        assert len(kinds) < 5

    assert kinds == [(Kind.EXPIRED, "add_machine"), (Kind.EXPIRED, "report_fault")]
    assert worker.state.open == ()


def test_a_removal_that_nobody_confirms_ends_without_a_word_of_it() -> None:
    """A conversation without questions is reminded of like any other, and removes nothing."""
    story = given(*a_machine(), *begins_removal())
    reminded, ended = story.worker.ticks(EIGHT), story.worker.ticks(25)

    assert reminded is not None
    assert ended is not None
    assert (reminded.kind, ended.kind) == (Kind.REMINDED, Kind.EXPIRED)
    assert story.machine.nickname == "Press 4"


def test_a_reminder_that_sorts_before_an_answer_it_had_not_seen_changes_nothing() -> None:
    """Decided by a stale worker, it leaves the conversation, its deadline and the next reminder as they were."""
    fresh = Worker().hears(*up_to("location"))
    stale = fresh.copy("B")
    fresh.hears(says("Hall 3"))
    stale.ticks(EIGHT)
    fresh.learns(stale)

    [standing] = fresh.state.open
    assert fresh.current_step() == "notes"
    assert standing.reminded != standing.accepted
    assert hours_to(reminder(FLOWS, fresh.state, standing)) == EIGHT


def test_the_keys_of_timers_name_the_basis() -> None:
    """All workers that see the same name the same timer, and after another input there is another name."""
    worker = Worker().hears(*up_to("location"))
    same, other = worker.copy("B"), worker.copy("C").hears(says("Hall 3"))
    keys = [one.dedup_key for one in (worker.ticks(EIGHT), same.ticks(EIGHT), other.ticks(EIGHT)) if one]

    assert keys[0] == keys[1] != keys[2]
    assert all(first.split(":")[:1] == ["reminder"] for first, _ in pairwise(keys))
    assert worker.state.conversation(conversation(1)) is not None

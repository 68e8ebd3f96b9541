"""An outage does not eat the time a person has: deadlines that passed meanwhile move by it."""

from msgspec.structs import replace

from holdfast.domain.event import Draft, Event, Facts, Words
from holdfast.domain.kinds import Kind
from holdfast.domain.timers import deadline
from tests.domain.given import FLOWS, HOUR, SECOND, Worker, conversation, delayed, later, says, sends, up_to

AWAY = 3 * HOUR * SECOND


def repeats(worker: Worker, away: int, key: str = "repeated:1") -> Event:
    """Ask the open question again, after an outage of so many microseconds."""
    draft = Draft(kind=Kind.REPEATED, conversation_id=conversation(1), facts=Facts(away=away), words=Words())
    return worker.appends(draft, 0, key=key)


def ends_at(worker: Worker) -> int:
    [standing] = worker.state.open
    return deadline(FLOWS, standing)


def test_a_deadline_moves_by_the_outage_in_which_nobody_could_answer() -> None:
    """What was asked before three hours without the bot waits three hours longer; nobody is said to have spoken."""
    worker = Worker().hears(*up_to("location"))
    [before] = worker.state.open
    repeats(worker, AWAY)

    [after] = worker.state.open
    assert deadline(FLOWS, after) == deadline(FLOWS, before) + AWAY
    assert after.updated_at == before.updated_at
    assert worker.hears(later(26, says("Hall 3"))).events[-1].kind == Kind.ANSWERED


def test_an_answer_after_the_longer_wait_is_too_late() -> None:
    """The longer wait has an end too."""
    worker = Worker().hears(*up_to("location"))
    repeats(worker, AWAY)
    worker.hears(later(27.01, says("Hall 3")))

    assert [one.kind for one in worker.events[-2:]] == [Kind.EXPIRED, Kind.NOTED]


def test_two_outages_count_both_and_one_told_twice_counts_once() -> None:
    """Each outage has its own name; a second copy of one changes nothing."""
    worker = Worker().hears(*up_to("location"))
    before = ends_at(worker)
    first = repeats(worker, AWAY)
    repeats(worker, SECOND, key="repeated:2")
    twice = Worker().learns(worker)
    twice.events.append(replace(first, event_id=type(first.event_id)(b"another copy....")))

    assert ends_at(twice.learns()) == ends_at(worker) == before + AWAY + SECOND


def test_after_the_next_input_the_flows_own_time_counts_again() -> None:
    """Who goes on has the flow's time to live from then, and no outage of the past on top of it."""
    worker = Worker().hears(*up_to("location"))
    repeats(worker, AWAY)
    worker.hears(later(4, says("Hall 3")))

    [standing] = worker.state.open
    assert standing.grace == 0
    assert deadline(FLOWS, standing) == standing.updated_at + 24 * HOUR * SECOND


def test_no_input_makes_a_deadline_come_sooner() -> None:
    """An input sent early in the outage, and read after it, leaves at least the time there was."""
    worker = Worker().hears(*up_to("location"))
    repeats(worker, AWAY)
    before = ends_at(worker)
    worker.meets(6, delayed(sends("sticker")(6, []), 1))

    assert ends_at(worker) == before


def test_an_outage_of_a_conversation_that_ended_changes_nothing() -> None:
    """The fact may come after the end."""
    worker = Worker().hears(*up_to("location"), says("/cancel"))
    before = worker.state
    repeats(worker, AWAY)

    assert worker.state == before

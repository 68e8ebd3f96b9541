"""What was written before the deadline is in time, also when it is read after the clock has closed the conversation."""

import pytest

from holdfast.domain.event import Said
from holdfast.domain.kinds import Kind
from holdfast.domain.timers import deadline
from tests.domain.given import (
    FLOWS,
    SECOND,
    Act,
    Worker,
    conversation,
    delayed,
    edits,
    says,
    sends,
    sends_photo,
    taps,
    up_to,
)

ENDS = 24 + 5 / 3600
"""Hours from the start of the story to the deadline: the last of five inputs came at its fifth second."""


def closed() -> Worker:
    """A registration that the clock has closed, a minute after its deadline."""
    worker = Worker().hears(*up_to("location"))
    worker.ticks(ENDS + 1 / 60)
    assert worker.state.open == ()
    return worker


def writes(worker: Worker, act: Act, hours: float) -> Said:
    """Do something so many hours after the start of the story."""
    return delayed(act(6, worker.screens), hours - 6 / 3600)


@pytest.mark.parametrize(
    "act", [says("Hall 3"), says("/skip"), says("/back"), sends_photo(), edits(3, "Acme Corp."), says("/addmachine")]
)
def test_what_was_written_in_time_makes_the_end_void(act: Act) -> None:
    """An input dated at the deadline itself goes on as if nothing had happened, and what was closed is open again."""
    worker = closed()
    worker.meets(6, writes(worker, act, ENDS))

    assert worker.events[-1].conversation_id == conversation(1)
    assert [one.conversation_id for one in worker.state.open] == [conversation(1)]
    assert worker.state == worker.copy("B").state


@pytest.mark.parametrize("act", [says("Hall 3"), says("/skip"), edits(3, "Acme Corp."), sends("sticker")])
def test_what_was_written_a_second_late_is_too_late(act: Act) -> None:
    """One second after the deadline the conversation stays closed."""
    worker = closed()
    worker.meets(6, writes(worker, act, ENDS + 1 / 3600))

    assert worker.events[-1].kind == Kind.NOTED
    assert worker.state.open == ()


def test_the_answer_is_filed_and_the_next_question_asked() -> None:
    """The person sees what they would have seen without the delay."""
    worker = closed()
    worker.meets(6, writes(worker, says("Hall 3"), ENDS - 1))

    assert worker.values()["location"] == "Hall 3"
    assert worker.current_step() == "notes"
    assert "Anything worth noting?" in worker.screens[-1].text


@pytest.mark.parametrize("act", [sends("sticker"), says("x" * 500), says("/library"), says("/nonsense")])
def test_what_moves_nothing_on_brings_nothing_back(act: Act) -> None:
    """What is not accepted leaves the end as it is: it is answered like anything after it."""
    worker = closed()
    before = worker.state.ended
    worker.meets(6, writes(worker, act, ENDS))

    assert worker.state.open == ()
    assert worker.state.ended == before


def test_a_tap_proves_nothing() -> None:
    """Telegram says of no tap when it was made: one that is read after the end starts anew what it takes up."""
    worker = closed()
    worker.meets(6, writes(worker, taps("Take it up again"), ENDS))

    assert worker.events[-1].kind == Kind.STARTED
    assert worker.state.ended[conversation(1)] == "expired"


def test_what_was_given_back_expires_again_on_its_new_basis() -> None:
    """The timer starts anew, and its next end has a name of its own."""
    worker = closed()
    worker.meets(6, writes(worker, says("Hall 3"), ENDS))
    [standing] = worker.state.open
    ends = (deadline(FLOWS, standing) - standing.started_at) / SECOND / 3600
    again = worker.ticks(ends + 1)

    assert again is not None
    assert again.kind == Kind.EXPIRED
    assert again.dedup_key != worker.events[5].dedup_key
    assert worker.state.open == ()


def test_whichever_comes_first_the_answer_in_time_counts() -> None:
    """An answer and the end, decided at once on two workers, lead to the same in both orders."""
    one = Worker().hears(*up_to("location"))
    other = one.copy("B")
    one.meets(6, writes(one, says("Hall 3"), ENDS))
    other.ticks(ENDS + 1 / 60)
    late = other.copy("C")
    late.meets(6, writes(late, says("Hall 3"), ENDS))

    for worker in (one.copy("D").learns(other), other.copy("E").learns(one), late):
        assert worker.values()["location"] == "Hall 3"


def test_a_clock_set_back_ends_nothing() -> None:
    """A clock that shows an earlier time than the last input finds nothing due, and the deadline stays."""
    worker = Worker().hears(*up_to("location"))
    [before] = worker.state.open

    assert [worker.ticks(hours) for hours in (-1, -1000, 0)] == [None, None, None]
    assert worker.state.open == (before,)

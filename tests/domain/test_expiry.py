from datetime import timedelta

import pytest

from holdfast.domain.event import Event
from holdfast.domain.flow import Flow, Flows, Step
from holdfast.domain.ids import as_text
from holdfast.domain.kinds import Kind
from holdfast.domain.machine_flows import add_machine
from holdfast.domain.timers import deadline, expiry_key
from holdfast.domain.wording import say
from tests.domain.given import (
    HOUR,
    NOON,
    SECOND,
    Act,
    Worker,
    a_machine,
    begins_edit,
    begins_removal,
    conversation,
    delayed,
    edits,
    given,
    later,
    says,
    sends,
    sends_photo,
    taps,
    up_to,
)

OFFER = "Take it up again"

brief = Flow(
    name="brief", command="brief", title="Soon over", steps=(Step(name="word", prompt="?"),), ttl=timedelta(hours=1)
)


def expiries(worker: Worker) -> list[Event]:
    return [event for event in worker.events if event.kind == Kind.EXPIRED]


@pytest.mark.parametrize("act", [says("Hall 3"), sends("sticker"), sends_photo(), says("/library"), says("/skip")])
def test_a_conversation_left_alone_for_a_day_ends_first(act: Act) -> None:
    """Whatever comes after more than 24 hours ends the conversation before it is decided, in an event of its own."""
    story = given(*up_to("location")).when(later(24.001, act))

    [expiry] = expiries(story.worker)
    assert story.worker.events[-2] is expiry
    assert story.worker.events[-1].kind == Kind.NOTED
    assert story.worker.state.open == ()


def test_an_expiry_names_what_it_had_seen() -> None:
    """Its basis are the inputs that moved the conversation on, its key their digest, its cause the silence."""
    worker = Worker().hears(*up_to("location"), sends("sticker"))
    [standing] = worker.state.open
    key = expiry_key(standing)
    worker.hears(later(25, says("Hall 3")))

    [expiry] = expiries(worker)
    assert expiry.facts.basis == ("u1", "u2", "u3", "u4", "u5")
    assert expiry.dedup_key == key
    assert (expiry.facts.cause, expiry.facts.step, expiry.facts.flow) == ("silence", "location", "add_machine")


def test_the_key_of_an_expiry_follows_its_basis() -> None:
    """Two workers that saw the same name the expiry alike; one that saw more names it otherwise."""
    a = Worker(name="A").hears(*up_to("location"))
    b = a.copy("B")
    same = expiry_key(a.state.open[0]) == expiry_key(b.state.open[0])
    b.hears(says("Hall 3"))

    assert same
    assert expiry_key(a.state.open[0]) != expiry_key(b.state.open[0])


def test_the_deadline_slides() -> None:
    """Each input gives the conversation another 24 hours, also one that was refused."""
    story = given(*up_to("location"), later(23, sends("sticker")), later(23, says("Hall 3")))

    story.then(Kind.ANSWERED, field="location")
    assert expiries(story.worker) == []


def test_the_very_deadline_is_in_time() -> None:
    """An input at the deadline itself is in time, a second later it is not."""
    story = given(*up_to("location"))
    [standing] = story.worker.state.open
    left = deadline(story.worker.flows, standing) - (NOON + 6 * SECOND)

    in_time = story.worker.copy("B")
    in_time.takes(6, later(left / SECOND / HOUR, says("Hall 3")))
    late = story.worker.copy("C")
    late.takes(6, later(left / SECOND / HOUR + 1 / HOUR, says("Hall 3")))
    assert (in_time.events[-1].kind, late.events[-1].kind) == (Kind.ANSWERED, Kind.NOTED)


def test_an_ended_conversation_is_offered_again_prefilled() -> None:
    """The text is no answer any more; the offer takes every answer over and asks where it stopped."""
    story = given(*up_to("location")).when(later(25, says("Hall 3")))
    story.then(Kind.NOTED, rule="lapsed", subject=as_text(conversation(1)))
    assert story.labels[0] == OFFER
    held = {"nickname": "Press 4", "manufacturer": "Acme", "model_number": "PX-4", "serial_number": "S-1001"}

    story.when(taps(OFFER)).then(Kind.STARTED, continues=as_text(conversation(1)), next_step="location")
    assert story.worker.values() == held
    assert say("taken_up_again") in story.text
    story.worker.hears(says("Hall 3"), says("/skip"), says("/skip"))
    assert story.when(taps("Save")).machine.serial_number == "S-1001"


def test_the_command_offers_what_lapsed_and_the_button_begins_anew() -> None:
    """After an expiry /addmachine offers to go on, and its button begins an empty registration."""
    story = given(*up_to("location")).when(later(25, says("/addmachine")))

    story.then(Kind.NOTED, rule="lapsed")
    story.when(taps("Register a machine")).then(Kind.STARTED, continues="", next_step="nickname")
    assert story.worker.values() == {}


def test_an_offer_tapped_twice_begins_once() -> None:
    """The second tap takes up what the first began."""
    story = given(*up_to("location"), later(25, says("Hall 3")))
    offer = len(story.worker.screens)
    story.worker.hears(taps(OFFER), says("Hall 3"))

    story.when(taps(OFFER, on=offer)).then(Kind.RESUMED, next_step="notes")
    assert len(story.worker.state.open) == 1


def test_what_was_cancelled_can_be_taken_up_again() -> None:
    """The reply to a cancel offers to go on after all, with every answer."""
    story = given(*up_to("location"), says("/cancel"))
    assert story.labels[0] == OFFER

    story.when(taps(OFFER)).then(Kind.STARTED, continues=as_text(conversation(1)), next_step="location")
    assert story.worker.values()["serial_number"] == "S-1001"


def test_a_change_given_up_is_taken_up_where_it_was() -> None:
    """A change of a machine begins again with its field still to be asked, about the same machine."""
    story = given(*a_machine(), *begins_edit("Location"), later(25, says("Hall 4")))

    story.when(taps(OFFER)).then(
        Kind.STARTED, flow="edit_machine", subject=as_text(conversation(1)), reopens="location", next_step="location"
    )


def test_a_completed_conversation_cannot_be_taken_up() -> None:
    """An offer for a conversation that was taken up and completed is not begun a third time."""
    story = given(*up_to("confirm"), taps("Cancel"))
    offer = len(story.worker.screens)
    story.worker.hears(taps(OFFER), taps("Save"))

    story.when(taps(OFFER, on=offer)).then(Kind.NOTED, rule="over")


def test_each_of_several_open_conversations_ends() -> None:
    """Both the parked and the active conversation end, each in an event of its own, the older one first."""
    story = given(*up_to("location"), says("/report"), later(25, says("Hall 3")))

    assert [one.facts.flow for one in expiries(story.worker)] == ["add_machine", "report_fault"]
    assert story.worker.state.open == ()
    assert len({event.dedup_key for event in story.worker.events}) == len(story.worker.events)


def test_a_parked_conversation_ends_alone() -> None:
    """What was set aside a day ago ends, and the active conversation takes the input as its answer."""
    story = given(*up_to("location"), later(20, says("/report")), later(5, says("Hall 3")))

    assert [one.facts.flow for one in expiries(story.worker)] == ["add_machine"]
    story.then(Kind.ANSWERED, flow="report_fault", field="place")


def test_a_parked_conversation_that_ended_is_offered_when_the_other_is_done() -> None:
    """A registration that ran out while something else was open is still offered afterwards."""
    story = given(*up_to("location"), later(20, says("/report")), later(5, says("Hall 3")), says("/cancel"))

    story.when(says("hello")).then(Kind.NOTED, rule="lapsed", subject=as_text(conversation(1)))


def test_an_answer_is_not_taken_for_the_question_below() -> None:
    """What answers a question that has run out is not filed under the one that waited beneath it."""
    flows = Flows([add_machine, brief])
    story = given(*up_to("location"), says("/brief"), flows=flows).when(later(2, says("a secret word")))

    assert story.worker.values().get("location") is None


def test_an_expiry_is_told_with_the_reply_to_the_input() -> None:
    """The expiry itself owes no reply: the one to the input says it."""
    story = given(*up_to("location"))
    seen = len(story.worker.screens)
    story.when(later(25, says("Hall 3")))

    assert len(story.worker.screens) == seen + 1
    assert say("noted.lapsed") in story.text


def test_an_older_message_does_not_shorten_the_time() -> None:
    """An input whose date lies in the past, as one replayed does, leaves the deadline where it was."""
    worker = Worker().hears(*up_to("location"))
    [before] = worker.state.open
    said = sends("sticker")(6, [])
    worker.meets(6, delayed(said, -20))

    [after] = worker.state.open
    assert after.updated_at == before.updated_at
    worker.meets(7, delayed(says("Hall 3")(7, []), 10))
    assert worker.events[-1].kind == Kind.ANSWERED


def test_a_removal_left_alone_removes_nothing() -> None:
    """Silence is no confirmation."""
    story = given(*a_machine(), *begins_removal(), later(25, says("yes")))

    assert story.machine.nickname == "Press 4"
    story.then(Kind.NOTED, rule="lapsed")


def test_an_edit_of_an_answer_given_before_the_expiry_finds_it() -> None:
    """A registration taken up again belongs to the messages that answered it the first time."""
    story = given(*up_to("confirm"), taps("Cancel"), taps(OFFER), taps("Save")).when(edits(5, "S-2002"))

    story.then(Kind.NOTED, rule="edit_offer", field="serial_number", value="S-2002")

from msgspec.structs import replace

from holdfast.domain.event import Words
from holdfast.domain.flow import Flows
from holdfast.domain.ids import as_text
from holdfast.domain.kinds import Kind
from holdfast.domain.wording import say
from holdfast.projections.transcript import Entry, transcript
from tests.domain.given import (
    FLOWS,
    NOON,
    SECOND,
    Worker,
    conversation,
    edits,
    given,
    report_fault,
    says,
    sends,
    sends_photo,
    taps,
    up_to,
)


def told(worker: Worker, started_by: int = 1) -> list[Entry]:
    return transcript(FLOWS, worker.events, conversation(started_by))


def test_each_input_is_told_with_what_was_decided() -> None:
    """An entry says when, what, how it was taken, what stood after it, and what was replied."""
    worker = given(says("/addmachine"), says("Press 4")).worker
    entry = told(worker)[1]

    assert (entry.event_id, entry.version) == (as_text(worker.events[1].event_id), 2)
    assert (entry.kind, entry.rule, entry.step) == (Kind.ANSWERED, "", "manufacturer")
    assert (entry.occurred_at, entry.said) == (NOON + 2 * SECOND, "Press 4")
    assert (entry.fields, entry.status, entry.counts) == ({"nickname": "Press 4"}, "open", True)
    assert entry.reply == worker.screens[1].text


def test_the_state_is_the_one_right_after() -> None:
    """Each entry shows the fields as they were then, not as they are now."""
    worker = given(*up_to("model_number"), edits(3, "Bosch")).worker

    assert [entry.fields.get("manufacturer") for entry in told(worker)] == [None, None, "Acme", "Bosch"]


def test_what_was_said_is_shown_for_what_it_was() -> None:
    """Photos, stickers and taps are named in brackets."""
    worker = given(*up_to("location"), sends_photo(caption="front"), sends("sticker"), taps("Skip"), says("x")).worker

    assert [entry.said for entry in told(worker)][5:7] == ["[photo] front", "[sticker]"]
    assert told(worker)[7].said.startswith("[tap] ")


def test_the_end_is_told() -> None:
    """After the end the entry says how it ended."""
    saved, cancelled = given(*up_to("confirm"), taps("Save")), given(*up_to("location"), says("/cancel"))

    assert told(saved.worker)[-1].status == "completed"
    assert told(cancelled.worker)[-1].status == "cancelled"


def test_only_the_conversation_asked_for_is_told() -> None:
    """What was said elsewhere in the thread is left out."""
    worker = given(says("hello"), says("/addmachine"), says("/help"), says("/report"), says("Hall 3")).worker

    assert [entry.said for entry in told(worker, 2)] == ["/addmachine"]
    assert [entry.said for entry in told(worker, 4)] == ["/report", "Hall 3"]
    assert told(worker, 99) == []


def test_a_copy_that_does_not_count_is_told_as_such() -> None:
    """A further copy of an input stands at the end and has no reply."""
    a = Worker(name="A").hears(says("/addmachine"))
    b = a.copy("B")
    a.takes(2, says("Press 4"))
    b.takes(2, says("Press 4"))
    entries = told(a.learns(b))

    assert [(entry.said, entry.counts) for entry in entries] == [
        ("/addmachine", True),
        ("Press 4", True),
        ("Press 4", False),
    ]
    assert entries[-1].reply == ""


def test_erased_words_are_told_as_erased() -> None:
    """The steps can still be followed when the words are gone."""
    worker = given(*up_to("location")).worker
    entries = transcript(FLOWS, [replace(event, words=None) for event in worker.events], conversation(1))

    assert {entry.said for entry in entries} == {"(erased)"}
    assert [entry.step for entry in entries] == [
        "nickname",
        "manufacturer",
        "model_number",
        "serial_number",
        "location",
    ]
    assert set(entries[-1].fields.values()) == {None}


def test_an_input_nobody_sent_says_nothing() -> None:
    """A timer has no words of a person."""
    worker = Worker().hears(says("/addmachine"))
    expiry = worker.expires(conversation(1), "u1")
    worker.events[-1] = replace(expiry, words=Words())
    entry = told(worker)[-1]

    assert (entry.kind, entry.said, entry.status, entry.reply) == (
        Kind.EXPIRED,
        "",
        "expired",
        say("expired", title="Register a machine"),
    )


def test_without_its_flow_a_conversation_is_told_without_replies() -> None:
    """An auditor can read a conversation whose flow is not loaded."""
    worker = given(*up_to("location")).worker
    entries = transcript(Flows([report_fault]), worker.events, conversation(1))

    assert [entry.said for entry in entries] == ["/addmachine", "Press 4", "Acme", "PX-4", "S-1001"]
    assert entries[-1].fields["serial_number"] == "S-1001"


def test_the_order_of_arrival_does_not_matter() -> None:
    """A history that comes in any order is told in the canonical one."""
    worker = given(*up_to("confirm"), taps("Save")).worker

    assert transcript(FLOWS, reversed(worker.events), conversation(1)) == told(worker)

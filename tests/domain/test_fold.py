import pytest
from msgspec.structs import replace

from holdfast.domain.event import Draft, Event, Facts, Words
from holdfast.domain.evolve import EMPTY, evolve, fold
from holdfast.domain.kinds import FILING, Kind
from holdfast.domain.render import owes_reply, render
from holdfast.domain.state import ThreadState
from tests.domain.given import (
    FLOWS,
    PERSON,
    Worker,
    a_machine,
    conversation,
    given,
    later,
    says,
    sends,
    sends_photo,
    taps,
    up_to,
)


def erased(event: Event) -> Event:
    return replace(event, words=None)


def names(state: ThreadState) -> list[str]:
    return [machine.nickname for machine in state.machines.values()]


def test_an_accepted_answer_survives_a_stale_workers_copy() -> None:
    """The story of u2: B had not seen the start, its copy comes first and is unexpected, and A's answer counts."""
    a, b = Worker(name="A").hears(says("/addmachine")), Worker(name="B")
    a.takes(2, says("Press 4"))
    b.takes(2, says("Press 4"))

    assert a.learns(b).values() == {"nickname": "Press 4"}
    assert b.learns(a).state == a.state


def test_an_answer_never_overwrites_a_value_it_did_not_see() -> None:
    """The story of u3: stale B files "42" as the name that A had filed already; it is kept as unfiled."""
    a = Worker(name="A").hears(says("/report"))
    b = a.copy("B")
    a.takes(2, says("Hall 3"))
    b.takes(3, says("42"))
    a.learns(b)

    assert a.values() == {"place": "Hall 3"}
    assert a.beside() == [("place", "42")]
    assert a.current_step() == "count"


def test_a_correction_of_a_value_that_changed_is_unfiled() -> None:
    """Two workers correct one answer; the first in the order stands and the other is kept beside."""
    a = Worker(name="A").hears(*up_to("confirm"), taps("✎ Location"))
    b = a.copy("B")
    a.takes(10, says("Hall 4"))
    b.takes(11, says("Hall 5"))
    a.learns(b)

    assert a.values()["location"] == "Hall 4"
    assert a.beside() == [("location", "Hall 5")]


def test_a_skip_of_a_field_filled_meanwhile_takes_nothing_away() -> None:
    """A skip that did not see the answer leaves the answer."""
    a = Worker(name="A").hears(*up_to("location"))
    b = a.copy("B")
    a.takes(6, says("Hall 3"))
    b.takes(7, says("/skip"))

    assert a.learns(b).values()["location"] == "Hall 3"
    assert a.beside() == []


def test_answers_to_different_fields_merge() -> None:
    """A photo taken in by one worker and an answer by another both count."""
    a = Worker(name="A").hears(*up_to("location"))
    b = a.copy("B")
    a.takes(6, says("Hall 3"))
    b.takes(7, sends_photo())
    a.learns(b)

    assert (a.values()["location"], a.values()["photo"], a.current_step()) == ("Hall 3", "photo-1", "notes")


def test_the_merged_conversation_goes_on() -> None:
    """After a merge the next input builds on both sides."""
    a = Worker(name="A").hears(says("/report"))
    b = a.copy("B")
    a.takes(2, says("Hall 3"))
    b.takes(3, says("42"))
    given_on = a.learns(b).takes(4, says("17"))

    assert (given_on.kind, given_on.facts.field, given_on.version) == (Kind.ANSWERED, "count", 3)


def test_of_two_open_conversations_of_one_flow_the_earlier_is_superseded() -> None:
    """Two workers that each started the flow leave one open conversation after they meet."""
    a, b = Worker(name="A"), Worker(name="B")
    a.takes(1, says("/addmachine"))
    a.takes(3, says("Press 4"))
    b.takes(2, says("/addmachine"))
    a.learns(b)

    assert a.state.ended == {conversation(1): "superseded"}
    assert [one.conversation_id for one in a.state.open] == [conversation(2)]
    assert a.current_step() == "nickname"


def test_two_open_conversations_of_two_flows_both_stay() -> None:
    """Only the same flow supersedes."""
    a, b = Worker(name="A"), Worker(name="B")
    a.takes(1, says("/addmachine"))
    b.takes(2, says("/report"))

    assert [one.flow for one in a.learns(b).state.open] == ["add_machine", "report_fault"]


def test_what_ended_does_not_start_again() -> None:
    """A further copy of a start, with another key, changes nothing after the end."""
    worker = Worker().hears(says("/addmachine"), says("/cancel"))
    again = replace(worker.events[0], dedup_key="u9", ots=9, version=9)

    assert evolve(worker.state, again).open == ()


def test_the_second_machine_of_a_name_gets_a_suffix() -> None:
    """Two sides of a cut each saved a machine of one name: the first keeps it, the later one is told from it."""
    a, b, c = Worker(name="A"), Worker(name="B"), Worker(name="C")
    for number, act in enumerate(a_machine("Press 4"), start=1):
        a.takes(number, act)
        b.takes(number + 20, act)
        c.takes(number + 40, act)
    a.learns(b, c)

    assert names(a.state) == ["Press 4", "Press 4 (2)", "Press 4 (3)"]


def test_folding_a_registration_again_keeps_its_name() -> None:
    """A conversation folded onto a library that holds its machine already changes nothing there."""
    worker = Worker().hears(*a_machine("Press 4"))
    library = ThreadState(user_id=PERSON, chat_id=PERSON, machines=worker.state.machines)

    assert names(fold(worker.events, library)) == ["Press 4"]


def test_an_effective_expiry_ends_the_conversation() -> None:
    """The person then finds nothing open, and what was said is still in the log."""
    worker = Worker().hears(says("/addmachine"), says("Press 4"))
    expiry = worker.expires(conversation(1), "u1", "u2")

    assert fold(worker.events).ended == {conversation(1): "expired"}
    assert worker.takes(3, later(25, says("Acme"))).kind == Kind.NOTED
    assert render(FLOWS, worker.state, expiry) != ()


def test_a_stale_expiry_does_not_end_an_active_conversation() -> None:
    """B expires what it believes idle, while A went on: the expiry is void, whatever the order."""
    a = Worker(name="A").hears(says("/addmachine"), says("Press 4"))
    b = a.copy("B")
    a.takes(3, says("Acme"))
    b.expires(conversation(1), "u1", "u2")

    assert b.state.open == ()
    assert a.learns(b).current_step() == "model_number"
    assert b.learns(a).state == a.state


def test_answers_of_a_refused_input_do_not_void_an_expiry() -> None:
    """Only what was accepted keeps a conversation alive."""
    a = Worker(name="A").hears(says("/addmachine"), says("Press 4"))
    b = a.copy("B")
    a.takes(3, sends("sticker"))
    b.expires(conversation(1), "u1", "u2")

    assert a.learns(b).state.open == ()


EVERYTHING = (
    *up_to("confirm"),
    taps("✎ Location"),
    taps("Keep it"),
    taps("✎ Notes"),
    taps("Leave empty"),
    says("/back"),
    says("/skip"),
    says("/start"),
    sends("sticker"),
    says("/help"),
    says("/report"),
    says("broken"),
    says("/addmachine"),
    taps("Save"),
    says("/cancel"),
    *up_to("notes", "Press 5"),
)


def test_erased_words_fold() -> None:
    """With every word erased, the same conversations are open at the same steps, and hold nothing."""
    whole = Worker().hears(*EVERYTHING)
    state = fold(map(erased, whole.events))

    assert [one.flow for one in state.open] == [one.flow for one in whole.state.open]
    assert [one.current_step(FLOWS.get(one.flow, one.flow_version)) for one in state.open] == ["notes"]
    assert {answer.value for one in state.open for answer in one.fields.values()} == {None}
    assert state.ended == whole.state.ended


def test_an_erased_input_still_has_its_reply() -> None:
    """A reply rendered from facts alone says less and never fails."""
    state = EMPTY
    for event in Worker().hears(*EVERYTHING).events:
        state = evolve(state, erased(event))
        [screen] = render(FLOWS, state, erased(event))

        assert screen.text
        assert "S-1001" not in screen.text


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("is_open", [True, False])
def test_every_kind_without_words_folds_and_renders(kind: Kind, is_open: bool) -> None:  # noqa: FBT001 - a column of the table
    """Also kinds that nobody decides yet are read, so that a newer worker's events do no harm."""
    worker = Worker().hears(*up_to("location")) if is_open else Worker().hears(says("hello"))
    field = "location" if kind in FILING else ""
    facts = Facts(flow="add_machine", flow_version=1, field=field, reopens="notes" if kind == Kind.BACK else "")
    event = erased(worker.appends(Draft(kind=kind, conversation_id=conversation(1), facts=facts, words=Words()), 9))
    screens = render(FLOWS, fold([*worker.events[:-1], event]), event)

    assert bool(screens) == owes_reply(event)
    assert all(screen.text for screen in screens)


def test_a_kind_nobody_knows_changes_nothing() -> None:
    """The fold is total: an event that means nothing to it moves only the time of its conversation."""
    worker = Worker().hears(*up_to("location"))
    facts = Facts(flow="add_machine", flow_version=1)
    worker.appends(Draft(kind="weather.changed", conversation_id=conversation(1), facts=facts, words=Words()), 9)

    assert worker.current_step() == "location"


def test_events_of_a_conversation_that_is_not_open_change_nothing() -> None:
    """A step back or an end of something unknown leaves the state as it is; an answer is kept as unfiled."""
    state = Worker().hears(says("hello")).state
    for event in Worker().hears(*up_to("confirm"), taps("✎ Location"), says("/start"), taps("Save", on=8)).events[1:]:
        value = event.words.value if event.words and event.facts.field else ""
        beside = [(event.facts.field, value)] if value else []
        after = evolve(state, event)
        assert [(one.field, one.value) for one in after.unfiled] == beside
        assert replace(after, heard=state.heard, early={}, unfiled=()) == state


def test_a_person_who_is_forgotten_has_nothing_left() -> None:
    """After an erasure neither conversations nor machines nor unfiled answers are in the state."""
    worker = Worker().hears(*a_machine(), *up_to("location"))
    worker.appends(Draft(kind=Kind.FORGOTTEN, conversation_id=None, facts=Facts(), words=Words()), 30)

    assert worker.state == ThreadState(user_id=PERSON, chat_id=PERSON)
    assert fold(worker.events) == worker.state


def test_a_person_may_begin_again_after_being_forgotten() -> None:
    """The same nickname is free, and the same flow can be started."""
    worker = Worker().hears(*a_machine("Press 4"))
    worker.appends(Draft(kind=Kind.FORGOTTEN, conversation_id=None, facts=Facts(), words=Words()), 10)
    worker.hears(*a_machine("Press 4"))

    assert names(worker.state) == ["Press 4"]


def test_a_conversation_may_begin_with_values() -> None:
    """What a start brings along fills its fields, and the first question without an answer is asked."""
    worker = Worker()
    words = Words(prefill={"nickname": "Press 4", "manufacturer": "Acme"})
    facts = Facts(flow="add_machine", flow_version=1, subject="machine-1")
    worker.appends(Draft(kind=Kind.STARTED, conversation_id=conversation(1), facts=facts, words=words), 1)

    assert worker.current_step() == "model_number"
    assert worker.state.open[0].subject == "machine-1"
    answer = worker.takes(2, says("/back"))
    assert (answer.kind, answer.facts.reopens) == (Kind.BACK, "manufacturer")


def test_the_person_is_known_from_what_was_said() -> None:
    """User and chat come from the first words that are there."""
    assert fold(given(says("hello")).worker.events).user_id == PERSON
    assert fold(map(erased, given(says("hello")).worker.events)).user_id == 0


def test_an_accepted_input_that_stands_before_its_conversation_is_in_the_basis_of_its_end() -> None:
    """A stale copy puts an answer before the start it belongs to: the conversation still runs out, and stays so."""
    a = Worker(name="A").hears(says("hello"), says("hello"))
    b = a.copy("B")
    a.takes(3, says("Press 4"))
    b.takes(4, says("/addmachine"))
    b.takes(3, says("Press 4"))
    b.takes(5, says("Acme"))
    a.learns(b)
    running = a.state.active
    assert running is not None

    a.expires(running.conversation_id, *running.accepted)

    assert a.state == fold(a.events)
    assert a.state.open == ()

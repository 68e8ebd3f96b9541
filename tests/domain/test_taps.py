import pytest

from holdfast.domain import taps as data
from holdfast.domain.flow import Flow, Flows, Step
from holdfast.domain.ids import as_token
from holdfast.domain.kinds import Kind
from holdfast.domain.taps import Tap
from tests.domain.given import (
    Worker,
    a_machine,
    buttons,
    conversation,
    given,
    says,
    sends_photo,
    taps,
    taps_data,
    up_to,
)

OURS = as_token(conversation(1))
SOMEBODYS = as_token(conversation(99))

longest = Flow(
    name="l" * 32,
    command="longest",
    title="Fifty questions",
    steps=tuple(Step(name=f"{'s' * 29}_{place}", prompt=f"Number {place}?", optional=True) for place in range(50)),
)


@pytest.mark.parametrize("label", ["Skip", "Back"])
def test_a_button_of_an_answered_question_is_stale(label: str) -> None:
    """A tap on a question above that was answered changes nothing, and the question that stands comes again."""
    given(*up_to("location")).when(taps(label, on=2)).then(
        Kind.UNEXPECTED, rule="already_answered", step="location", next_step="location"
    )


def test_a_second_tap_on_skip_skips_nothing_more() -> None:
    """Two quick taps on one button leave out one question."""
    given(*up_to("location"), taps("Skip")).when(taps("Skip", on=5)).then(
        Kind.UNEXPECTED, rule="already_answered", next_step="notes"
    )


def test_keep_is_stale_when_the_question_was_answered() -> None:
    """The buttons of a change that is done are stale as well."""
    given(*up_to("confirm"), taps("✎ Location"), says("Hall 4")).when(taps("Leave empty", on=9)).then(
        Kind.UNEXPECTED, rule="already_answered", next_step="confirm"
    )


@pytest.mark.parametrize("label", ["Save", "Cancel", "Back", "✎ Location"])
def test_a_button_of_an_ended_conversation_is_over(label: str) -> None:
    """After the end every button of a conversation is told to be over."""
    story = given(*up_to("confirm"), taps("Save")).when(taps(label, on=8))

    story.then(Kind.NOTED, rule="over")
    assert len(story.worker.state.machines) == 1


def test_a_button_of_an_ended_conversation_leaves_the_new_one_alone() -> None:
    """An old Cancel does not cancel what was begun since."""
    given(*up_to("location"), says("/cancel"), says("/addmachine")).when(taps("Cancel", on=3)).then(
        Kind.UNEXPECTED, rule="over", next_step="nickname"
    )


@pytest.mark.parametrize("label", ["Skip", "Back", "Cancel"])
def test_a_button_of_a_parked_conversation_waits(label: str) -> None:
    """A conversation that is set aside is not moved by its buttons, and the active one's question stands."""
    story = given(*up_to("location"), says("/report")).when(taps(label, on=5))

    story.then(Kind.UNEXPECTED, rule="parked", flow="report_fault", next_step="place")
    assert story.worker.state.open[0].current_step(story.worker.flows.get("add_machine", 1)) == "location"


@pytest.mark.parametrize("forged", [f"{SOMEBODYS}:x", f"{SOMEBODYS}:s4", f"{SOMEBODYS}:ok"])
def test_a_button_of_a_conversation_nobody_knows_is_over(forged: str) -> None:
    """A conversation's id that this person never had reads as one that is over."""
    given(*up_to("location")).when(taps_data(forged)).then(Kind.UNEXPECTED, rule="over", next_step="location")


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        ":",
        "::::",
        "hello",
        "x",
        OURS,
        f"{OURS}:",
        f"{OURS}:z",
        f"{OURS}:e",
        f"{OURS}:e7",
        f"{OURS}:e999",
        f"{OURS}:x1234",
        f"{OURS}:x" + "9" * 60,
        f"{OURS}:\u0663",
        f"{OURS}:-1",
        OURS[:-1] + ":x",
        "\ud800:x",
        "\0",
        "é" * 22 + ":x",
        "go:nowhere",
        "go:",
    ],
)
def test_garbage_is_an_unknown_button(garbage: str) -> None:
    """Data that no button of ours carries changes nothing, whoever forged it."""
    story = given(*up_to("location")).when(taps_data(garbage))

    story.then(Kind.UNEXPECTED, rule="unknown_button", next_step="location")
    assert story.worker.values()["serial_number"] == "S-1001"


@pytest.mark.parametrize("action", ["s", "k", "n", "b", "s3", "k0", "b49", "n999"])
def test_an_action_for_another_step_is_stale(action: str) -> None:
    """An action names the place of its question; without it, or with another, it is stale."""
    given(*up_to("location")).when(taps_data(f"{OURS}:{action}")).then(
        Kind.UNEXPECTED, rule="already_answered", next_step="location"
    )


def test_taps_outside_a_conversation_are_noted() -> None:
    """A forged tap starts nothing."""
    given().when(taps_data("hello")).then(Kind.NOTED, rule="unknown_button")


def test_every_button_of_a_flow_of_fifty_steps_fits() -> None:
    """Telegram gives a button 64 bytes; the longest names and the last places stay below."""
    worker = Worker(Flows([longest])).hears(says("/start"), says("/longest"), *[says("/skip")] * 50)
    seen = [one for screen in worker.screens for one in buttons(screen)]
    worker.hears(taps("✎ " + "S" + "s" * 28 + " 49"))

    assert worker.current_step() == longest.steps[49].name
    assert max(len(one.data.encode()) for one in seen) <= 64
    assert len(buttons(worker.screens[-2])) == 53


def test_data_is_read_as_it_was_written() -> None:
    """Writing and reading a button's data is a round trip."""
    identity = conversation(1)

    assert data.read(data.action(identity, data.SKIP, 49)) == Tap(action=data.SKIP, identity=identity, place=49)
    assert data.read(data.action(identity, data.CONFIRM)) == Tap(action=data.CONFIRM, identity=identity)
    assert data.read(data.start("add_machine")) == Tap(verb=data.START, text="add_machine")
    assert data.read(data.thing(data.EDIT, identity, 3)) == Tap(verb=data.EDIT, identity=identity, place=3)
    assert data.read(data.library(2, "press: 4")) == Tap(verb=data.LIBRARY, place=2, text="press: 4")


@pytest.mark.parametrize("action", ["s7", "k7", "n7"])
def test_the_card_has_nothing_to_skip_keep_or_empty(action: str) -> None:
    """An action for a question, forged for the card, is told to use the card's own buttons."""
    given(*up_to("confirm")).when(taps_data(f"{OURS}:{action}")).then(
        Kind.UNEXPECTED, rule="use_buttons", next_step="confirm"
    )


def test_the_letters_of_the_actions_never_change() -> None:
    """Buttons stay in people's chats for years, and a newer program must still read them."""
    assert (data.SKIP, data.KEEP, data.EMPTY, data.BACK) == ("s", "k", "n", "b")
    assert (data.CHANGE, data.CANCEL, data.CONFIRM) == ("e", "x", "ok")
    assert data.start("add_machine") == "go:add_machine"


def test_a_save_of_the_card_above_counts_at_the_card() -> None:
    """The card shown before a change was made is as good as the new one."""
    given(*up_to("confirm"), sends_photo("photo-2")).when(taps("Save", on=8)).then(Kind.CONFIRMED)


def test_a_second_tap_on_save_saves_nothing_more() -> None:
    """Two quick taps on Save make one machine."""
    story = given(*a_machine()).when(taps("Save", on=8))

    story.then(Kind.NOTED, rule="over")
    assert len(story.worker.state.machines) == 1

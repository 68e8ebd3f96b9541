import pytest
from msgspec.structs import replace

from holdfast.domain.kinds import Kind
from holdfast.domain.wording import say
from tests.domain.given import NOON, SECOND, Given, a_machine, conversation, given, says, taps, taps_data, up_to


def saved_elsewhere(story: Given, nickname: str) -> None:
    """Let a machine of this name come into the library while the conversation goes on."""
    machines = given(says("hello"), *a_machine(nickname)).worker.state.machines
    story.worker.state = replace(story.worker.state, machines=machines)


def test_the_card_shows_everything() -> None:
    """Before anything is saved, every answer is on one card."""
    story = given(*up_to("confirm"))

    assert story.step == "confirm"
    shown = ("Press 4", "Acme", "PX-4", "S-1001", "Hall 3", "Leaks oil", say("card.photo"))
    assert [value for value in shown if value not in story.text] == []


def test_confirming_completes_the_conversation() -> None:
    """The tap on Save ends the conversation and names the machine."""
    story = given(*up_to("confirm")).when(taps("Save"))

    story.then(Kind.CONFIRMED, step="confirm", next_step="", value="Press 4", resumes="")
    assert story.worker.state.active is None
    assert story.worker.state.ended == {conversation(1): "completed"}
    assert "<b>Press 4</b>" in story.text


def test_a_confirmed_machine_is_in_the_library() -> None:
    """The machine has the id of its conversation, all answers, and the time of the confirmation."""
    story = given(*up_to("confirm")).when(taps("Save"))
    [machine] = story.worker.state.machines.values()

    assert machine.machine_id == conversation(1)
    assert (machine.nickname, machine.manufacturer, machine.model_number) == ("Press 4", "Acme", "PX-4")
    assert (machine.serial_number, machine.location, machine.notes) == ("S-1001", "Hall 3", "Leaks oil")
    assert (machine.photo_file_id, machine.ocr_data) == ("photo-1", None)
    assert machine.created_at == machine.updated_at == NOON + 9 * SECOND


def test_what_was_skipped_is_absent_from_the_machine() -> None:
    """An empty field of a machine is no value, not an empty text."""
    [machine] = given(*a_machine()).worker.state.machines.values()

    assert (machine.nickname, machine.manufacturer, machine.notes, machine.photo_file_id) == (
        "Press 4",
        None,
        None,
        None,
    )


@pytest.mark.parametrize("step", ["nickname", "manufacturer", "photo"])
def test_nothing_is_confirmed_before_the_card(step: str) -> None:
    """A button of a later card can't save what is not complete."""
    story = given(*up_to(step))
    token = story.worker.screens[-1].keyboard[-1][-1].data.partition(":")[0]

    story.when(taps_data(f"{token}:ok")).then(Kind.UNEXPECTED, rule="not_yet", step=step, next_step=step)


def test_the_old_card_saves_nothing_while_a_field_is_asked_again() -> None:
    """While one field is under change, the Save of the card above waits."""
    given(*up_to("confirm"), taps("✎ Location")).when(taps("Save", on=8)).then(
        Kind.UNEXPECTED, rule="not_yet", next_step="location"
    )


def test_a_nickname_taken_meanwhile_is_asked_again_at_the_card() -> None:
    """The nickname is guarded once more when it is saved; the refusal asks for another one at once."""
    story = given(*up_to("confirm"))
    saved_elsewhere(story, "Press 4")
    story.when(taps("Save"))

    story.then(Kind.REJECTED, rule="taken", step="confirm", reopens="nickname", next_step="nickname")
    assert story.step == "nickname"
    assert "Press 4" in story.text
    story.when(says("Press 5")).then(Kind.CORRECTED, field="nickname", replaces="u2", next_step="confirm")
    story.when(taps("Save")).then(Kind.CONFIRMED, value="Press 5")


def test_keeping_a_taken_nickname_does_not_save_it() -> None:
    """Whoever keeps the nickname that is taken is asked for it again."""
    story = given(*up_to("confirm"))
    saved_elsewhere(story, "Press 4")

    story.when(taps("Save")).when(taps("Keep it")).when(taps("Save")).then(Kind.REJECTED, rule="taken")


def test_a_second_machine_may_have_another_nickname() -> None:
    """A library holds many machines."""
    story = given(*a_machine("Press 4"), *a_machine("Press 5"))

    assert [machine.nickname for machine in story.worker.state.machines.values()] == ["Press 4", "Press 5"]


def test_a_flow_of_ones_own_fills_no_library() -> None:
    """Only the registration of a machine makes a machine."""
    story = given(says("/report"), says("Hall 3"), says("1"), says("/skip"), says("/skip")).when(taps("Save"))

    story.then(Kind.CONFIRMED, flow="report_fault", value="Hall 3")
    assert story.worker.state.machines == {}
    assert say("completed") in story.text

import pytest

from holdfast.domain.kinds import Kind
from tests.domain.given import Act, a_machine, edits, given, says, taps, up_to


def test_editing_an_answer_corrects_it() -> None:
    """An earlier answer's message with another text is another answer to the same question."""
    story = given(*up_to("location")).when(edits(3, "Bosch"))

    story.then(
        Kind.CORRECTED,
        step="location",
        field="manufacturer",
        value="Bosch",
        replaces="u3",
        next_step="location",
        cause="edit",
    )
    assert story.worker.values()["manufacturer"] == "Bosch"


def test_an_edit_is_normalised_like_any_answer() -> None:
    """The rules of the step hold for an edit too."""
    given(*up_to("location")).when(edits(2, "  Press   5 ")).then(Kind.CORRECTED, field="nickname", value="Press 5")


@pytest.mark.parametrize(("typed", "rule"), [("x", "string_too_short"), ("x" * 101, "string_too_long")])
def test_a_wrong_edit_changes_nothing(typed: str, rule: str) -> None:
    """An edit that does not fit is refused, and the answer stays."""
    story = given(*up_to("location")).when(edits(2, typed))

    story.then(Kind.REJECTED, rule=rule, next_step="location")
    assert story.worker.values()["nickname"] == "Press 4"


def test_a_nickname_taken_is_refused_in_an_edit() -> None:
    """The guard of the nickname holds for an edit."""
    given(*a_machine("Press 5"), *up_to("location")).when(edits(11, "Press 5")).then(Kind.REJECTED, rule="taken")


def test_an_answer_can_be_edited_twice() -> None:
    """The message stays the answer's message."""
    given(*up_to("location"), edits(3, "Bosch")).when(edits(3, "Siemens")).then(
        Kind.CORRECTED, field="manufacturer", value="Siemens", replaces="u6"
    )


def test_an_edit_at_the_card_changes_the_card() -> None:
    """Until it is saved, every answer's message can be edited."""
    story = given(*up_to("confirm")).when(edits(6, "Hall 4"))

    story.then(Kind.CORRECTED, field="location", next_step="confirm")
    assert "Hall 4" in story.text


def test_an_edit_leaves_the_field_that_is_asked_again() -> None:
    """An edit of one answer does not answer the question that stands for another."""
    given(*up_to("confirm"), taps("✎ Location")).when(edits(3, "Bosch")).then(Kind.CORRECTED, next_step="location")


def test_an_edit_of_the_very_field_asked_again_answers_it() -> None:
    """Editing the message is as good as typing a new one."""
    given(*up_to("confirm"), taps("✎ Location")).when(edits(6, "Hall 4")).then(
        Kind.CORRECTED, field="location", next_step="confirm"
    )


def test_the_answer_that_was_replaced_can_be_edited_no_more() -> None:
    """Only the message a value came from corrects it."""
    given(*up_to("location"), says("/back"), says("S-2")).when(edits(5, "S-3")).then(
        Kind.UNEXPECTED, rule="unknown_edit", next_step="location"
    )


@pytest.mark.parametrize("keep", [taps("Keep it"), says("/skip")])
def test_an_answer_that_was_kept_can_still_be_edited(keep: Act) -> None:
    """To keep a value does not loosen it from the message it was typed in."""
    given(*up_to("confirm"), taps("✎ Location"), keep).when(edits(6, "Hall 4")).then(
        Kind.CORRECTED, field="location", value="Hall 4"
    )


@pytest.mark.parametrize("which", [1, 20])
def test_an_edit_of_anything_else_is_told_so(which: int) -> None:
    """The edit of a command or of an unknown message changes nothing."""
    given(*up_to("location")).when(edits(which, "Bosch")).then(
        Kind.UNEXPECTED, rule="unknown_edit", next_step="location"
    )


def test_an_edit_after_the_end_changes_nothing_by_itself() -> None:
    """What was saved is not changed by an edit alone: the change is offered."""
    story = given(*a_machine()).when(edits(2, "Press 5"))

    story.then(Kind.NOTED, rule="edit_offer")
    assert [machine.nickname for machine in story.worker.state.machines.values()] == ["Press 4"]


def test_an_edit_of_a_parked_conversation_changes_nothing() -> None:
    """Only the active conversation's answers can be edited."""
    given(*up_to("location"), says("/report")).when(edits(3, "Bosch")).then(
        Kind.UNEXPECTED, rule="unknown_edit", flow="report_fault"
    )


def test_an_edited_command_is_no_command() -> None:
    """Nothing is cancelled by an edit."""
    given(*up_to("location"), edits(1, "/cancel")).when(says("Hall 3")).then(Kind.ANSWERED, field="location")

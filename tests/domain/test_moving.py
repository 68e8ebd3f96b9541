import pytest

from holdfast.domain.kinds import Kind
from holdfast.domain.wording import say
from tests.domain.given import ANSWERS, Act, conversation, given, says, taps, up_to

OPTIONAL = [name for name, _ in ANSWERS[1:]]
AFTER = dict(zip(OPTIONAL, [*OPTIONAL[1:], "confirm"], strict=True))
ANYWHERE = [*(name for name, _ in ANSWERS), "confirm"]


@pytest.mark.parametrize("step", OPTIONAL)
@pytest.mark.parametrize("act", [says("/skip"), taps("Skip")])
def test_an_optional_question_is_skipped(step: str, act: Act) -> None:
    """By command or by button, every question but the nickname can be left out."""
    given(*up_to(step)).when(act).then(
        Kind.SKIPPED, step=step, field=step, next_step=AFTER[step], value="", replaces=""
    )


def test_the_nickname_cannot_be_skipped() -> None:
    """The one required question has no button to skip it, and the command is refused."""
    story = given(*up_to("nickname")).when(says("/skip"))

    story.then(Kind.REJECTED, rule="required", step="nickname", next_step="nickname")
    assert story.labels == ["Cancel"]


def test_the_card_cannot_be_skipped() -> None:
    """There is nothing to skip at the card."""
    given(*up_to("confirm")).when(says("/skip")).then(Kind.UNEXPECTED, rule="use_buttons", next_step="confirm")


def test_a_skipped_field_is_empty() -> None:
    """What was skipped counts as asked and holds nothing."""
    story = given(*up_to("location")).when(says("/skip"))

    assert story.worker.values()["location"] is None
    assert story.step == "notes"


@pytest.mark.parametrize("step", OPTIONAL)
@pytest.mark.parametrize("act", [says("/back"), taps("Back")])
def test_back_asks_the_question_before(step: str, act: Act) -> None:
    """By command or by button, the question before is asked again, with what it holds."""
    before = ANYWHERE[ANYWHERE.index(step) - 1]
    story = given(*up_to(step)).when(act)

    story.then(Kind.BACK, step=step, reopens=before, next_step=before)
    assert "Keep it" in story.labels


@pytest.mark.parametrize("act", [says("/back"), taps("Back")])
def test_back_from_the_card_asks_the_last_question(act: Act) -> None:
    """The question before the card is the last one."""
    story = given(*up_to("confirm")).when(act)

    story.then(Kind.BACK, step="confirm", reopens="photo", next_step="photo")
    assert say("card.photo") in story.text


def test_there_is_nothing_before_the_first_question() -> None:
    """At the first question /back is told so, and the question stands."""
    given(*up_to("nickname")).when(says("/back")).then(Kind.UNEXPECTED, rule="first_step", next_step="nickname")


def test_one_can_go_back_twice() -> None:
    """Back from a question that is asked again leads to the one before it."""
    given(*up_to("serial_number"), says("/back")).when(says("/back")).then(
        Kind.BACK, step="model_number", reopens="manufacturer"
    )


def test_after_a_new_answer_one_is_where_one_was() -> None:
    """An answer given again replaces the old one, and the flow goes on where it had come to."""
    story = given(*up_to("serial_number"), says("/back")).when(says("PX-5"))

    story.then(
        Kind.CORRECTED,
        step="model_number",
        field="model_number",
        value="PX-5",
        replaces="u4",
        next_step="serial_number",
    )
    assert story.worker.values()["model_number"] == "PX-5"


def test_a_refused_answer_leaves_the_old_one() -> None:
    """While a field is asked again, a wrong answer changes nothing and the question stands."""
    story = given(*up_to("manufacturer"), says("/back")).when(says("x"))

    story.then(Kind.REJECTED, step="nickname", next_step="nickname")
    assert story.worker.values() == {"nickname": "Press 4"}


@pytest.mark.parametrize(("field", "title"), [(name, name.replace("_", " ").capitalize()) for name, _ in ANSWERS])
def test_every_field_can_be_changed_from_the_card(field: str, title: str) -> None:
    """Each field has its button on the card, which asks for it again."""
    given(*up_to("confirm")).when(taps(f"✎ {title}")).then(
        Kind.BACK, step="confirm", reopens=field, next_step=field, cause="button"
    )


def test_a_change_leads_back_to_the_card() -> None:
    """After the new answer the card comes again, and shows it."""
    story = given(*up_to("confirm"), taps("✎ Location")).when(says("Hall 4"))

    story.then(Kind.CORRECTED, field="location", value="Hall 4", next_step="confirm")
    assert "Hall 4" in story.text
    assert "Hall 3" not in story.text


def test_a_field_that_was_skipped_can_be_filled_from_the_card() -> None:
    """A change of an empty field asks for it as at first."""
    story = given(*up_to("location"), says("/skip"), says("/skip"), says("/skip")).when(taps("✎ Location"))
    assert "Skip" in story.labels

    story.when(says("Hall 4")).then(
        Kind.CORRECTED, field="location", value="Hall 4", replaces="u6", next_step="confirm"
    )


@pytest.mark.parametrize("act", [taps("Keep it"), says("/skip")])
def test_what_a_field_holds_can_be_kept(act: Act) -> None:
    """When a field is asked again, it can be left as it is."""
    story = given(*up_to("confirm"), taps("✎ Location")).when(act)

    story.then(Kind.CORRECTED, field="location", value="Hall 3", replaces="u6", next_step="confirm")


def test_the_required_field_can_be_kept_but_not_emptied() -> None:
    """The nickname asked again offers to keep it, and nothing to leave it empty."""
    story = given(*up_to("confirm")).when(taps("✎ Nickname"))

    assert story.labels == ["Keep it", "Cancel"]
    story.when(taps("Keep it")).then(Kind.CORRECTED, field="nickname", value="Press 4", next_step="confirm")


def test_an_optional_field_asked_again_can_be_emptied() -> None:
    """Leaving it empty takes the value away."""
    story = given(*up_to("confirm"), taps("✎ Location")).when(taps("Leave empty"))

    story.then(Kind.SKIPPED, field="location", replaces="u6", next_step="confirm", value="")
    assert story.worker.values()["location"] is None


def test_a_photo_can_be_kept_or_taken_away() -> None:
    """The photo asked again has the same choices, and its file's name is never shown."""
    story = given(*up_to("confirm")).when(taps("✎ Photo"))
    assert "photo-1" not in story.text

    story.when(taps("Keep it")).then(Kind.CORRECTED, field="photo", value="photo-1", next_step="confirm")
    story.when(taps("✎ Photo")).when(taps("Leave empty")).then(Kind.SKIPPED, field="photo", next_step="confirm")


@pytest.mark.parametrize("step", ANYWHERE)
@pytest.mark.parametrize("act", [says("/cancel"), taps("Cancel")])
def test_one_can_cancel_at_any_step(step: str, act: Act) -> None:
    """By command or by button, a conversation ends without a machine, and nothing is open."""
    story = given(*up_to(step)).when(act)

    story.then(Kind.CANCELLED, step=step, next_step="", resumes="")
    assert story.worker.state.active is None
    assert story.worker.state.machines == {}
    assert story.worker.state.ended == {conversation(1): "cancelled"}


def test_one_can_cancel_while_a_field_is_asked_again() -> None:
    """A change from the card is no trap."""
    given(*up_to("confirm"), taps("✎ Location")).when(says("/cancel")).then(Kind.CANCELLED, step="location")

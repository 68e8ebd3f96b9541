from typing import Any

import pytest

from holdfast.domain.event import Said
from holdfast.domain.flow import Flow, Flows, Step
from holdfast.domain.kinds import Kind
from holdfast.domain.wording import say
from tests.domain.given import ANSWERS, edits, given, says, sends_photo, taps, up_to

BEFORE_THE_PHOTO = [name for name, _ in ANSWERS[:-1]]

pictures = Flow(
    name="pictures",
    command="pictures",
    title="Two pictures",
    steps=(
        Step(name="front", prompt="The front?", photo=True),
        Step(name="back", prompt="The back?", photo=True),
        Step(name="word", prompt="A word?", optional=True),
    ),
)


def said_last(story: Any) -> Said:  # noqa: ANN401 - whatever stands behind `given`
    said = story.worker.events[-1].words.said
    assert isinstance(said, Said)
    return said


@pytest.mark.parametrize("step", BEFORE_THE_PHOTO)
def test_a_photo_at_any_step_is_kept_and_the_question_stands(step: str) -> None:
    """Whenever a photo comes, it fills the photo's field, and the flow goes on where it was."""
    story = given(*up_to(step)).when(sends_photo("nameplate"))

    story.then(Kind.PHOTO_ADDED, step=step, field="photo", value="nameplate", next_step=step, replaces="")
    assert story.worker.values()["photo"] == "nameplate"
    assert say(f"machine.{step}") in story.text


def test_a_photo_sent_early_is_not_asked_for_again() -> None:
    """After the last other question comes the card."""
    given(*up_to("notes"), sends_photo()).when(says("/skip")).then(Kind.SKIPPED, next_step="confirm")


def test_a_photo_answers_the_photo_question() -> None:
    """Where a photo is asked for, it is the answer."""
    given(*up_to("photo")).when(sends_photo()).then(Kind.PHOTO_ADDED, step="photo", next_step="confirm")


def test_another_photo_replaces_the_first() -> None:
    """Of several photos the last one is kept, at the card too."""
    story = given(*up_to("confirm")).when(sends_photo("photo-2"))

    story.then(Kind.PHOTO_ADDED, value="photo-2", replaces="u8", next_step="confirm")
    assert story.worker.values()["photo"] == "photo-2"


def test_a_photo_while_another_field_is_asked_again() -> None:
    """A photo in the middle of a change does not end the change."""
    given(*up_to("confirm"), taps("✎ Location")).when(sends_photo("photo-2")).then(
        Kind.PHOTO_ADDED, next_step="location"
    )


@pytest.mark.parametrize("caption", ["Press 4", "/cancel", "/skip"])
@pytest.mark.parametrize("step", ["nickname", "location", "photo"])
def test_a_caption_is_recorded_and_never_an_answer(step: str, caption: str) -> None:
    """What is written below a photo is kept with it, and is neither an answer nor a command."""
    story = given(*up_to(step)).when(sends_photo("nameplate", caption=caption))

    story.then(Kind.PHOTO_ADDED, field="photo", value="nameplate", cause="photo")
    assert said_last(story).text == caption
    assert say("answered.photo.caption") in story.text
    assert caption not in {value for name, value in story.worker.values().items() if name == step}


def test_a_flow_without_a_photo_step_wants_none() -> None:
    """A photo that has no field is refused with a sentence, and the question stands."""
    given(says("/report")).when(sends_photo()).then(Kind.UNEXPECTED, rule="photo_unwanted", next_step="place")


def test_a_flow_may_ask_for_two_photos() -> None:
    """A photo answers the photo question that stands, and at any other step the first one."""
    story = given(says("/pictures"), flows=Flows([pictures]))

    story.when(sends_photo("a")).then(Kind.PHOTO_ADDED, field="front", next_step="back")
    story.when(sends_photo("b")).then(Kind.PHOTO_ADDED, field="back", next_step="word")
    story.when(sends_photo("c")).then(Kind.PHOTO_ADDED, field="front", next_step="word", replaces="u2")


def test_a_required_photo_cannot_be_skipped() -> None:
    """A photo that is needed is asked for until it comes."""
    given(says("/pictures"), flows=Flows([pictures])).when(says("/skip")).then(Kind.REJECTED, rule="required")


def test_a_caption_changed_later_leaves_the_photo() -> None:
    """Editing a photo's caption is recorded; the photo stays, and the caption does not take its place."""
    story = given(*up_to("confirm")).when(edits(8, "a caption", file_id="photo-1"))

    story.then(Kind.PHOTO_ADDED, field="photo", value="photo-1", next_step="confirm", cause="edit")
    assert said_last(story).text == "a caption"


def test_a_text_edited_later_is_no_photo() -> None:
    """Where the photo was skipped by a message, another text in that message does not take its place."""
    given(*up_to("photo"), says("/skip")).when(edits(8, "a photo, really")).then(
        Kind.UNEXPECTED, rule="unknown_edit", next_step="confirm"
    )


def test_a_photo_exchanged_in_its_message_is_exchanged() -> None:
    """Telegram lets a person replace the picture of a message; then the new one is kept."""
    given(*up_to("confirm")).when(edits(8, "", file_id="photo-2")).then(
        Kind.PHOTO_ADDED, field="photo", value="photo-2", replaces="u8"
    )

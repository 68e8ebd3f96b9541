import pytest

from holdfast.domain.kinds import Kind
from holdfast.domain.wording import say
from tests.domain.given import given, says, sends_photo, taps, up_to

LOUD = (*up_to("confirm"), says("It is <loud>"))


def test_a_text_at_the_card_is_offered_to_each_field() -> None:
    """What nobody asked for is quoted, and can be put into any field that takes text, or left out."""
    story = given(*up_to("confirm")).when(says("It is <loud>"))

    story.then(Kind.UNEXPECTED, rule="surplus", next_step="confirm")
    assert say("card.surplus", value="It is <loud>") in story.text
    assert [one for one in story.labels if one.startswith("→")] == [
        *("→ Nickname", "→ Manufacturer", "→ Model number", "→ Serial number", "→ Location", "→ Notes"),
    ]
    assert "Leave it out" in story.labels


def test_it_is_put_where_it_belongs() -> None:
    """The text becomes the field's value, and the card asks for nothing more."""
    story = given(*LOUD).when(taps("→ Notes"))

    story.then(Kind.CORRECTED, field="notes", value="It is <loud>", next_step="confirm")
    assert "Leave it out" not in story.labels
    assert story.when(taps("Save")).machine.notes == "It is <loud>"


def test_it_is_validated_there() -> None:
    """A text that the field refuses is refused in its words, and stays on offer."""
    story = given(*up_to("confirm"), says("x" * 300)).when(taps("→ Location"))

    story.then(Kind.REJECTED, rule="string_too_long", next_step="confirm")
    assert "→ Notes" in story.labels
    story.when(taps("→ Notes")).then(Kind.CORRECTED, field="notes")


def test_it_is_left_out() -> None:
    """Left out, it is kept in the log and nowhere else."""
    story = given(*LOUD).when(taps("Leave it out"))

    story.then(Kind.UNEXPECTED, rule="left_out", next_step="confirm")
    assert "It is &lt;loud&gt;" not in story.text
    assert story.when(taps("Save")).machine.notes == "Leaks oil"


@pytest.mark.parametrize("label", ["→ Notes", "Leave it out"])
def test_a_second_tap_finds_nothing_left(label: str) -> None:
    """When the text was filed, the buttons that stood for it do nothing more."""
    story = given(*LOUD, taps("→ Location"))
    story.when(taps(label, on=9)).then(Kind.UNEXPECTED, next_step="confirm")

    assert story.worker.values()["notes"] == "Leaks oil"


def test_the_newer_text_takes_the_place_of_the_older() -> None:
    """Of two such texts the later one is offered."""
    story = given(*LOUD).when(says("It leaks"))

    assert say("card.surplus", value="It leaks") in story.text
    assert story.when(taps("→ Notes")).worker.values()["notes"] == "It leaks"


def test_a_photo_in_between_leaves_it_on_offer() -> None:
    """A photo sent while a text waits is filed, and the text still waits."""
    story = given(*LOUD).when(sends_photo("photo-2"))

    story.then(Kind.PHOTO_ADDED, field="photo", next_step="confirm")
    assert "→ Notes" in story.labels

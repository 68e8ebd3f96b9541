from itertools import pairwise

import pytest

from holdfast.domain.kinds import Kind
from holdfast.domain.wording import say
from tests.domain.given import ANSWERS, Act, a_machine, given, says, up_to

STEPS = [*(name for name, _ in ANSWERS), "confirm"]


@pytest.mark.parametrize(("step", "next_step"), list(pairwise(STEPS[:-1])))
def test_a_plain_message_answers_what_is_asked(step: str, next_step: str) -> None:
    """A text is the answer to the question that stands, and the next one follows."""
    given(*up_to(step)).when(says("Thing 1")).then(
        Kind.ANSWERED, step=step, field=step, next_step=next_step, value="Thing 1", replaces="", cause="text"
    )


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("  Press   4 ", "Press 4"),
        ("Press\n\t4", "Press 4"),
        ("Press\u00a04", "Press 4"),
        ("Cafe\u0301", "Café"),
        ("<b>Press</b> & 4", "<b>Press</b> & 4"),
        ("Пресс 四 🏭", "Пресс 四 🏭"),
        ("\U0001fae8\U0001fae8", "\U0001fae8\U0001fae8"),
        ("\u05de\u05db\u05d1\u05e9 4", "\u05de\u05db\u05d1\u05e9 4"),
    ],
)
def test_a_line_is_understood_in_its_normal_form(typed: str, value: str) -> None:
    """Of a line only NFC, trimmed ends and single spaces are changed; the rest is as typed."""
    given(*up_to("nickname")).when(says(typed)).then(Kind.ANSWERED, value=value)


@pytest.mark.parametrize(("typed", "value"), [("ab\0cd", "ab�cd"), ("ab\ud800cd", "ab�cd"), ("\ud83c\udfed 4", "🏭 4")])
def test_what_cannot_be_shown_becomes_the_replacement_character(typed: str, value: str) -> None:
    """NUL and lone surrogates are replaced in the value; two surrogates that belong together are one sign."""
    given(*up_to("nickname")).when(says(typed)).then(Kind.ANSWERED, value=value)


def test_what_was_typed_is_kept_as_it_came() -> None:
    """The event holds the raw text beside the value understood from it."""
    story = given(*up_to("nickname")).when(says("  Press   4\0"))
    words = story.worker.events[-1].words

    assert words is not None
    assert words.said is not None
    assert (words.said.text, words.value) == ("  Press   4\0", "Press 4�")


def test_notes_keep_their_lines() -> None:
    """Notes are trimmed at both ends and keep their line breaks."""
    given(*up_to("notes")).when(says("\n leaks\n\n  oil ")).then(Kind.ANSWERED, value="leaks\n\n  oil")


@pytest.mark.parametrize("length", [2, 100])
def test_a_nickname_of_a_fitting_length_is_taken(length: int) -> None:
    """2 and 100 characters are allowed."""
    given(*up_to("nickname")).when(says("é" * length)).then(Kind.ANSWERED, value="é" * length)


@pytest.mark.parametrize("typed", ["e\u0301" * 100, " " + "x" * 100 + " ", "👩🏽" * 50])
def test_the_length_is_counted_after_the_normal_form(typed: str) -> None:
    """What normalising takes away does not count; every other code point does."""
    given(*up_to("nickname")).when(says(typed)).then(Kind.ANSWERED, next_step="manufacturer")


@pytest.mark.parametrize(
    ("step", "typed", "rule"),
    [
        ("nickname", "x", "string_too_short"),
        ("nickname", "  x  ", "string_too_short"),
        ("nickname", "x" * 101, "string_too_long"),
        ("nickname", "x" * 5000, "string_too_long"),
        ("manufacturer", "x" * 201, "string_too_long"),
        ("notes", "x" * 1001, "string_too_long"),
    ],
)
def test_a_wrong_length_is_refused_with_the_same_question(step: str, typed: str, rule: str) -> None:
    """Too short or too long: the sentence says the limit, the question stands, nothing is lost."""
    story = given(*up_to(step)).when(says(typed))

    story.then(Kind.REJECTED, rule=rule, step=step, next_step=step, field="", value="")
    assert say(f"machine.{step}") in story.text


@pytest.mark.parametrize(("length", "limit"), [(1, "at least 2"), (101, "at most 100")])
def test_the_sentence_names_the_limit(length: int, limit: str) -> None:
    """A person learns how long a nickname may be."""
    assert limit in given(*up_to("nickname")).when(says("x" * length)).text


@pytest.mark.parametrize("typed", ["\u200b\u200b", "\u2060\u00ad", "\0\0", "\ud800\ud800", "\ufffd\ufffd\ufffd"])
def test_a_text_in_which_nothing_can_be_seen_is_refused(typed: str) -> None:
    """Signs without an appearance are no nickname."""
    story = given(*up_to("nickname")).when(says(typed))

    story.then(Kind.REJECTED, rule="value_error", next_step="nickname")
    assert "nothing to see" in story.text


def test_an_answer_may_follow_a_refusal() -> None:
    """After a refusal the next message is simply the answer."""
    given(*up_to("nickname"), says("x")).when(says("Press 4")).then(Kind.ANSWERED, field="nickname", value="Press 4")


def test_a_nickname_that_is_taken_is_refused() -> None:
    """Two machines of one person never share a nickname, and the sentence names it, escaped."""
    story = given(*a_machine("<4> & more"), *up_to("nickname")).when(says("<4>  & more"))

    story.then(Kind.REJECTED, rule="taken", step="nickname", next_step="nickname")
    assert "&lt;4&gt; &amp; more" in story.text


def test_another_nickname_is_free() -> None:
    """Only the very same name is taken."""
    given(*a_machine("Press 4"), *up_to("nickname")).when(says("press 4")).then(Kind.ANSWERED)


def test_an_unfinished_registration_takes_no_nickname() -> None:
    """A nickname belongs to a machine only when it was saved."""
    given(*up_to("confirm", "Press 4"), says("/cancel"), says("/addmachine")).when(says("Press 4")).then(Kind.ANSWERED)


@pytest.mark.parametrize("act", [says("oil"), says("/usr/bin"), says("/"), says("100/4 /skip")])
def test_a_text_at_the_photo_step_is_refused(act: Act) -> None:
    """Where a photo is asked for, a text is no answer."""
    given(*up_to("photo")).when(act).then(Kind.REJECTED, rule="photo_expected", step="photo", next_step="photo")


def test_a_text_at_the_card_is_not_understood() -> None:
    """At the card a text changes nothing; the card comes again with its buttons."""
    story = given(*up_to("confirm")).when(says("yes"))

    story.then(Kind.UNEXPECTED, rule="surplus", step="confirm", next_step="confirm")
    assert "✓ Save" in story.labels


def test_a_slash_that_is_no_command_is_an_answer() -> None:
    """A path or a fraction is a text like any other."""
    given(*up_to("location")).when(says("/usr/bin")).then(Kind.ANSWERED, value="/usr/bin", cause="text")


@pytest.mark.parametrize(
    ("typed", "kind", "expected"),
    [
        ("12", Kind.ANSWERED, {"value": "12"}),
        (" 12 ", Kind.ANSWERED, {"value": "12"}),
        ("twelve", Kind.REJECTED, {"rule": "int_parsing"}),
    ],
)
def test_a_step_may_have_any_type(typed: str, kind: Kind, expected: dict[str, str]) -> None:
    """A number is stored in its own text form, and what is none is refused."""
    given(says("/report"), says("Hall 3")).when(says(typed)).then(kind, step="count", **expected)


def test_a_choice_is_one_of_its_values() -> None:
    """A Literal type takes its values and refuses the rest, saying which there are."""
    story = given(says("/report"), says("Hall 3"), says("1")).when(says("medium"))

    story.then(Kind.REJECTED, rule="literal_error", next_step="urgency")
    assert "low" in story.text
    story.when(says("low")).then(Kind.ANSWERED, value="low", next_step="story")

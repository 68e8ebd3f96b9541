import re
import unicodedata

import pytest

from holdfast.domain.wording import WORDING, complaint, escape, say, shown
from tests.domain.reading import markup_fault

FILLED = re.compile(r"{(\w+)}")


@pytest.mark.parametrize("sentence", sorted(WORDING))
def test_every_sentence_is_sound_html(sentence: str) -> None:
    """No sentence of the table breaks the markup, whatever it is filled with."""
    values = dict.fromkeys(FILLED.findall(WORDING[sentence]), "<&>")

    assert markup_fault(say(sentence, **values)) == ""


def test_what_is_filled_in_is_escaped() -> None:
    """A value is text wherever it stands."""
    assert say("rule.taken", value="<b>&lt;") == WORDING["rule.taken"].replace("{value}", "&lt;b&gt;&amp;lt;")


def test_braces_in_a_value_mean_nothing() -> None:
    """A value is filled in once, and never read as a sentence itself."""
    assert "{value} {0} {}" in say("rule.taken", value="{value} {0} {}")


def test_a_value_that_is_gone_reads_as_an_ellipsis() -> None:
    """A sentence whose value was erased is still a sentence."""
    assert say("rule.taken") == WORDING["rule.taken"].replace("{value}", "…")


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("a\0b", "a\ufffdb"),
        ("a\ud800b", "a\ufffdb"),
        ("ab\udfff", "ab\ufffd"),
        ("\ud83c\udfed", "\U0001f3ed"),
        ("\0\ud800", "\ufffd\ufffd"),
        ("plain 🏭", "plain 🏭"),
    ],
)
def test_what_no_screen_can_hold_is_replaced(text: str, seen: str) -> None:
    """NUL and lone surrogates become U+FFFD, and nothing else changes."""
    assert shown(text) == seen
    assert escape(text) == seen


def test_a_known_rule_has_our_sentence() -> None:
    """A rule of pydantic's that we have words for is said in them, with its limits."""
    assert complaint("string_too_short", {"min_length": 2}, "dev speak") == say("rule.string_too_short", min_length=2)


def test_an_unknown_rule_has_the_declarers_sentence() -> None:
    """Else the validator's own sentence is shown, else pydantic's, escaped."""
    assert complaint("value_error", {"error": ValueError("<no>")}, "Value error, <no>") == "&lt;no&gt;"
    assert complaint("odd", {}, "<odd>") == "&lt;odd&gt;"


def test_sentences_are_in_their_normal_form() -> None:
    """What a person reads compares equal to what a test says."""
    assert [name for name, text in WORDING.items() if unicodedata.normalize("NFC", text) != text] == []

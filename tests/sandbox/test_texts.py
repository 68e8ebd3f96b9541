import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.sandbox.html import utf16_length
from holdfast.sandbox.model import Entity, Text
from holdfast.sandbox.texts import finished


def found(text: str) -> list[tuple[str, str]]:
    """What is recognised in a text: the kind and the piece."""
    done = finished(Text(text=text))
    coded = done.text.encode("utf-16-le")
    return [(one.type, coded[one.offset * 2 : one.end * 2].decode("utf-16-le")) for one in done.entities]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/start", [("bot_command", "/start")]),
        ("🏟 /help@sandbox_bot now", [("bot_command", "/help@sandbox_bot")]),
        ("either/or and 1/2", []),
        ("path /a/b", []),
        ("https://example.org/x?y=1.", [("url", "https://example.org/x?y=1")]),
        ("www.example.org!", [("url", "www.example.org")]),
        ("write to a.b@example.org", [("email", "a.b@example.org")]),
        ("ask @holdfast", [("mention", "@holdfast")]),
        ("#pump and #1", [("hashtag", "#pump")]),
        ("plain words", []),
    ],
)
def test_what_telegram_marks_is_marked(text: str, expected: list[tuple[str, str]]) -> None:
    """Commands, addresses, mentions and hashtags are recognised, and nothing that only looks like them."""
    assert found(text) == expected


def test_code_is_left_alone() -> None:
    """Nothing is recognised inside code."""
    code = Entity(type="code", offset=0, length=5)

    assert finished(Text(text="/help", entities=(code,))).entities == (code,)


def test_space_around_a_text_goes() -> None:
    """Spaces and line breaks around a text are cut, and entities move with what is left."""
    bold = Entity(type="bold", offset=4, length=4)
    done = finished(Text(text="\n  a bc \n", entities=(bold,)))

    assert done.text == "a bc"
    assert done.entities == (Entity(type="bold", offset=1, length=3),)


def test_space_at_the_beginning_of_an_entity_stays() -> None:
    """What an entity covers at the beginning is not cut."""
    code = Entity(type="code", offset=1, length=3)

    assert finished(Text(text="  ab ", entities=(code,))).text == " ab"


@given(st.text(alphabet="/@#aA1 .:w\n🏟-"), st.integers(0, 8), st.integers(1, 8))
def test_entities_stay_inside_the_text(text: str, offset: int, length: int) -> None:
    """However a text is trimmed and marked, no entity is empty or reaches beyond it."""
    entities = [Entity(type="bold", offset=offset, length=length)]
    given_inside = tuple(one for one in entities if one.end <= utf16_length(text))
    done = finished(Text(text=text, entities=given_inside))

    assert all(0 <= one.offset < one.end <= utf16_length(done.text) for one in done.entities)

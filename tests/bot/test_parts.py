import re
from html import unescape

from hypothesis import given
from hypothesis import strategies as st

from holdfast.bot.parts import CAPTION, TEXT, divided, parts_of
from holdfast.domain.screen import Button, Screen
from holdfast.domain.wording import escape
from holdfast.sandbox.html import parse, utf16_length

KEYBOARD = ((Button("Go on", "x"),),)
_PIECES = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40).map(escape),
    st.sampled_from(["&lt;", "&amp;", "&#128640;", "\n", " ", "word " * 8, "🏭" * 9, "x" * 70]),
    st.tuples(st.sampled_from("bi"), st.text(st.sampled_from("ab &\n🚀"), min_size=1, max_size=60)).map(
        lambda one: f"<{one[0]}>{escape(one[1])}</{one[0]}>"
    ),
    st.just("<b>bold <i>both</i> bold again</b>"),
)


def plain(html: str) -> str:
    """What a person reads, white space left out."""
    return re.sub(r"\s+", "", unescape(re.sub(r"<[^<>]*>", "", html)))


HTML = st.lists(_PIECES, max_size=40).map("".join).filter(plain)


@given(HTML, st.integers(2, 90), st.integers(2, 200))
def test_the_parts_say_what_the_whole_said(html: str, first: int, rest: int) -> None:
    """Each part has its bound, is sound by itself and not blank, and together they have every letter in its place."""
    parts = divided(html, first, rest)
    texts = [parse(part).text for part in parts]

    assert "".join(map(plain, parts)) == plain(html)
    assert [utf16_length(text) <= most for text, most in zip(texts, [first, *[rest] * len(texts)], strict=False)] == [
        True
    ] * len(texts)
    assert all(text.strip() for text in texts)


@given(HTML, st.integers(2, 90))
def test_letters_keep_their_looks(html: str, most: int) -> None:
    """What was bold or slanted in the whole is so in the parts, and nothing else is."""
    looks = [_looks(part) for part in divided(html, most, most)]

    assert [one for part in looks for one in part] == _looks(html)


def _looks(html: str) -> list[tuple[str, frozenset[str]]]:
    """Give each letter that shows with what is laid on it."""
    read = parse(html)
    units = read.text.encode("utf-16-le")
    found = []
    for place in range(len(units) // 2):
        on = frozenset(one.type for one in read.entities if one.offset <= place < one.end)
        unit = units[2 * place : 2 * place + 2]
        if not unit.decode("utf-16-le", "replace").isspace():
            found.append((unit.hex(), on))
    return found


def test_what_fits_is_left_alone() -> None:
    """A text of exactly the bound is one message, also when its markup is longer than that."""
    for text in ("x" * TEXT, "🚀" * (TEXT // 2)):
        assert parts_of(Screen(text=text, keyboard=KEYBOARD)) == (Screen(text=text, keyboard=KEYBOARD),)

    assert len(parts_of(Screen(text="&lt;" * TEXT))) == 1
    assert len(parts_of(Screen(text="x" * (TEXT + 1)))) == 2


def test_the_buttons_are_below_the_last_part() -> None:
    """Of a long screen the last part has the buttons, and none takes the place of an older message."""
    lines = "\n".join(f"line {number} " + "x" * 80 for number in range(150))
    parts = parts_of(Screen(text=lines, keyboard=KEYBOARD, in_place="last"))

    assert [one.keyboard for one in parts] == [(), (), (), KEYBOARD][-len(parts) :]
    assert {one.in_place for one in parts} == {""}
    assert all(one.text.endswith("\n") for one in parts[:-1])


def test_a_long_caption_goes_on_below_the_photo() -> None:
    """The photo has as much of the text as a caption may have, at the end of a word, and messages have the rest."""
    text = "word " * 400
    first, second = parts_of(Screen(text=text, keyboard=KEYBOARD, photo="file"))

    assert (first.photo, second.photo) == ("file", "")
    assert CAPTION - 5 <= len(first.text) <= CAPTION
    assert (first.keyboard, second.keyboard) == ((), KEYBOARD)
    assert first.text + second.text == text

import contextlib
import html as standard

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.sandbox.errors import BadRequest
from holdfast.sandbox.html import parse, utf16_length
from holdfast.sandbox.model import Entity

WRITTEN = st.text(st.characters(exclude_categories=["Cs"]))


def entity(kind: str, offset: int, length: int, **rest: str) -> Entity:
    return Entity(type=kind, offset=offset, length=length, **rest)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("🏟 🏟&lt;<abac>", 'Unsupported start tag "abac" at byte offset 13'),
        ("🏟 🏟&lt;<i   =aba>", 'Empty attribute name in the tag "i" at byte offset 13'),
        ("🏟 🏟&lt;<i    aba>", 'Can\'t find end tag corresponding to start tag "i"'),
        ("🏟 🏟&lt;<i    aba  =  ", 'Unclosed start tag "i" at byte offset 13'),
        ("🏟 🏟&lt;<i    aba  =  190azAz-.,", "Unexpected end of name token at byte offset 27"),
        ('🏟 🏟&lt;<i    aba  =  "&lt;&gt;&quot;>', "Unclosed start tag at byte offset 13"),
        ("🏟 🏟&lt;</", "Unexpected end tag at byte offset 13"),
        ("🏟 🏟&lt;<b></b></", "Unexpected end tag at byte offset 20"),
        ("🏟 🏟&lt;<i>a</i   ", "Unclosed end tag at byte offset 17"),
        ("🏟 🏟&lt;<i>a</em   >", 'Unmatched end tag at byte offset 17, expected "</i>", found "</em>"'),
        ("a < b", 'Unsupported start tag "" at byte offset 2'),
        ("<b", "Unclosed start tag at byte offset 0"),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        ('<tg-emoji emoji-id="x">x</tg-emoji>', "Invalid custom emoji identifier specified"),
    ],
)
def test_bad_markup_is_refused_with_telegrams_words(source: str, why: str) -> None:
    """What Telegram cannot parse is refused, with the byte where it went wrong."""
    with pytest.raises(BadRequest) as refused:
        parse(source)

    assert refused.value.description == f"Bad Request: can't parse entities: {why}"


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        ("", "", []),
        ("&ge;&lt;&gt;&amp;&quot;&laquo;&#12345678;", '&ge;<>&"&laquo;&#12345678;', []),
        ("&#65;&#x42;&lt", "AB<", []),
        ("➡️ ➡️<i>➡️ ➡️</i>", "➡️ ➡️➡️ ➡️", [entity("italic", 5, 5)]),
        ("🏟<b>🏟</b>", "🏟🏟", [entity("bold", 2, 2)]),
        ("<STRONG>x</strong>", "x", [entity("bold", 0, 1)]),
        ("<b>x</>", "x", [entity("bold", 0, 1)]),
        ("<b>a<i>b</i></b>", "ab", [entity("bold", 0, 2), entity("italic", 1, 1)]),
        ("<b></b>x", "x", []),
        ("<ins>a</ins><del>b</del>", "ab", [entity("underline", 0, 1), entity("strikethrough", 1, 1)]),
        ('<span class="tg-spoiler">x</span>', "x", [entity("spoiler", 0, 1)]),
        ("<tg-spoiler>x</tg-spoiler>", "x", [entity("spoiler", 0, 1)]),
        (
            "<a href='https://example.org/?a=1&amp;b'>x</a>",
            "x",
            [entity("text_link", 0, 1, url="https://example.org/?a=1&b")],
        ),
        ("<a href=example.org>x</a>", "x", [entity("text_link", 0, 1, url="http://example.org")]),
        ("<a>https://example.org</a>", "https://example.org", [entity("text_link", 0, 19, url="https://example.org")]),
        ("<a href='nothing'>x</a>", "x", []),
        ("<pre>x</pre>", "x", [entity("pre", 0, 1)]),
        ('<pre><code class="language-sql">x</code></pre>', "x", [entity("pre", 0, 1, language="sql")]),
        ("<pre><code>x</code></pre>", "x", [entity("pre", 0, 1)]),
        ("<code class='language-sql'>x</code>", "x", [entity("code", 0, 1)]),
        ("<blockquote>x</blockquote>", "x", [entity("blockquote", 0, 1)]),
        ("<blockquote expandable>x</blockquote>", "x", [entity("expandable_blockquote", 0, 1)]),
        ("<tg-emoji emoji-id='12'>👍</tg-emoji>", "👍", [entity("custom_emoji", 0, 2, custom_emoji_id="12")]),
    ],
)
def test_markup_becomes_entities(source: str, text: str, entities: list[Entity]) -> None:
    """Tags and references are taken out of the text, and told with offsets in UTF-16 code units."""
    parsed = parse(source)

    assert parsed.text == text
    assert list(parsed.entities) == entities


@given(WRITTEN)
def test_what_is_escaped_comes_back_as_it_was(written: str) -> None:
    """Escaping the three characters is enough to send any text unharmed."""
    parsed = parse(standard.escape(written, quote=False))

    assert parsed.text == written
    assert parsed.entities == ()


@given(WRITTEN, WRITTEN.filter(bool), WRITTEN)
def test_offsets_cut_the_same_piece_out_of_utf16(before: str, inside: str, after: str) -> None:
    """An entity's offset and length find its text in UTF-16, whatever stands around it."""
    escaped = [standard.escape(part, quote=False) for part in (before, inside, after)]
    parsed = parse("{}<b>{}</b>{}".format(*escaped))
    [bold] = parsed.entities
    piece = parsed.text.encode("utf-16-le")[bold.offset * 2 : bold.end * 2]

    assert piece.decode("utf-16-le") == inside
    assert utf16_length(inside) == bold.length


@given(st.text(alphabet="<>/&;ab i=\"'#1-x"))
def test_any_text_is_parsed_or_refused(source: str) -> None:
    """Markup of any kind gives a text with entities inside it, or a refusal, and never anything else."""
    with contextlib.suppress(BadRequest):
        parsed = parse(source)
        assert all(0 <= one.offset < one.end <= utf16_length(parsed.text) for one in parsed.entities)

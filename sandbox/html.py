"""Telegram's HTML: parsed to text and entities, refused as Telegram refuses it."""

import re
from urllib.parse import urlsplit

import msgspec

from holdfast.sandbox.errors import BadRequest
from holdfast.sandbox.model import Entity, Text

SIMPLE = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "a": "text_link",
    "tg-emoji": "custom_emoji",
}
NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
REFERENCE = re.compile(r"&(?:#x([0-9a-fA-F]{1,8})|#(\d{1,9})|(lt|gt|amp|quot));?")
NAME = re.compile(r"[^\s=>]*")
BARE_VALUE = re.compile(r"[A-Za-z0-9.\-]*")
SPACE = re.compile(r"\s*")
TAG_NAME = re.compile(r"[^\s>]*")
SCHEMES = frozenset({"http", "https", "tg", "ton", "mailto", "tel"})
LAST_CODE_POINT = 0x10FFFF
SURROGATES = range(0xD800, 0xE000)


class Open(msgspec.Struct):
    """A tag that waits for its end."""

    tag: str
    attributes: dict[str, str]
    offset: int


def utf16_length(text: str) -> int:
    """How many UTF-16 code units a text has: what Telegram's offsets count."""
    return len(text) + sum(character > "\uffff" for character in text)


def parse(source: str) -> Text:
    """The text and the entities that a piece of Telegram's HTML stands for."""
    return _Parser(source).parse()


class _Parser:
    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0
        self._parts: list[str] = []
        self._offset = 0
        self._open: list[Open] = []
        self._entities: list[Entity] = []

    def parse(self) -> Text:
        while self._at < len(self._source):
            self._step()
        if self._open:
            raise self._refusal(f'Can\'t find end tag corresponding to start tag "{self._open[-1].tag}"')
        self._entities.sort(key=lambda entity: (entity.offset, -entity.length))
        return Text(text="".join(self._parts), entities=tuple(self._entities))

    def _step(self) -> None:
        stop = re.compile("[&<]").search(self._source, self._at)
        end = stop.start() if stop else len(self._source)
        if end > self._at:
            self._write(self._source[self._at : end])
            self._at = end
        elif self._source[self._at] == "&":
            self._reference()
        elif self._source.startswith("</", self._at):
            self._end_tag()
        else:
            self._start_tag()

    def _write(self, text: str) -> None:
        self._parts.append(text)
        self._offset += utf16_length(text)

    def _reference(self) -> None:
        match = REFERENCE.match(self._source, self._at)
        decoded = _decoded(match) if match else None
        self._at = match.end() if match and decoded else self._at + 1
        self._write(decoded or "&")

    def _start_tag(self) -> None:
        begin = self._at
        tag = self._take(TAG_NAME, begin + 1).lower()
        if self._at >= len(self._source):
            raise self._refusal("Unclosed start tag", begin)
        if tag not in SIMPLE:
            raise self._refusal(f'Unsupported start tag "{tag}"', begin)
        attributes = self._attributes(tag, begin)
        if tag == "span" and attributes.get("class") != "tg-spoiler":
            raise self._refusal('Tag "span" must have class "tg-spoiler"', begin)
        self._open.append(Open(tag, attributes, self._offset))

    def _attributes(self, tag: str, begin: int) -> dict[str, str]:
        found: dict[str, str] = {}
        while True:
            self._take(SPACE, self._at)
            if self._at >= len(self._source):
                raise self._refusal(f'Unclosed start tag "{tag}"', begin)
            if self._source[self._at] == ">":
                self._at += 1
                return found
            name = self._take(NAME, self._at)
            if not name:
                raise self._refusal(f'Empty attribute name in the tag "{tag}"', begin)
            found[name.lower()] = self._value(tag, begin)

    def _value(self, tag: str, begin: int) -> str:
        self._take(SPACE, self._at)
        if not self._source.startswith("=", self._at):
            return ""
        self._take(SPACE, self._at + 1)
        if self._at >= len(self._source):
            raise self._refusal(f'Unclosed start tag "{tag}"', begin)
        quote = self._source[self._at]
        return self._quoted(quote, begin) if quote in "\"'" else self._bare()

    def _bare(self) -> str:
        begin = self._at
        value = self._take(BARE_VALUE, begin)
        if self._at >= len(self._source) or not (self._source[self._at].isspace() or self._source[self._at] == ">"):
            raise self._refusal("Unexpected end of name token", begin)
        return value

    def _quoted(self, quote: str, begin: int) -> str:
        end = self._source.find(quote, self._at + 1)
        if end < 0:
            raise self._refusal("Unclosed start tag", begin)
        value, self._at = self._source[self._at + 1 : end], end + 1
        return REFERENCE.sub(lambda match: _decoded(match) or match.group(), value)

    def _end_tag(self) -> None:
        begin = self._at
        if not self._open:
            raise self._refusal("Unexpected end tag", begin)
        tag = self._take(TAG_NAME, begin + 2).lower()
        self._take(SPACE, self._at)
        if not self._source.startswith(">", self._at):
            raise self._refusal("Unclosed end tag", begin)
        self._at += 1
        opened = self._open.pop()
        if tag and tag != opened.tag:
            raise self._refusal("Unmatched end tag", begin, f', expected "</{opened.tag}>", found "</{tag}>"')
        if self._offset > opened.offset:
            self._close(opened)

    def _close(self, opened: Open) -> None:
        entity = Entity(type=SIMPLE[opened.tag], offset=opened.offset, length=self._offset - opened.offset)
        finish = {"a": self._link, "pre": self._pre, "code": self._code, "tg-emoji": self._emoji}.get(opened.tag)
        if opened.tag == "blockquote" and "expandable" in opened.attributes:
            entity = msgspec.structs.replace(entity, type="expandable_blockquote")
        finished = finish(entity, opened) if finish else entity
        if finished is not None:
            self._entities.append(finished)

    def _link(self, entity: Entity, opened: Open) -> Entity | None:
        written = "".join(self._parts).encode("utf-16-le")[entity.offset * 2 : entity.end * 2]
        url = _checked_url(opened.attributes.get("href") or written.decode("utf-16-le"))
        return msgspec.structs.replace(entity, url=url) if url else None

    def _emoji(self, entity: Entity, opened: Open) -> Entity:
        number = opened.attributes.get("emoji-id", "")
        if not number.isdecimal():
            raise self._refusal("Invalid custom emoji identifier specified")
        return msgspec.structs.replace(entity, custom_emoji_id=number)

    def _code(self, entity: Entity, opened: Open) -> Entity:
        language = opened.attributes.get("class", "").removeprefix("language-")
        inside_pre = bool(self._open) and self._open[-1].tag == "pre"
        return msgspec.structs.replace(entity, language=language) if language and inside_pre else entity

    def _pre(self, entity: Entity, opened: Open) -> Entity:
        """`<pre><code class="language-x">` over the same text is one block of code in a language."""
        del opened
        last = self._entities[-1] if self._entities else None
        if last is None or (last.type, last.offset, last.length) != ("code", entity.offset, entity.length):
            return entity
        self._entities.pop()
        return msgspec.structs.replace(entity, language=last.language)

    def _take(self, pattern: re.Pattern[str], begin: int) -> str:
        match = pattern.match(self._source, begin)
        self._at = match.end() if match else begin
        return match.group() if match else ""

    def _refusal(self, why: str, at: int | None = None, rest: str = "") -> BadRequest:
        where = "" if at is None else f" at byte offset {len(self._source[:at].encode())}"
        return BadRequest(f"can't parse entities: {why}{where}{rest}")


def _decoded(match: re.Match[str]) -> str | None:
    hexadecimal, decimal, name = match.groups()
    if name:
        return NAMED[name]
    code = int(hexadecimal, 16) if hexadecimal else int(decimal)
    valid = 0 < code <= LAST_CODE_POINT and code not in SURROGATES
    return chr(code) if valid else None


def _checked_url(url: str) -> str | None:
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return None
    if parts.scheme in SCHEMES:
        return url.strip()
    return f"http://{url.strip()}" if "." in parts.path and " " not in url.strip() else None

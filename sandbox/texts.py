"""Texts as Telegram stores them: trimmed, with what it recognises by itself marked."""

import re
from collections.abc import Iterable, Iterator

import msgspec

from holdfast.sandbox.html import utf16_length
from holdfast.sandbox.model import Entity, Text

FOUND = {
    "bot_command": re.compile(r"(?<![\w/@<>])/[A-Za-z0-9_]{1,64}(?:@\w{3,32})?(?![\w/])"),
    "url": re.compile(r"(?<![\w@])(?:https?://|www\.)[^\s<>\"]*[^\s<>\".,;:!?)\]]"),
    "email": re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}"),
    "mention": re.compile(r"(?<![\w@])@[A-Za-z]\w{3,31}"),
    "hashtag": re.compile(r"(?<![\w#])#\w*[^\W\d]\w*"),
}
# A cheap look that spares most texts the five searches above.
HINT = re.compile(r"[/@#]|www\.")
# Inside these nothing is recognised.
OPAQUE = frozenset({"code", "pre", "text_link", "custom_emoji"})


def finished(text: Text) -> Text:
    """What becomes of a text when it is sent: spaces around it go, links and commands are marked."""
    trimmed = _trimmed(text)
    marked = list(_not_inside(_recognised(trimmed.text), trimmed.entities))
    entities = sorted([*trimmed.entities, *marked], key=lambda entity: (entity.offset, -entity.length))
    return Text(text=trimmed.text, entities=tuple(entities))


def _trimmed(text: Text) -> Text:
    kept = text.text.rstrip()
    # White space that an entity covers is kept at the beginning, as Telegram does.
    first = min((entity.offset for entity in text.entities), default=len(kept))
    skipped = min(len(kept) - len(kept.lstrip(" \n")), first)
    kept = kept[skipped:]
    length = utf16_length(kept)
    moved = (_moved(entity, skipped, length) for entity in text.entities)
    return Text(text=kept, entities=tuple(entity for entity in moved if entity.length > 0))


def _moved(entity: Entity, back: int, length: int) -> Entity:
    if not back and entity.end <= length:
        return entity
    offset = entity.offset - back
    return msgspec.structs.replace(entity, offset=offset, length=min(entity.length, length - offset))


def _recognised(text: str) -> Iterator[Entity]:
    if not HINT.search(text):
        return
    taken: set[int] = set()
    for kind, pattern in FOUND.items():
        for match in pattern.finditer(text):
            if taken.isdisjoint(range(*match.span())):
                taken.update(range(*match.span()))
                offset = utf16_length(text[: match.start()])
                yield Entity(type=kind, offset=offset, length=utf16_length(match.group()))


def _not_inside(found: Iterable[Entity], given: tuple[Entity, ...]) -> Iterator[Entity]:
    opaque = [entity for entity in given if entity.type in OPAQUE]
    for entity in found:
        if all(entity.end <= other.offset or entity.offset >= other.end for other in opaque):
            yield entity

"""A screen that is longer than one message of Telegram's becomes several."""

import re
from collections.abc import Iterator
from html import unescape

from msgspec.structs import replace

from holdfast.domain.screen import Screen

TEXT, CAPTION = 4096, 1024
"""The most that a message, and the text under a photo, may have once its markup is read: in UTF-16 code units."""

_PIECE = re.compile(r"<[^<>]*>|&(?:#\d{1,7}|#x[0-9a-fA-F]{1,6}|\w{1,8});|.", re.DOTALL)
_LINES, _WORDS = "\n", " \t"


def parts_of(screen: Screen) -> tuple[Screen, ...]:
    """Divide a screen at the ends of lines or words; the buttons are below the last part, a photo above the first.

    A screen of several parts takes no other message's place.
    """
    first = CAPTION if screen.photo else TEXT
    if _units(screen.text) <= first:
        return (screen,)
    *texts, last = divided(screen.text, first, TEXT)
    shown = [Screen(text=text) for text in texts]
    shown.append(Screen(text=last, keyboard=screen.keyboard))
    shown[0] = replace(shown[0], photo=screen.photo)
    return tuple(shown)


def divided(text: str, first: int, rest: int) -> list[str]:
    """Divide HTML into parts of at most so many units to be read, each with its tags closed; none is blank."""
    pieces = _PIECE.findall(text)
    parts: list[str] = []
    opened: list[str] = []
    while pieces:
        end = _end(pieces, rest if parts else first)
        part, opened = _closed(opened, pieces[:end])
        pieces = pieces[end:]
        if _read(part).strip():
            parts.append(part)
    return parts or [text]


def _end(pieces: list[str], most: int) -> int:
    """Find how many pieces are one part: all, or as far as a line ends, or a word, in the further half."""
    used, ends = 0, {"line": 0, "word": 0}
    for place, piece in enumerate(pieces, start=1):
        used += _cost(piece)
        if used > most:
            return ends["line"] or ends["word"] or max(place - 1, 1)
        if used > most // 2 and piece in _LINES:
            ends["line"] = place
        elif used > most // 2 and piece in _WORDS:
            ends["word"] = place
    return len(pieces)


def _closed(opened: list[str], pieces: list[str]) -> tuple[str, list[str]]:
    """Write a part: what was open before is opened again, and what is open at its end is closed."""
    begun, open_now = "".join(opened), list(opened)
    for piece in pieces:
        if _is_tag(piece) and not piece.startswith("</"):
            open_now.append(piece)
        elif _is_tag(piece) and open_now:
            open_now.pop()
    ends = "".join(f"</{_name(tag)}>" for tag in reversed(open_now))
    return begun + "".join(pieces) + ends, open_now


def _is_tag(piece: str) -> bool:
    return len(piece) > 1 and piece[0] == "<"


def _name(tag: str) -> str:
    return tag[1:-1].split(maxsplit=1)[0]


def _cost(piece: str) -> int:
    return 0 if _is_tag(piece) else _units(unescape(piece))


def _units(text: str) -> int:
    return len(text) + sum(character > "\uffff" for character in text)


def _read(text: str) -> str:
    return "".join(_characters(text))


def _characters(text: str) -> Iterator[str]:
    for piece in _PIECE.findall(text):
        if not _is_tag(piece):
            yield unescape(piece)

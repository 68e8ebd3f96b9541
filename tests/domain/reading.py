"""What a screen must be before it may be sent, and reading it as a person does."""

import re
from html import unescape

from holdfast.domain.screen import Screen
from tests.domain.given import buttons

LONGEST = 4096
"""Characters of a message, after Telegram has parsed it."""

_PIECE = re.compile(r"<(/?)(b|i|code)>|&(?:lt|gt|amp);|[^<>&]")


def plain(text: str) -> str:
    """Read the small HTML: tags go, entities become signs."""
    return unescape(re.sub(r"</?(?:b|i|code)>", "", text))


def fault(screen: Screen) -> str:
    """Say what Telegram or a person would find wrong with a screen; empty when nothing is."""
    text = plain(screen.text)
    if not text.strip():
        return "it is empty"
    if len(text) > LONGEST:
        return f"it is {len(text)} characters long"
    if bad := [one for one in buttons(screen) if not 1 <= len(one.data.encode()) <= 64 or not one.label]:
        return f"its buttons {bad} do not fit"
    return markup_fault(screen.text)


def markup_fault(text: str) -> str:
    """Say what is wrong with the markup: only balanced b, i and code, only the entities that escaping makes."""
    text.encode()
    opened: list[str] = []
    at = 0
    while at < len(text):
        piece = _PIECE.match(text, at)
        if piece is None:
            return f"its markup breaks at {text[at : at + 20]!r}"
        at = piece.end()
        if piece[2] and not piece[1]:
            opened.append(piece[2])
        elif piece[2] and (not opened or opened.pop() != piece[2]):
            return f"it closes {piece[2]} where it is not open"
    return f"it leaves {opened} open" if opened else ""

"""Screens for a terminal: the small HTML as plain text, the buttons numbered."""

import re
from html import unescape

from holdfast.domain.screen import Button, Screen

_TAG = re.compile(r"</?(?:b|i|code)>")
_UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def plain(html: str) -> str:
    """Show the small HTML as text; control signs that could move a terminal's cursor are taken out."""
    return safe(unescape(_TAG.sub("", html)))


def safe(text: str) -> str:
    """Make a person's words harmless for a terminal."""
    return _UNSAFE.sub("\ufffd", text).encode("utf-8", "replace").decode()


def buttons(screen: Screen) -> list[Button]:
    """Give a screen's buttons in reading order."""
    return [button for row in screen.keyboard for button in row]


def shown(screen: Screen) -> str:
    """Show a whole screen; a button is tapped by its number."""
    numbered = [f"  [{place}] {button.label}" for place, button in enumerate(buttons(screen), start=1)]
    return "\n".join([plain(screen.text), *numbered])

"""What a person is shown: a text in Telegram's small HTML, and buttons below it."""

from msgspec import Struct


class Button(Struct, frozen=True, gc=False):
    """One button: the label a person reads, and at most 64 bytes of data that come back when it is tapped."""

    label: str
    data: str


Keyboard = tuple[tuple[Button, ...], ...]
"""Buttons, row by row."""


class Screen(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One message. `text` is HTML with `<b>`, `<i>` and `<code>` only; all that people typed is escaped in it.

    `photo` is a file Telegram keeps, shown above the text. `in_place` asks to change the message whose button was
    tapped instead of sending another: `last` only while it is the last one in the chat, `any` wherever it stands.
    """

    text: str
    keyboard: Keyboard = ()
    photo: str = ""
    in_place: str = ""

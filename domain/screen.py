"""What a person is shown: a text in Telegram's small HTML, and buttons below it."""

from msgspec import Struct


class Button(Struct, frozen=True, gc=False):
    """One button: the label a person reads, and at most 64 bytes of data that come back when it is tapped."""

    label: str
    data: str


class Screen(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One message. `text` is HTML with `<b>`, `<i>` and `<code>` only; all that people typed is escaped in it."""

    text: str
    keyboard: tuple[tuple[Button, ...], ...] = ()
    photo: str = ""

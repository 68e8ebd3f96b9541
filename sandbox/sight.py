"""What a person sees, as the test kit reads it."""

from collections.abc import Callable, Iterator

import msgspec

from holdfast.sandbox.model import Button, Chat, Message
from holdfast.sandbox.rooms import Toast

Wanted = str | Callable[[Message], bool]


class Sight(msgspec.Struct, frozen=True):
    """What a person sees in a chat."""

    chat: Chat
    version: int
    messages: tuple[Message, ...]
    toasts: tuple[Toast, ...]
    blocked: bool = False
    typing: str | None = None


class Status(msgspec.Struct, frozen=True):
    """How far the bot has come."""

    pending: int
    confirmed: int
    next_update_id: int
    open_taps: int
    polling: bool
    now: float


def text_of(message: Message) -> str:
    """The text or caption of a message."""
    return message.text or message.caption or ""


def labels(message: Message) -> list[str]:
    """The labels of the buttons under a message."""
    return [button.text for button in buttons(message)]


def buttons(message: Message) -> Iterator[Button]:
    """The buttons under a message, row by row."""
    rows = message.reply_markup.inline_keyboard if message.reply_markup else ()
    return (button for row in rows for button in row)


def from_bot(sight: Sight) -> Iterator[Message]:
    """What the bot wrote, newest first."""
    return (message for message in reversed(sight.messages) if message.from_.is_bot)


def fits(message: Message, wanted: Wanted) -> bool:
    """Whether a message is the one waited for."""
    return wanted in text_of(message) if isinstance(wanted, str) else wanted(message)

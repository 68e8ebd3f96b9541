"""What a person does in a test, as plain values: `says("/inspect")`, `taps("Skip")`, `sends_photo()`."""

from collections.abc import Callable
from datetime import timedelta

from msgspec import Struct
from msgspec.structs import replace

from holdfast.domain import taps as data
from holdfast.domain.event import Said
from holdfast.domain.screen import Button
from holdfast.testkit.phone import Phone

__tracebackhide__ = True

PERSON = 7


class Act(Struct, frozen=True):
    """Something a person does, with the phone before them; `told` is how a failure shows it."""

    told: str
    does: Callable[[Phone], Said]
    pause: timedelta = timedelta()


def says(text: str) -> Act:
    """Type a text or a command."""
    return Act(text, lambda _: _said("text", text=text))


def skips() -> Act:
    """Leave the question out, as the Skip button does."""
    return says("/skip")


def goes_back() -> Act:
    """Return to the question before."""
    return says("/back")


def cancels() -> Act:
    """Stop without a result."""
    return says("/cancel")


def taps(label: str) -> Act:
    """Tap a button below the bot's last message; a part of its label will do where it fits one button only."""
    return Act(f"[{label}]", lambda phone: _tap(phone, phone.button(label)))


def confirms() -> Act:
    """Tap the button that completes the conversation, whatever the flow calls it."""
    return Act("[confirm]", lambda phone: _tap(phone, phone.button_that(_confirms, "button that confirms")))


def sends_photo(file_id: str = "photo-1", *, caption: str = "") -> Act:
    """Send a picture; `file_id` is the value that is filed."""
    told = f"(photo {file_id}) {caption}".rstrip()
    return Act(told, lambda _: _said("photo", text=caption, file_id=file_id))


def sends(content: str) -> Act:
    """Send what no step can take: a sticker, a voice message, a location."""
    return Act(f"({content})", lambda _: _said("other", content=content))


def edits(text: str, *, to: str) -> Act:
    """Change an earlier message of one's own, found by its words."""
    return Act(
        f"{to} (edited, it was: {text})",
        lambda phone: _said("edit", text=to, message_id=phone.own(text).number),
    )


def later(act: Act, *, hours: float) -> Act:
    """Do something only after a while: a conversation that was left alone past its time to live is closed first."""
    return replace(act, told=f"{hours:g} hours later: {act.told}", pause=timedelta(hours=hours))


def _said(kind: str, *, text: str = "", content: str = "", file_id: str = "", message_id: int = 0) -> Said:
    return Said(
        type=kind, user_id=PERSON, chat_id=PERSON, text=text, content=content, file_id=file_id, message_id=message_id
    )


def _tap(phone: Phone, button: Button) -> Said:
    return _said("tap", text=button.data, message_id=phone.reply.number)


def _confirms(button: Button) -> bool:
    tap = data.read(button.data)
    return tap is not None and not tap.verb and tap.action == data.CONFIRM

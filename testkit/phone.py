"""The chat as its person has it before them: what they wrote, what the bot answered, and the buttons."""

from collections.abc import Callable

from msgspec import Struct

from holdfast.cli.plain import buttons, plain
from holdfast.domain.screen import Button, Screen

__tracebackhide__ = True


class Message(Struct, frozen=True):
    """One message; `told` is how a failure shows it."""

    number: int
    text: str
    told: str
    is_own: bool = False
    buttons: tuple[Button, ...] = ()


class Phone(Struct, frozen=True):
    """All messages, oldest first; an act adds to it, and it never changes."""

    messages: tuple[Message, ...] = ()

    def sent(self, number: int, text: str, told: str) -> "Phone":
        """Add what the person did."""
        return Phone((*self.messages, Message(number, text, f"  > {told}", is_own=True)))

    def shown(self, number: int, screen: Screen) -> "Phone":
        """Add what the bot answered."""
        text = plain(screen.text)
        return Phone((*self.messages, Message(number, text, _indented(screen, text), buttons=tuple(buttons(screen)))))

    @property
    def reply(self) -> Message:
        """The bot's last message; an empty one when it has said nothing yet."""
        return next((one for one in reversed(self.messages) if not one.is_own), Message(0, "", ""))

    def button(self, label: str) -> Button:
        """Find the button of the last reply that reads so, or the only one of which this is a part."""
        exact = [one for one in self.reply.buttons if one.label == label]
        return self._only(f"button {label!r}", lambda one: label in one.label, exact)

    def button_that(self, does: Callable[[Button], bool], name: str) -> Button:
        """Find the button of the last reply that does something, whatever its label."""
        return self._only(name, does, [])

    def _only(self, name: str, fits: Callable[[Button], bool], found: list[Button]) -> Button:
        found = found or [one for one in self.reply.buttons if fits(one)]
        if len(found) == 1:
            return found[0]
        labels = ", ".join(repr(one.label) for one in self.reply.buttons) or "none"
        raise self.failure(f"There is {'more than one' if found else 'no'} {name}; the buttons are: {labels}.")

    def own(self, text: str) -> Message:
        """Find what the person wrote in these words, or wrote last of several."""
        for one in reversed(self.messages):
            if one.is_own and one.text == text:
                return one
        raise self.failure(f"Nobody has written {text!r}.")

    def failure(self, why: str) -> AssertionError:
        """Tell why a test fails, and the chat so far."""
        return AssertionError(f"{why}\n\nThe chat so far:\n{self}")

    def __str__(self) -> str:
        return "\n".join(one.told for one in self.messages) or "  (nothing)"


def _indented(screen: Screen, text: str) -> str:
    rows = [" ".join(f"[{one.label}]" for one in row) for row in screen.keyboard]
    return "\n".join(f"    {line}".rstrip() for line in (*text.splitlines(), *rows))

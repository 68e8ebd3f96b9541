"""The card after a fork: what was said on both sides, what counts now, and a button for each thing beside it."""

from collections.abc import Iterator, Sequence

from holdfast.domain import taps
from holdfast.domain.event import Event
from holdfast.domain.ids import from_text
from holdfast.domain.library import FIELDS
from holdfast.domain.screen import Button, Screen
from holdfast.domain.wording import WORDING, clipped, say

_AT_ONCE = 6
"""Things in one message: with more, it could burst."""
_LABEL = 40


def merge_screens(event: Event) -> tuple[Screen, ...]:
    """Render the card, in as many messages as it takes; of words that were erased nothing but that there was a fork."""
    lines = event.words.lines if event.words else ()
    things = list(zip(lines, _buttons(event), strict=True)) if lines else []
    parts = [things[at : at + _AT_ONCE] for at in range(0, len(things), _AT_ONCE)] or [[]]
    return tuple(_screen(part, first=place == 0) for place, part in enumerate(parts))


def _screen(things: Sequence[tuple[str, Button]], *, first: bool) -> Screen:
    head = [say("merged")] if first else []
    return Screen(
        text="\n\n".join([*head, *(line for line, _ in things)]),
        keyboard=tuple((button,) for _, button in things),
    )


def _buttons(event: Event) -> Iterator[Button]:
    """Give the button of each thing: use the other answer, take up the conversation, rename the machine."""
    called = iter(event.words.called if event.words else ())
    for place in range(len(event.facts.unfiled)):
        yield _button("use", next(called), taps.thing(taps.USE, event.event_id, place))
    for conversation in event.facts.offers:
        yield _button("take_up.of", next(called), taps.thing(taps.TAKE_UP, from_text(conversation)))
    for _, machine in event.facts.renamed:
        yield _button("rename", next(called), taps.thing(taps.EDIT, from_text(machine), FIELDS.index("nickname")))


def _button(name: str, called: str, data: str) -> Button:
    return Button(WORDING[f"button.{name}"].format(name=clipped(called, _LABEL)), data)

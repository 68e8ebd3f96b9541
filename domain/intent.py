"""What a person wants with an input: read from what was said and where the thread stands."""

import re

from msgspec import Struct

from holdfast.domain import taps
from holdfast.domain.event import Said
from holdfast.domain.flow import Flow, Flows
from holdfast.domain.state import Conversation, ThreadState


class Start(Struct, frozen=True):
    """Begin a flow, or go on with it where it is open."""

    flow: Flow


class Reply(Struct, frozen=True):
    """A typed text: the answer to whatever is asked."""

    text: str


class Skip(Struct, frozen=True):
    """Leave the present question out; where it has an answer already, leave that as it is."""


class Clear(Struct, frozen=True):
    """Leave the field of the present question empty, also where it has an answer."""


class Back(Struct, frozen=True):
    """Go to the question before."""


class Change(Struct, frozen=True):
    """Ask one field again, from the card."""

    field: str


class Cancel(Struct, frozen=True):
    """End without a result."""


class Confirm(Struct, frozen=True):
    """All is right: complete the conversation."""


class Photo(Struct, frozen=True):
    """A picture, to be kept wherever the conversation stands."""

    file_id: str


class Edit(Struct, frozen=True):
    """An earlier message now has another text."""

    message_id: int
    text: str


class Ask(Struct, frozen=True):
    """A wish that needs no conversation: `topic` chooses the reply."""

    topic: str


class Stray(Struct, frozen=True):
    """An input that does not belong here; `rule` says why."""

    rule: str


Intent = Start | Reply | Skip | Clear | Back | Change | Cancel | Confirm | Photo | Edit | Ask | Stray

_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@[A-Za-z0-9_]+)?(?=\s|$)")
_PLAIN: dict[str, Intent] = {
    "skip": Skip(),
    "back": Back(),
    "cancel": Cancel(),
    "help": Ask("help"),
    "start": Ask("start"),
}
_TAPS: dict[str, Intent] = {
    taps.SKIP: Skip(),
    taps.KEEP: Skip(),
    taps.EMPTY: Clear(),
    taps.BACK: Back(),
    taps.CANCEL: Cancel(),
    taps.CONFIRM: Confirm(),
}


def interpret(flows: Flows, state: ThreadState, said: Said) -> Intent:
    """Read the intent of an input; never fails."""
    match said.type:
        case "text":
            return _typed(flows, said.text)
        case "tap":
            return _tapped(flows, state, said.text)
        case "photo":
            return Photo(said.file_id)
        case "edit":
            return Edit(said.message_id, said.text)
        case "group":
            return Ask("group")
        case _:
            return Stray("unsupported")


def cause_of(said: Said) -> str:
    """Name how an input came: command, text, button, photo, edit or other."""
    if said.type == "text":
        return "command" if _COMMAND.match(said.text) else "text"
    return {"tap": "button"}.get(said.type, said.type)


def _typed(flows: Flows, text: str) -> Intent:
    command = _COMMAND.match(text)
    if not command:
        return Reply(text)
    name = command[1].lower()
    flow = flows.by_command(name)
    return Start(flow) if flow else _PLAIN.get(name, Stray("unknown_command"))


def _tapped(flows: Flows, state: ThreadState, data: str) -> Intent:
    tap = taps.read(data)
    if tap is None:
        return Stray("unknown_button")
    if tap.flow:
        flow = flows.newest(tap.flow)
        return Start(flow) if flow else Stray("unknown_button")
    active = state.active
    if active is None or tap.conversation_id != active.conversation_id:
        return Stray("parked" if state.conversation(tap.conversation_id) else "over")
    return _tapped_in(flows.get(active.flow, active.flow_version), active, tap)


def _tapped_in(flow: Flow, active: Conversation, tap: taps.Tap) -> Intent:
    step = active.current_step(flow)
    if tap.action == taps.CHANGE and tap.place in range(len(flow.steps)):
        return Change(flow.steps[tap.place].name)
    if tap.action == taps.CONFIRM and step in flow.order and flow.order[step] < len(flow.steps):
        return Stray("not_yet")
    if tap.action in (taps.SKIP, taps.KEEP, taps.EMPTY, taps.BACK) and tap.place != flow.order[step]:
        return Stray("already_answered")
    return _TAPS.get(tap.action, Stray("unknown_button"))

"""What a person wants with an input: read from what was said and where the thread stands."""

import re
from collections.abc import Callable

from msgspec import Struct

from holdfast.domain import taps
from holdfast.domain.event import Said
from holdfast.domain.flow import Flow, Flows
from holdfast.domain.ids import ConversationId, EventId, as_text
from holdfast.domain.library import FIELDS
from holdfast.domain.state import Conversation, ThreadState
from holdfast.domain.taps import Tap


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


class Put(Struct, frozen=True):
    """File a text that came when nothing was asked."""

    field: str


class Cancel(Struct, frozen=True):
    """End without a result."""


class Confirm(Struct, frozen=True):
    """All is right: complete the conversation."""


class Photo(Struct, frozen=True):
    """A picture, to be kept wherever the conversation stands."""

    file_id: str
    album: str


class Edit(Struct, frozen=True):
    """An earlier message now has another text."""

    message_id: int
    text: str


class Ask(Struct, frozen=True):
    """A wish that needs no conversation: `topic` chooses the reply, `subject` is the machine it is about."""

    topic: str
    subject: str = ""


class History(Struct, frozen=True):
    """Tell what became of a machine."""

    subject: str


class ChangeMachine(Struct, frozen=True):
    """Change one field of a machine in the library."""

    subject: str
    field: str


class RemoveMachine(Struct, frozen=True):
    """Take a machine out of the library."""

    subject: str


class SavePhoto(Struct, frozen=True):
    """Register a machine with a photo that was sent when nothing was open."""

    event_id: EventId


class ApplyEdit(Struct, frozen=True):
    """Change a machine's field to what an earlier message says since it was edited."""

    event_id: EventId


class Use(Struct, frozen=True):
    """Let an answer count that a fork had left beside; `place` is its place on the card."""

    event_id: EventId
    place: int


class TakeUp(Struct, frozen=True):
    """Go on with a conversation that has ended, with all it held."""

    conversation_id: ConversationId


class SetZone(Struct, frozen=True):
    """Name one's time zone; empty: ask which there are."""

    zone: str


class Stray(Struct, frozen=True):
    """An input that does not belong here; `rule` says why."""

    rule: str


Intent = (
    Start | Reply | Skip | Clear | Back | Change | Put | Cancel | Confirm | Photo | Edit | Ask | History | ChangeMachine
    | RemoveMachine | SavePhoto | ApplyEdit | Use | TakeUp | SetZone | Stray
)  # fmt: skip

_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@[A-Za-z0-9_]+)?(?=\s|$)")
_PLAIN: dict[str, Intent] = {
    "skip": Skip(),
    "back": Back(),
    "cancel": Cancel(),
    "help": Ask("help"),
    "start": Ask("start"),
    "library": Ask("library"),
}
_TAPS: dict[str, Intent] = {
    taps.SKIP: Skip(),
    taps.KEEP: Skip(),
    taps.EMPTY: Clear(),
    taps.BACK: Back(),
    taps.CANCEL: Cancel(),
    taps.CONFIRM: Confirm(),
}
_OF_A_CHAT: dict[str, Intent] = {name: Ask(name) for name in ("moved", "left", "blocked", "unblocked")}
"""What happens to a chat as a whole: kept, and not replied to."""
_OF_A_STEP = frozenset({taps.SKIP, taps.KEEP, taps.EMPTY, taps.BACK})
_OF_THE_CARD = frozenset({taps.CONFIRM, taps.PUT})


def interpret(flows: Flows, state: ThreadState, said: Said) -> Intent:
    """Read the intent of an input; never fails."""
    match said.type:
        case "text":
            return _typed(flows, said.text)
        case "tap":
            return _tapped(flows, state, said.text)
        case "photo":
            return Photo(said.file_id, said.media_group)
        case "edit":
            return Stray("unknown_edit") if _COMMAND.match(said.text) else Edit(said.message_id, said.text)
        case "group":
            return _OF_A_CHAT.get(said.content, Ask("group"))
        case _:
            return _OF_A_CHAT.get(said.content, Stray("unsupported"))


def refers_to_the_past(state: ThreadState, said: Said) -> bool:
    """Whether deciding an input takes more of its thread than what is open."""
    if said.type == "edit":
        return not any(said.message_id == answer.message_id for one in state.open for answer in one.fields.values())
    tap = taps.read(said.text) if said.type == "tap" else None
    return tap is not None and tap.verb in taps.ABOUT_THE_PAST


def cause_of(said: Said) -> str:
    """Name how an input came: command, text, button, photo, edit or other."""
    if said.type == "text":
        return "command" if _COMMAND.match(said.text) else "text"
    return {"tap": "button"}.get(said.type, said.type)


def words_searched(said: Said) -> tuple[int, str]:
    """Give the page of the library that is asked for, and the words it is searched for."""
    if said.type == "tap":
        tap = taps.read(said.text)
        return (max(tap.place, 0), tap.text) if tap else (0, "")
    return 0, said.text.partition(" ")[2].strip()


def _typed(flows: Flows, text: str) -> Intent:
    command = _COMMAND.match(text)
    if not command:
        return Reply(text)
    name = command[1].lower()
    if name == "timezone":
        return SetZone(text[command.end() :].strip())
    flow = flows.by_command(name)
    return Start(flow) if flow else _PLAIN.get(name, Stray("unknown_command"))


def _tapped(flows: Flows, state: ThreadState, data: str) -> Intent:
    tap = taps.read(data)
    if tap is None:
        return Stray("unknown_button")
    if tap.verb:
        return _verb(flows, tap)
    active = state.active
    if active is None or tap.identity != active.conversation_id:
        return Stray("parked" if state.conversation(ConversationId(tap.identity)) else "over")
    return _tapped_in(flows.get(active.flow, active.flow_version), active, tap)


def _verb(flows: Flows, tap: Tap) -> Intent:
    if tap.verb == taps.START:
        flow = flows.newest(tap.text)
        return Start(flow) if flow and flow.command else Stray("unknown_button")
    if tap.verb == taps.LIBRARY:
        return Ask("library")
    if tap.verb == taps.ZONE:
        return SetZone(tap.text)
    if tap.verb == taps.EDIT:
        known = tap.place in range(len(FIELDS))
        return ChangeMachine(as_text(tap.identity), FIELDS[tap.place]) if known else Stray("unknown_button")
    if tap.verb == taps.USE:
        return Use(EventId(tap.identity), tap.place)
    return _ON_THINGS[tap.verb](tap.identity)


_ON_THINGS: dict[str, Callable[[bytes], Intent]] = {
    taps.MACHINE: lambda identity: Ask("machine", as_text(identity)),
    taps.FIELDS: lambda identity: Ask("fields", as_text(identity)),
    taps.HISTORY: lambda identity: History(as_text(identity)),
    taps.REMOVE: lambda identity: RemoveMachine(as_text(identity)),
    taps.SAVE_PHOTO: lambda identity: SavePhoto(EventId(identity)),
    taps.CORRECT: lambda identity: ApplyEdit(EventId(identity)),
    taps.TAKE_UP: lambda identity: TakeUp(ConversationId(identity)),
}


def _tapped_in(flow: Flow, active: Conversation, tap: Tap) -> Intent:
    step = active.current_step(flow)
    at_card = flow.order[step] == len(flow.steps)
    if tap.action in _OF_THE_CARD and not at_card:
        return Stray("not_yet" if tap.action == taps.CONFIRM else "already_answered")
    if tap.action in (taps.CHANGE, taps.PUT) and tap.place in range(len(flow.steps)):
        field = flow.steps[tap.place].name
        return Change(field) if tap.action == taps.CHANGE else Put(field)
    if tap.action == taps.EMPTY and at_card and active.surplus:
        return Stray("left_out")
    if tap.action in _OF_A_STEP and tap.place != flow.order[step]:
        return Stray("already_answered")
    return _TAPS.get(tap.action, Stray("unknown_button"))

"""The transcript of a conversation: each input, what was decided, and the state right after it."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from msgspec import Struct

from holdfast.domain import taps
from holdfast.domain.errors import UnknownFlow
from holdfast.domain.event import Event
from holdfast.domain.evolve import evolve
from holdfast.domain.flow import Flows
from holdfast.domain.ids import ConversationId, EventId, as_text
from holdfast.domain.order import counted
from holdfast.domain.render import render
from holdfast.domain.state import Conversation, ThreadState

_ACTIONS = {
    taps.SKIP: "skip",
    taps.KEEP: "keep",
    taps.EMPTY: "leave empty",
    taps.BACK: "back",
    taps.CHANGE: "change",
    taps.PUT: "put into a field",
    taps.CANCEL: "cancel",
    taps.CONFIRM: "save",
}


class Entry(Struct, frozen=True, kw_only=True):
    """One event of a transcript. `said` is what the person sent, `fields` the state after; `reply` is HTML.

    `counts` is false for a further copy of an input.
    """

    event_id: str
    version: int
    kind: str
    occurred_at: int
    said: str
    rule: str
    step: str
    fields: dict[str, str | None]
    status: str
    reply: str
    counts: bool


def transcript(
    flows: Flows,
    history: Iterable[Event],
    conversation_id: ConversationId,
    shown: Mapping[EventId, str] = MappingProxyType({}),
) -> list[Entry]:
    """Walk a thread's history and tell the events of one conversation.

    `shown` are the replies as they were sent, by the events they answer; the others are rendered as they would be.
    """
    events = list(history)
    sequence = counted(events)
    state, last = ThreadState(), None
    entries = []
    for event in sequence:
        state = evolve(state, event)
        if event.conversation_id == conversation_id:
            last = state.conversation(conversation_id) or last
            reply = shown.get(event.event_id) or _reply(flows, state, event)
            entries.append(_entry(state, event, last, reply, counts=True))
    chosen = {event.event_id for event in sequence}
    spare = [event for event in events if event.event_id not in chosen and event.conversation_id == conversation_id]
    return entries + [_entry(state, event, last, "", counts=False) for event in spare]


def _entry(state: ThreadState, event: Event, conversation: Conversation | None, reply: str, *, counts: bool) -> Entry:
    is_open = state.conversation(event.conversation_id) is not None
    ended = state.ended.get(event.conversation_id or ConversationId(b""), "unknown")
    return Entry(
        event_id=as_text(event.event_id),
        version=event.version,
        kind=event.kind,
        occurred_at=event.occurred_at,
        said=_said(event),
        rule=event.facts.rule,
        step=event.facts.next_step,
        fields={name: answer.value for name, answer in conversation.fields.items()} if conversation else {},
        status="open" if is_open else ended,
        reply=reply,
        counts=counts,
    )


def _said(event: Event) -> str:
    if event.words is None:
        return "(erased)"
    said = event.words.said
    if said is None:
        return ""
    if said.type == "tap":
        return f"[tap] {_tapped(said.text)}"
    return said.text if said.type in {"text", "edit"} else f"[{said.content or said.type}] {said.text}".strip()


def _tapped(data: str) -> str:
    tap = taps.read(data)
    return (tap.verb or _ACTIONS.get(tap.action, data)) if tap else data


def _reply(flows: Flows, state: ThreadState, event: Event) -> str:
    try:
        return "\n\n".join(screen.text for screen in render(flows, state, event))
    except UnknownFlow:
        return ""

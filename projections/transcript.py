"""The transcript of a conversation: each input, what was decided, and the state right after it."""

from collections.abc import Iterable

from msgspec import Struct

from holdfast.domain.errors import UnknownFlow
from holdfast.domain.event import Event
from holdfast.domain.evolve import evolve
from holdfast.domain.flow import Flows
from holdfast.domain.ids import ConversationId, as_text
from holdfast.domain.order import counted
from holdfast.domain.render import render
from holdfast.domain.state import ThreadState


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


def transcript(flows: Flows, history: Iterable[Event], conversation_id: ConversationId) -> list[Entry]:
    """Walk a thread's history and tell the events of one conversation."""
    events = list(history)
    sequence = counted(events)
    state = ThreadState()
    entries = []
    for event in sequence:
        state = evolve(state, event)
        if event.conversation_id == conversation_id:
            entries.append(_entry(flows, state, event, counts=True))
    chosen = {event.event_id for event in sequence}
    spare = [event for event in events if event.event_id not in chosen and event.conversation_id == conversation_id]
    return entries + [_entry(flows, state, event, counts=False) for event in spare]


def _entry(flows: Flows, state: ThreadState, event: Event, *, counts: bool) -> Entry:
    conversation = state.conversation(event.conversation_id)
    status = "open" if conversation else state.ended.get(event.conversation_id or ConversationId(b""), "unknown")
    return Entry(
        event_id=as_text(event.event_id),
        version=event.version,
        kind=event.kind,
        occurred_at=event.occurred_at,
        said=_said(event),
        rule=event.facts.rule,
        step=event.facts.next_step,
        fields={name: answer.value for name, answer in conversation.fields.items()} if conversation else {},
        status=status,
        reply=_reply(flows, state, event) if counts else "",
        counts=counts,
    )


def _said(event: Event) -> str:
    if event.words is None:
        return "(erased)"
    said = event.words.said
    if said is None:
        return ""
    return said.text if said.type in {"text", "edit"} else f"[{said.content or said.type}] {said.text}".strip()


def _reply(flows: Flows, state: ThreadState, event: Event) -> str:
    try:
        return "\n\n".join(screen.text for screen in render(flows, state, event))
    except UnknownFlow:
        return ""

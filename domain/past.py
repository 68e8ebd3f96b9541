"""What inputs refer to in the past of their thread: a photo, an answer, a conversation, a machine's history."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from holdfast.domain.event import Event
from holdfast.domain.evolve import evolve, fold
from holdfast.domain.ids import ConversationId, EventId, as_text
from holdfast.domain.kinds import ENDINGS, FILING, Kind
from holdfast.domain.library import ADD_MACHINE, EDIT_MACHINE
from holdfast.domain.order import counted
from holdfast.domain.state import Conversation, ThreadState


class PastAnswer(Struct, frozen=True):
    """A field of a machine that an earlier message filled."""

    subject: str
    field: str


def event_named(events: Iterable[Event], event_id: EventId) -> Event | None:
    """Find an event by its identity."""
    return next((event for event in events if event.event_id == event_id), None)


def conversation_of_the_past(events: Sequence[Event], identity: ConversationId) -> Conversation | None:
    """Give a conversation, or what it was continued in, as it ended; None for one that never was, or was completed."""
    identity = _continued(events, identity)
    if fold(events).ended.get(identity) == "completed":
        return None
    own = [event for event in counted(events) if event.conversation_id == identity]
    state = ThreadState()
    for event in own:
        if event.kind not in ENDINGS:
            state = evolve(state, event)
    return state.conversation(identity)


def answer_in_message(events: Sequence[Event], state: ThreadState, message_id: int) -> PastAnswer | None:
    """Find the machine, and the field of it, that a message once filled; None when there is none, or no longer."""
    subjects = {event.conversation_id: event.facts.subject for event in events if event.kind == Kind.STARTED}
    for event in reversed(counted(events)):
        said = event.words.said if event.words else None
        if said and said.message_id == message_id and said.type == "text" and event.kind in FILING:
            if event.facts.flow not in {ADD_MACHINE, EDIT_MACHINE} or event.conversation_id is None:
                return None
            own = as_text(_continued(events, event.conversation_id))
            subject = subjects.get(event.conversation_id) or own
            return PastAnswer(subject, event.facts.field) if state.machine(subject) else None
    return None


def answer_beside(events: Sequence[Event], merged: EventId, place: int) -> Event | None:
    """Find the answer that a card offers at a place; None when there is none, or its words are erased."""
    card = event_named(events, merged)
    if card is None or place not in range(len(card.facts.unfiled)):
        return None
    source = card.facts.unfiled[place]
    found = next((event for event in counted(events) if event.dedup_key == source), None)
    return found if found and found.words and found.conversation_id else None


def machine_of(events: Sequence[Event], identity: ConversationId) -> str:
    """Name the machine a conversation is about: the one it changes, else the one it registers (UUID text)."""
    starts = (event for event in events if event.kind == Kind.STARTED and event.conversation_id == identity)
    subject = next((event.facts.subject for event in starts), "")
    return subject or as_text(_continued(events, identity))


def gave_way(events: Sequence[Event], identity: ConversationId) -> bool:
    """Whether a conversation was superseded by another one of its flow."""
    return fold(events).ended.get(identity) == "superseded"


def _continued(events: Sequence[Event], identity: ConversationId) -> ConversationId:
    """Follow a conversation that ended to the one in which it was taken up last."""
    for event in counted(events):
        if event.kind == Kind.STARTED and event.conversation_id and event.facts.continues == as_text(identity):
            identity = event.conversation_id
    return identity


def lines_of_machine(events: Sequence[Event], subject: str) -> tuple[str, ...]:
    """Tell what became of a machine: one line for each ended conversation about it, `microseconds flow outcome`."""
    own: dict[ConversationId | None, str] = {}
    lines = []
    for event in counted(events):
        if event.kind == Kind.STARTED and event.conversation_id:
            if subject in (event.facts.subject, as_text(event.conversation_id)):
                own[event.conversation_id] = event.facts.flow
        elif event.conversation_id in own and event.kind in ENDINGS:
            lines.append(f"{event.occurred_at} {own[event.conversation_id]} {ENDINGS[Kind(event.kind)]}")
    return tuple(lines)

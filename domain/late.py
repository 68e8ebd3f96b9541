"""An input that was written in time and read late: nobody loses what they did before the deadline."""

from collections.abc import Sequence

from holdfast.domain.errors import UnknownFlow
from holdfast.domain.event import Draft, Event
from holdfast.domain.evolve import EMPTY, evolve
from holdfast.domain.flow import Flows
from holdfast.domain.ids import ConversationId
from holdfast.domain.inbound import Inbound
from holdfast.domain.kinds import ACCEPTED, Kind
from holdfast.domain.order import counted
from holdfast.domain.state import Conversation, ThreadState
from holdfast.domain.timers import deadline


def was_in_time(flows: Flows, state: ThreadState, inbound: Inbound) -> bool:
    """Whether a person wrote before the deadline of what has expired since, though it is read only now.

    Telegram dates no tap: when it was made is not known, and a late one does not come at all.
    """
    if inbound.said.type == "tap":
        return False
    ran_out = (one for one in state.lapsed if state.ended.get(one.conversation_id) == "expired")
    return any(_kept(flows, one, inbound.occurred_at) for one in ran_out)


def as_it_stood(flows: Flows, events: Sequence[Event], at: int) -> ThreadState:
    """Fold a thread without the expiries that were not due yet at a moment: the state its person wrote to then."""
    state = EMPTY
    for event in counted(events):
        expired = state.conversation(event.conversation_id) if event.kind == Kind.EXPIRED else None
        if expired is None or not _kept(flows, expired, at):
            state = evolve(state, event)
    return state


def revives(draft: Draft, state: ThreadState) -> bool:
    """Whether what was decided moves on a conversation that has expired by this state: its expiry is then void."""
    ended = state.ended.get(draft.conversation_id or ConversationId(b""))
    return draft.kind in ACCEPTED and ended == "expired"


def _kept(flows: Flows, conversation: Conversation, at: int) -> bool:
    try:
        return at <= deadline(flows, conversation)
    except UnknownFlow:
        return False

"""What is due when: derived from the state, never stored."""

from hashlib import sha256

from msgspec import Struct

from holdfast.domain.errors import UnknownFlow
from holdfast.domain.flow import Flows
from holdfast.domain.ids import ConversationId, as_text
from holdfast.domain.kinds import Kind
from holdfast.domain.state import Conversation, ThreadState
from holdfast.domain.zones import is_polite, polite_before

_HOUR = 3600 * 1_000_000
_WORTH_IT = 2 * _HOUR
"""A conversation with a shorter time to live than this is not reminded of."""
_LEAD = 4 * _HOUR


class Timer(Struct, frozen=True, gc=False):
    """What time brings to a conversation: `kind` is that of the event it becomes.

    `rule` is `night` for a reminder whose moment was missed, and that would now come at an impolite hour: it is
    written down, so that it does not come up again, and nobody is told.
    """

    kind: Kind
    conversation: Conversation
    rule: str = ""

    @property
    def dedup_key(self) -> str:
        """Name it: the same on every worker that finds it on the same basis."""
        return (expiry_key if self.kind == Kind.EXPIRED else reminder_key)(self.conversation)


def deadline(flows: Flows, conversation: Conversation) -> int:
    """Give the moment until which a conversation waits for its next input, in microseconds since 1970."""
    patience = flows.get(conversation.flow, conversation.flow_version).patience
    return conversation.updated_at + patience + conversation.grace


def reminder(flows: Flows, state: ThreadState, conversation: Conversation) -> int | None:
    """Give the moment at which a person is reminded of a conversation; None when they are not, or were already.

    Once in each silence: a fifth of the time to live before the deadline, at most four hours, at a polite hour where
    they are. Only of what stands at the bottom of the chat, and not soon after they were heard.
    """
    waits = flows.get(conversation.flow, conversation.flow_version).patience
    if conversation is not state.active or waits < _WORTH_IT or conversation.reminded == conversation.accepted:
        return None
    until, lead = conversation.updated_at + waits + conversation.grace, min(waits // 5, _LEAD)
    at = polite_before(until - lead, until - lead // 2, state.zone or flows.zone)
    return at if at >= conversation.updated_at + waits // 4 else None


def next_due(flows: Flows, state: ThreadState, conversation: Conversation) -> int:
    """Give the next moment at which time brings something to a conversation: a reminder, or its end."""
    return reminder(flows, state, conversation) or deadline(flows, conversation)


def due(flows: Flows, state: ThreadState, at: int) -> Timer | None:
    """Find what is due in a thread at a moment: an end before a reminder; what has no flow loaded waits."""
    late = overdue(flows, state, at)
    if late:
        return Timer(Kind.EXPIRED, late)
    active = state.active
    if active is None or not flows.has(active.flow, active.flow_version):
        return None
    moment = reminder(flows, state, active)
    if moment is None or at < moment:
        return None
    return Timer(Kind.REMINDED, active, "" if is_polite(at, state.zone or flows.zone) else "night")


def overdue(flows: Flows, state: ThreadState, at: int) -> Conversation | None:
    """Find an open conversation whose deadline had passed at a moment; one whose flow is not loaded waits."""
    return next((one for one in state.open if _is_overdue(flows, one, at)), None)


def _is_overdue(flows: Flows, conversation: Conversation, at: int) -> bool:
    try:
        return at > deadline(flows, conversation)
    except UnknownFlow:
        return False


def expiry_key(conversation: Conversation) -> str:
    """Name the expiry of a conversation on the basis of what it had accepted: the same on every worker."""
    return _key("expiry", conversation)


def reminder_key(conversation: Conversation) -> str:
    """Name the reminder of a conversation on the basis of what it had accepted: the same on every worker."""
    return _key("reminder", conversation)


def _key(name: str, conversation: Conversation) -> str:
    basis = sha256("\n".join(conversation.accepted).encode()).hexdigest()[:32]
    return f"{name}:{as_text(conversation.conversation_id)}:{basis}"


def repeated_key(conversation_id: ConversationId, since: int) -> str:
    """Name the asking again after an outage that began at a moment: the same on every worker."""
    return f"repeated:{as_text(conversation_id)}:{since}"

"""What is due when: derived from the state, never stored."""

from hashlib import sha256

from holdfast.domain.errors import UnknownFlow
from holdfast.domain.flow import Flows
from holdfast.domain.ids import ConversationId, as_text
from holdfast.domain.state import Conversation, ThreadState


def deadline(flows: Flows, conversation: Conversation) -> int:
    """Give the moment until which a conversation waits for its next input, in microseconds since 1970."""
    patience = flows.get(conversation.flow, conversation.flow_version).patience
    return conversation.updated_at + patience + conversation.grace


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
    basis = sha256("\n".join(conversation.accepted).encode()).hexdigest()[:32]
    return f"expiry:{as_text(conversation.conversation_id)}:{basis}"


def repeated_key(conversation_id: ConversationId, since: int) -> str:
    """Name the asking again after an outage that began at a moment: the same on every worker."""
    return f"repeated:{as_text(conversation_id)}:{since}"

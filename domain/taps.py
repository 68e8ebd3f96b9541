"""The data of a button: which conversation, which action, which step. It comes back when the button is tapped."""

import binascii

from msgspec import Struct

from holdfast.domain.ids import ConversationId, as_token, from_token

SKIP, KEEP, BACK, CHANGE, CANCEL, CONFIRM, EMPTY = "s", "k", "b", "e", "x", "ok", "n"
"""The actions; those that concern a step carry its place in the flow behind them."""

_START = "go:"


class Tap(Struct, frozen=True, gc=False):
    """A button's meaning: `flow` to start one, else an action of a conversation, at a step's place or none (-1)."""

    conversation_id: ConversationId | None = None
    action: str = ""
    place: int = -1
    flow: str = ""


def start_data(flow: str) -> str:
    """Write the data of a button that starts a flow."""
    return _START + flow


def action_data(conversation_id: ConversationId, action: str, place: int = -1) -> str:
    """Write the data of a button of a conversation; 33 bytes at most."""
    return f"{as_token(conversation_id)}:{action}{place if place >= 0 else ''}"


def read(data: str) -> Tap | None:
    """Understand a button's data; None when it is none of ours."""
    if data.startswith(_START):
        flow = data.removeprefix(_START)
        return Tap(flow=flow) if flow else None
    token, _, rest = data.partition(":")
    action = rest.rstrip("0123456789")
    digits = rest[len(action) :]
    if len(digits) > 3 or not digits.isascii():  # noqa: PLR2004 - a flow has at most 50 steps
        return None
    try:
        return Tap(ConversationId(from_token(token)), action, int(digits) if digits else -1)
    except (ValueError, binascii.Error):
        return None

"""The command of a turn: one input, with who, when and where it stands in its thread."""

from msgspec import Struct

from holdfast.domain.event import Event, Said
from holdfast.domain.ids import ThreadId

_EPOCH_SHIFT = 40


class Inbound(Struct, frozen=True, kw_only=True, gc=False):
    """One input in our words. `order` is its update order; the times are microseconds since 1970.

    `about` are the thread's events, where the input refers to something of the past; `barred` names the limit
    that keeps it from being acted on (not_allowed, too_fast, flood); `delayed` is set where the person wrote while
    nothing could be stored, and has not been told so yet.
    """

    thread_id: ThreadId
    dedup_key: str
    order: int
    occurred_at: int
    received_at: int
    said: Said
    about: tuple[Event, ...] = ()
    barred: str = ""
    delayed: bool = False


def update_order(epoch: int, update_id: int) -> int:
    """Place an update among all updates of its bot, also after Telegram began to count anew."""
    return epoch << _EPOCH_SHIFT | update_id

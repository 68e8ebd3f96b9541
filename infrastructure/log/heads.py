"""A thread's head, as a journal's rows give it."""

from typing import Any

from holdfast.domain.errors import BrokenLog
from holdfast.domain.ids import EventId
from holdfast.domain.ports import Head
from holdfast.infrastructure.log.envelope import split_ids


def head_of(rows: list[tuple[Any, ...]]) -> Head:
    """Read what `read_head_events` gave for a thread; BrokenLog when a head is not there."""
    if not rows:
        return Head()
    rev, version, ots, joined, last, *_ = rows[0]
    head_ids = split_ids(joined)
    hashes: dict[EventId, bytes] = {event_id: hashed for *_, event_id, hashed in rows}
    if not hashes.keys() >= set(head_ids):
        raise BrokenLog("the head of a thread names an event that is not there; ask holdfast log verify")
    return Head(
        rev=rev,
        version=version,
        ots=ots,
        head_ids=head_ids,
        head_hashes=tuple(hashes[head] for head in head_ids),
        last_conversation_id=last,
    )

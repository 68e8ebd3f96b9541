"""A line of an export, read back into the record it was written from; whatever does not hold is refused."""

import json
from functools import lru_cache
from typing import Any

from holdfast.domain.errors import BrokenLog
from holdfast.domain.ids import ConversationId, EventId, OriginId, ThreadId, as_text, from_text
from holdfast.infrastructure.log.canonical import canonical
from holdfast.infrastructure.log.codec import SALT_BYTES, Codec
from holdfast.infrastructure.log.envelope import Record

_NOT_A_LINE = (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)
"""What a text that is no line of an export leads to when it is read as one."""


def read_line(codec: Codec, text: bytes) -> Record:
    """Read one line: the same record, its words sealed anew under the present key; BrokenLog.

    Everything that is hashed comes out byte for byte; a hash itself is checked where the parents are known.
    """
    try:
        line = json.loads(text)
        return _record(codec, line)
    except _NOT_A_LINE as error:
        raise BrokenLog(f"is cut off, or no line of an export ({type(error).__name__})") from None


def _id(text: str) -> bytes:
    """Read a UUID's text; as an export writes it, which is four times as fast as reading every way to write one."""
    identity = bytes.fromhex(text.replace("-", ""))
    return identity if as_text(identity) == text else from_text(text)


# Threads, conversations and origins come again and again.
_known = lru_cache(maxsize=4096)(_id)


def _record(codec: Codec, line: dict[str, Any]) -> Record:
    event_id, thread_id = EventId(_id(line["event_id"])), ThreadId(_known(line["thread_id"]))
    conversation = line["conversation_id"]
    return Record(
        event_id,
        thread_id,
        ConversationId(_known(conversation)) if conversation is not None else None,
        line["kind"],
        line["kind_version"],
        line["version"],
        line["ots"],
        b"".join(map(_id, line["parents"])),
        OriginId(_known(line["origin"])),
        line["origin_seq"],
        line["dedup_key"],
        line["occurred_at"],
        line["received_at"],
        canonical(line["facts"]).decode(),
        _payload(codec, line, event_id, thread_id),
        bytes.fromhex(line["commitment"]),
        bytes.fromhex(line["hash"]),
    )


def _payload(codec: Codec, line: dict[str, Any], event_id: EventId, thread_id: ThreadId) -> bytes | None:
    if line["payload"] is None and line["salt"] is None:
        return None
    salt = bytes.fromhex(line["salt"])
    sealed = codec.seal(line["payload"], salt, event_id, thread_id)
    if len(salt) != SALT_BYTES or sealed.commitment.hex() != line["commitment"]:
        raise BrokenLog("has words that are not those it was committed to")
    return sealed.payload

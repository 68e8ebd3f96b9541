"""The stored envelope of an event, and its hash: the columns of the `events` table, in their order."""

from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

import msgspec

from holdfast.domain.ids import ConversationId, EventId, OriginId, ThreadId, as_text
from holdfast.infrastructure.log.canonical import canonical

ID_BYTES = 16


class Record(NamedTuple):
    """One row of `events` (or of `deliveries`, without its `answers`). `parents` are 16-byte ids in a row."""

    event_id: EventId
    thread_id: ThreadId
    conversation_id: ConversationId | None
    kind: str
    kind_version: int
    version: int
    ots: int
    parents: bytes
    origin: OriginId
    origin_seq: int
    dedup_key: str
    occurred_at: int
    received_at: int
    facts: str
    payload: bytes | None
    commitment: bytes
    hash: bytes


class Hashed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a hash is taken over: every column but the payload, and the parents' hashes, sorted."""

    commitment: str
    conversation_id: str | None
    dedup_key: str
    event_id: str
    facts: msgspec.Raw
    kind: str
    kind_version: int
    occurred_at: int
    origin: str
    origin_seq: int
    ots: int
    parent_hashes: list[str]
    parents: list[str]
    received_at: int
    thread_id: str
    version: int


# Threads, conversations and origins come again and again; an event's own id does not.
_known = lru_cache(maxsize=4096)(as_text)


def split_ids(joined: bytes) -> tuple[EventId, ...]:
    """Take identities, sixteen bytes each, apart."""
    return tuple([EventId(joined[at : at + ID_BYTES]) for at in range(0, len(joined), ID_BYTES)])


def hash_of(record: Record, parent_hashes: Sequence[bytes]) -> bytes:
    """Compute the SHA-256 that binds a record to all that came before it."""
    return sha256(
        canonical(
            Hashed(
                commitment=record.commitment.hex(),
                conversation_id=_known(record.conversation_id) if record.conversation_id else None,
                dedup_key=record.dedup_key,
                event_id=as_text(record.event_id),
                facts=msgspec.Raw(record.facts.encode()),
                kind=record.kind,
                kind_version=record.kind_version,
                occurred_at=record.occurred_at,
                origin=_known(record.origin),
                origin_seq=record.origin_seq,
                ots=record.ots,
                parent_hashes=sorted([parent.hex() for parent in parent_hashes]),
                parents=[as_text(parent) for parent in split_ids(record.parents)],
                received_at=record.received_at,
                thread_id=_known(record.thread_id),
                version=record.version,
            )
        )
    ).digest()

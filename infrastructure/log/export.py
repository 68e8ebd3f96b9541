"""The log as JSON lines: stable, documented, and enough to check every hash with the standard library."""

import json
from collections.abc import AsyncIterator
from typing import Any

from holdfast.domain.errors import KeyMissing
from holdfast.domain.ids import EventId, as_text
from holdfast.domain.order import duplicates, place
from holdfast.infrastructure.log.codec import Codec
from holdfast.infrastructure.log.envelope import Record, split_ids
from holdfast.infrastructure.log.stores import JournalStore


async def export_lines(journal: JournalStore, codec: Codec) -> AsyncIterator[str]:
    """Give one line per event, canonical order within a thread, thread after thread."""
    async for thread_id in journal.threads():
        records = {record.event_id: record for record in await journal.thread(thread_id)}
        # The order and the copies follow from the facts, also where no key opens the words.
        events = [codec.bare(record) for record in records.values()]
        copies = duplicates(events)
        for event in sorted(events, key=place):
            line = as_json(codec, records[event.event_id], copies.get(event.event_id))
            yield (
                json.dumps(line, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
                .encode("utf-8", "backslashreplace")
                .decode()
            )


def as_json(codec: Codec, record: Record, duplicate_of: EventId | None) -> dict[str, Any]:
    """Show a record with every column: ids as UUID texts, digests and the salt as hexadecimal digits."""
    salt, payload = _opened(codec, record)
    return {
        "event_id": as_text(record.event_id),
        "thread_id": as_text(record.thread_id),
        "conversation_id": as_text(record.conversation_id) if record.conversation_id else None,
        "kind": record.kind,
        "kind_version": record.kind_version,
        "version": record.version,
        "ots": record.ots,
        "parents": [as_text(parent) for parent in split_ids(record.parents)],
        "origin": as_text(record.origin),
        "origin_seq": record.origin_seq,
        "dedup_key": record.dedup_key,
        "occurred_at": record.occurred_at,
        "received_at": record.received_at,
        "facts": json.loads(record.facts),
        "salt": salt,
        "payload": payload,
        "commitment": record.commitment.hex(),
        "hash": record.hash.hex(),
        "duplicate_of": as_text(duplicate_of) if duplicate_of else None,
    }


def _opened(codec: Codec, record: Record) -> tuple[str | None, Any]:
    try:
        opened = codec.open(record)
    except KeyMissing:
        return None, None
    return (opened[0].hex(), json.loads(opened[1])) if opened else (None, None)

"""Fills a journal with the events of many people, as they would stand there. Nothing is synced on the way."""

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from msgspec.structs import replace

from benchmarks.house import prepare
from benchmarks.updates import BOT, FIRST_PERSON
from holdfast.domain.ids import ConversationId, EventId, OriginId, ThreadId, thread_of
from holdfast.domain.ports import RowChange
from holdfast.infrastructure.clock import system_randomness
from holdfast.infrastructure.log.journal_writer import commit
from holdfast.infrastructure.log.stores import AppendWrite
from holdfast.infrastructure.sql import statements

_BATCH = 5000
FIRST_SLEEPER = 10 * FIRST_PERSON


async def build(file: Path, talk: Sequence[AppendWrite], people: int) -> None:
    """Give each of so many people the same conversation, with identities of their own."""
    await prepare(file)
    connection = sqlite3.connect(file, isolation_level=None)
    connection.executescript(Path(__file__).with_name("unsynced.sql").read_text("utf-8"))
    meta = dict(connection.execute(statements("journal.sql")["read_meta"]))
    origin = OriginId(bytes.fromhex(meta["origin"]))
    talk = [replace(write, record=write.record._replace(origin=origin)) for write in talk]
    writes = (write for person in range(people) for write in _of(FIRST_SLEEPER + person, talk))
    while batch := list(islice(writes, _BATCH)):
        refused = [outcome for outcome in commit(connection, batch) if outcome is not None]
        if refused:
            raise refused[0]
    connection.close()


def _of(person: int, talk: Sequence[AppendWrite]) -> Iterator[AppendWrite]:
    thread_id, conversation_id = sleeper(person), ConversationId(system_randomness(16))
    parents: tuple[EventId, ...] = ()
    for write in talk:
        event_id = EventId(write.record.event_id[:6] + system_randomness(10))
        record = write.record._replace(
            event_id=event_id,
            thread_id=thread_id,
            conversation_id=conversation_id,
            parents=b"".join(parents),
            dedup_key=f"{write.record.dedup_key}:{person}",
        )
        expected = replace(write.expected, head_ids=parents)
        head = replace(write.head, head_ids=(event_id,), last_conversation_id=conversation_id)
        yield AppendWrite(record, expected, head, [_row(row, person) for row in write.rows], write.owes_reply)
        parents = (event_id,)


def _row(row: RowChange, person: int) -> RowChange:
    return RowChange(row.table, (person, person, *row.key[2:]), row.values)


def sleeper(person: int) -> ThreadId:
    """Name the thread of a person who stands in the journal."""
    return thread_of("telegram", BOT, person)

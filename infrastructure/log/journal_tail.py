"""What the tiers are given of a journal, read on a connection of its own, each answer as of one moment."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from holdfast.domain.errors import LogUnavailable
from holdfast.domain.ids import ConversationId, EventId, ThreadId, from_text
from holdfast.domain.ports import Due, Head, RowChange, Waiting
from holdfast.infrastructure.log.envelope import Record, split_ids
from holdfast.infrastructure.log.heads import head_of
from holdfast.infrastructure.log.journal_writer import TIME_COLUMNS, WriterThread, as_iso, row_change
from holdfast.infrastructure.log.stores import Cursor, Standing, Tail, owner_of
from holdfast.infrastructure.sql import statements
from holdfast.infrastructure.tiers.store import HOUR, Digest, Settlement, Table, exclusive_or

T = TypeVar("T")


class JournalTail:
    """Reads behind cursors, in a thread of its own, so that no turn waits for it."""

    def __init__(self, path: Path) -> None:
        """Open the file when first asked."""
        self._thread = WriterThread(path, read_only=True)
        self._sql = statements("journal.sql")

    async def close(self) -> None:
        """Let go of the file."""
        await self._thread.close()

    async def unsent(self, thread_id: ThreadId, after: Cursor) -> tuple[Record, ...]:
        """Read a thread's events behind a cursor."""
        rows = await self._read(lambda connection: self._rows(connection, "read_unsent", thread_id, after.events))
        return tuple(map(Record._make, rows))

    async def tail(self, after: Cursor, at_most: int) -> Tail:
        """Read what stands behind a cursor."""

        def read(connection: sqlite3.Connection) -> Tail:
            events = self._rows(connection, "read_tail_events", after.events, at_most)
            deliveries = self._rows(connection, "read_tail_deliveries", after.deliveries, at_most)
            return Tail(tuple(map(_placed, events)), tuple(map(_placed, deliveries)))

        return await self._read(read)

    async def waiting(self, since: int, after: Waiting, at_most: int) -> list[Waiting]:
        """Read so many open conversations behind one that have not moved on after a moment."""
        values = as_iso(since), after.user_id, after.chat_id, after.flow, at_most
        rows = await self._read(lambda connection: self._rows(connection, "read_waiting", *values))
        return [Waiting(user, chat, flow, ConversationId(from_text(one))) for user, chat, flow, one in rows]

    async def threads_between(self, since: int, until: int, after: ThreadId, at_most: int) -> list[ThreadId]:
        """Read so many threads behind one of which something was received between two moments."""
        values = since, until, after, at_most
        rows = await self._read(lambda connection: self._rows(connection, "read_threads_between", *values))
        return [row[0] for row in rows]

    async def due(self, until: int, after: Due | None, at_most: int) -> list[Due]:
        """Read what is due next until a moment, behind an entry that was given before."""
        behind = (after.at, after.user_id, after.chat_id, after.flow) if after else (-1, 0, 0, "")
        rows = await self._read(lambda connection: self._rows(connection, "read_due", until, *behind, at_most))
        return [Due(*row) for row in rows]

    async def digest(self, of: Table, since: int) -> Digest:
        """Sum up what counts here and was received in an hour and after, in memory bounded by one hour."""
        return await self._read(lambda connection: dict(self._sums(connection, of, since * HOUR)))

    def _sums(self, connection: sqlite3.Connection, of: Table, since: int) -> Iterator[tuple[int, tuple[int, int]]]:
        """Sum up hour after hour. The database puts the hashes together: other threads need not wait for that."""
        while (first := self._rows(connection, f"next_{of}", since)[0][0]) is not None:
            hour = first // HOUR
            count, hashes = self._rows(connection, f"hour_of_{of}", hour * HOUR)[0]
            if count:
                yield hour, (count, exclusive_or(hashes))
            since = (hour + 1) * HOUR

    async def hashes(self, of: Table, since: int, until: int) -> dict[EventId, bytes]:
        """Read what counts here and was received from a moment on up to another."""
        return await self._read(lambda connection: dict(self._rows(connection, f"hashes_{of}", since, until)))

    async def records(self, of: Table, event_ids: Sequence[EventId]) -> tuple[Record, ...]:
        """Read some events or deliveries."""
        name = "read_event" if of == "events" else "read_delivery"

        def read(connection: sqlite3.Connection) -> tuple[Record, ...]:
            rows = (row for event_id in event_ids for row in self._rows(connection, name, event_id))
            return tuple(map(Record._make, rows))

        return await self._read(read)

    async def standing(self, thread_ids: Sequence[ThreadId]) -> list[Standing]:
        """Read all of some threads."""
        return await self._read(lambda connection: [self._standing(connection, one) for one in thread_ids])

    def _standing(self, connection: sqlite3.Connection, thread_id: ThreadId) -> Standing:
        rows = self._rows(connection, "read_head_events", thread_id)
        if not rows:
            return Standing(thread_id, Head(), (), {})
        records = tuple(map(Record._make, self._rows(connection, "read_thread", thread_id)))
        answered = dict(self._rows(connection, "read_answered_by", thread_id))
        return Standing(thread_id, head_of(rows), records, answered)

    async def settlements(self, thread_ids: Sequence[ThreadId], after: Cursor) -> list[Settlement]:
        """Read what threads amount to; those that lack an event are left out."""

        def read(connection: sqlite3.Connection) -> list[Settlement]:
            found = (self._settlement(connection, thread_id, after) for thread_id in thread_ids)
            return [one for one in found if one is not None]

        return await self._read(read)

    def _settlement(self, connection: sqlite3.Connection, thread_id: ThreadId, after: Cursor) -> Settlement | None:
        heads = self._rows(connection, "read_settlement", thread_id, after.deliveries)
        if not heads:
            return None
        joined, version, ots, last, owed, dedup_key = heads[0]
        user_id = owner_of(dedup_key or "")
        return Settlement(
            thread_id=thread_id,
            head_ids=split_ids(joined),
            version=version,
            ots=ots,
            last_conversation_id=last,
            owed=tuple(EventId(bytes.fromhex(one)) for one in dict.fromkeys(owed.split())),
            user_id=user_id,
            rows=self._rows_of(connection, user_id) if user_id else (),
        )

    def _rows_of(self, connection: sqlite3.Connection, user_id: int) -> list[RowChange]:
        return [
            row_change(table, row)
            for table in TIME_COLUMNS
            for row in self._rows(connection, f"person_{table}", user_id)
        ]

    def _rows(self, connection: sqlite3.Connection, name: str, *values: object) -> list[tuple[Any, ...]]:
        return connection.execute(self._sql[name], values).fetchall()

    async def _read(self, question: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return await self._thread.run(partial(_at_one_moment, question))
        except sqlite3.Error as error:
            raise LogUnavailable(f"the journal cannot be read: {error}") from None


def _at_one_moment(question: Callable[[sqlite3.Connection], T], connection: sqlite3.Connection) -> T:
    connection.execute("BEGIN")
    try:
        return question(connection)
    finally:
        connection.execute("ROLLBACK")


def _placed(row: tuple[Any, ...]) -> tuple[int, Record]:
    return row[0], Record._make(row[1:])

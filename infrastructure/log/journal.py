"""The journal: one SQLite file per worker process, WAL, synced at every commit."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiosqlite

from holdfast.domain.errors import CorruptJournal, LogUnavailable
from holdfast.domain.ids import ConversationId, EventId, OriginId, ThreadId, from_text
from holdfast.domain.ports import Clock, Due, Head, Quarantined, RowChange, Waiting
from holdfast.domain.state import Machine
from holdfast.infrastructure.log import journal_file
from holdfast.infrastructure.log.envelope import Record, split_ids
from holdfast.infrastructure.log.heads import head_of
from holdfast.infrastructure.log.journal_opening import prepare, take
from holdfast.infrastructure.log.journal_tail import JournalTail
from holdfast.infrastructure.log.journal_writer import WriterThread, commit, from_iso, row_change
from holdfast.infrastructure.log.mint import Randomness
from holdfast.infrastructure.log.stores import (
    Cursor,
    Debt,
    Opened,
    Outcome,
    Snapshot,
    Standing,
    Tail,
    Write,
    cursor_of,
)
from holdfast.infrastructure.sql import statements
from holdfast.infrastructure.tiers.store import Digest, Settlement, Table

_PAGE = 500


class SqliteJournal:
    """A journal in a file. A read-only one takes no lock, and shows one moment while the bot goes on."""

    def __init__(self, path: Path, clock: Clock, randomness: Randomness, *, read_only: bool = False) -> None:
        """Name the file; nothing is opened yet."""
        self._path = path
        self._clock = clock
        self._randomness = randomness
        self._read_only = read_only
        self._lock = journal_file.FileLock(path)
        self._writer: WriterThread | None = None
        self._reader: aiosqlite.Connection | None = None
        self._tail: JournalTail | None = None
        self._sql = statements("journal.sql")
        self.applied: list[str] = []

    async def open(self) -> Opened:
        """Check, lock, migrate and open the file; the errors of journal_file and migrations."""
        if not self._read_only:
            await asyncio.to_thread(take, self._path, self._lock)
        try:
            return await (self._open_to_read() if self._read_only else self._open_to_write())
        except BaseException:
            await self.close()
            raise

    async def _open_to_write(self) -> Opened:
        await asyncio.to_thread(journal_file.check_pages, self._path)
        self._writer = WriterThread(self._path)
        try:
            await self._writer.run(self._prepare)
        except sqlite3.OperationalError as error:
            raise LogUnavailable(f"{self._path} cannot be opened: {error}") from None
        except sqlite3.DatabaseError as error:
            raise CorruptJournal(f"{self._path} is damaged ({error})") from None
        self._reader = await self._connect()
        return await self._opened()

    async def _open_to_read(self) -> Opened:
        if not self._path.exists():
            raise LogUnavailable(f"there is no journal at {self._path} yet")
        await asyncio.to_thread(journal_file.check_header, self._path)
        self._reader = await self._connect()
        await self._reader.execute("BEGIN")
        return await self._opened()

    async def _connect(self) -> aiosqlite.Connection:
        uri = f"file:{quote(str(self._path.absolute()))}?mode=ro"
        try:
            return await aiosqlite.connect(uri, uri=True, isolation_level=None)
        except sqlite3.OperationalError as error:
            raise LogUnavailable(f"{self._path} cannot be opened: {error}") from None

    def _prepare(self, connection: sqlite3.Connection) -> None:
        self.applied = prepare(connection, self._path, self._clock, self._randomness)

    async def _opened(self) -> Opened:
        meta = dict(await self._rows("read_meta"))
        origin = OriginId(bytes.fromhex(meta.get("origin", "")))
        (last_seq,) = (await self._rows("read_origin_seq", origin))[0]
        last = await self._rows("read_last_input")
        return Opened(
            origin=origin,
            origin_seq=last_seq or 0,
            meta=meta,
            last_ots=last[0][0] if last else -1,
            last_received_at=last[0][1] if last else 0,
        )

    async def close(self) -> None:
        """Close both connections and let go of the file."""
        if self._reader is not None:
            await self._reader.close()
            self._reader = None
        if self._tail is not None:
            await self._tail.close()
            self._tail = None
        if self._writer is not None:
            await self._writer.close()
            self._writer = None
        self._lock.release()

    async def commit(self, batch: Sequence[Write]) -> Sequence[Outcome]:
        """Write a batch in one transaction; when this returns it is on the disk."""
        if self._writer is None:
            raise LogUnavailable("the journal is closed")
        return await self._writer.run(lambda connection: commit(connection, batch))

    async def _rows(self, name: str, *values: object) -> list[tuple[Any, ...]]:
        if self._reader is None:
            raise LogUnavailable("the journal is closed")
        try:
            return list(await self._reader.execute_fetchall(self._sql[name], values))  # type: ignore[arg-type]
        except sqlite3.OperationalError as error:
            raise LogUnavailable(f"the journal cannot be read: {error}") from None
        except sqlite3.DatabaseError as error:
            raise CorruptJournal(f"{self._path} is damaged ({error})") from None

    async def _records(self, name: str, *values: object) -> tuple[Record, ...]:
        return tuple(map(Record._make, await self._rows(name, *values)))

    async def snapshot(self, thread_id: ThreadId, dedup_key: str, user_id: int) -> Snapshot:
        """Read what a cold load needs; the queries are handed over together."""
        head, records, copies, machines, zone, touched = await asyncio.gather(
            self._rows("read_head_events", thread_id),
            self._records("read_hint", thread_id),
            self._records("read_copies", thread_id, dedup_key),
            self._rows("read_machines", user_id),
            self._records("read_zone", thread_id),
            self._rows("read_touched", user_id),
        )
        return Snapshot(
            head=head_of(head),
            records=records,
            copies=copies,
            machines=tuple(map(_machine, machines)),
            zone=zone[0] if zone else None,
            touched={flow: from_iso(at) for flow, at in touched},
        )

    async def conversation(self, thread_id: ThreadId, conversation_id: ConversationId) -> tuple[Record, ...]:
        """Read one conversation, and other copies of its inputs."""
        return await self._records("read_conversation", thread_id, conversation_id)

    async def copies(self, thread_id: ThreadId, dedup_key: str) -> tuple[Record, ...]:
        """Read what one input became."""
        return await self._records("read_copies", thread_id, dedup_key)

    async def thread(self, thread_id: ThreadId) -> tuple[Record, ...]:
        """Read a whole thread."""
        return await self._records("read_thread", thread_id)

    async def record(self, event_id: EventId) -> Record | None:
        """Read one event."""
        return next(iter(await self._records("read_event", event_id)), None)

    async def delivered(self, event_id: EventId) -> bool:
        """Whether a reply to this event has met its fate."""
        return bool(await self._rows("read_delivered", event_id))

    async def deliveries(self, thread_id: ThreadId) -> tuple[Record, ...]:
        """Read the fates of a thread's replies, oldest first."""
        return await self._records("read_deliveries", thread_id)

    async def owed(self) -> AsyncIterator[tuple[ThreadId, tuple[Debt, ...]]]:
        """Give the threads that are owed replies, and the events that have none, oldest first."""
        after = b""
        while page := await self._rows("read_owing", after, _PAGE):
            for (thread_id,) in page:
                yield thread_id, await self.owed_in(thread_id)
            after = page[-1][0]

    async def owed_in(self, thread_id: ThreadId) -> tuple[Debt, ...]:
        """Give the events of one thread that have none, oldest first."""
        return tuple((event_id, origin) for event_id, origin in await self._rows("read_owed", thread_id))

    async def threads(self) -> AsyncIterator[ThreadId]:
        """Give every thread there is, in the order of their identities."""
        after = b""
        while page := await self._rows("read_threads", after, _PAGE):
            for (thread_id,) in page:
                yield thread_id
            after = page[-1][0]

    async def thread_of(self, conversation_id: ConversationId) -> ThreadId | None:
        """Find the thread of a conversation."""
        found = await self._rows("thread_of_conversation", conversation_id)
        return found[0][0] if found else None

    async def forked(self) -> tuple[ThreadId, ...]:
        """Name the threads that have several ends."""
        return tuple(row[0] for row in await self._rows("read_forked"))

    async def head(self, thread_id: ThreadId) -> Head:
        """Read a thread's head."""
        return head_of(await self._rows("read_head_events", thread_id))

    async def head_ids(self, thread_id: ThreadId) -> tuple[EventId, ...]:
        """Read which events a thread's head names."""
        rows = await self._rows("read_head", thread_id)
        return split_ids(rows[0][3]) if rows else ()

    async def debt(self, thread_id: ThreadId) -> int:
        """Read how many replies a thread's head says are owed."""
        rows = await self._rows("read_debt", thread_id)
        return int(rows[0][0]) if rows else 0

    async def is_erased(self, thread_id: ThreadId) -> bool:
        """Whether the person of this thread asked to be forgotten."""
        return bool(await self._rows("read_erasure", thread_id))

    async def counts(self) -> tuple[int, int, int]:
        """Count events, deliveries and what stands in quarantine."""
        events, deliveries, quarantined = (await self._rows("read_counts"))[0]
        return events, deliveries, quarantined

    async def quarantine(self) -> list[Quarantined]:
        """Read what stands in quarantine, oldest first."""
        names = ("dedup_key", "thread_id", "raw", "error", "received_at", "replayed_at")
        rows = await self._rows("read_quarantine")
        return [Quarantined(**dict(zip(names, row, strict=True))) for row in rows]

    async def blob(self, thread_id: ThreadId, digest: bytes) -> bytes | None:
        """Read a photo's bytes."""
        found = await self._rows("read_blob", thread_id, digest)
        return found[0][0] if found else None

    async def rows(self, table: str) -> list[RowChange]:
        """Read a projection's table, whole."""
        return [row_change(table, row) for row in await self._rows(f"all_{table}")]

    async def waiting(self, since: int, after: Waiting, at_most: int) -> list[Waiting]:
        """Read so many open conversations behind one that have not moved on after a moment."""
        return await self._outgoing().waiting(since, after, at_most)

    async def threads_between(self, since: int, until: int, after: ThreadId, at_most: int) -> list[ThreadId]:
        """Read so many threads behind one of which something was received between two moments."""
        return await self._outgoing().threads_between(since, until, after, at_most)

    async def row(self, table: str, key: tuple[object, ...]) -> RowChange | None:
        """Read one row of `photos_wanted`."""
        found = await self._rows(f"one_{table}", *key)
        return row_change(table, found[0]) if found else None

    async def due(self, until: int, after: Due | None, at_most: int) -> list[Due]:
        """Read what is due next until a moment."""
        return await self._outgoing().due(until, after, at_most)

    async def covers(self, thread_id: ThreadId, event_ids: Sequence[EventId]) -> bool:
        """Whether all these events are here, and every parent named in the thread."""
        for event_id in event_ids:
            if not await self._rows("is_kept", event_id, thread_id):
                return False
        return await self._rows("read_closed", thread_id) != [(0,)]

    async def unsent(self, thread_id: ThreadId, after: Cursor) -> tuple[Record, ...]:
        """Read a thread's events behind a cursor."""
        return await self._outgoing().unsent(thread_id, after)

    async def tail(self, after: Cursor, at_most: int) -> Tail:
        """Read what stands behind a cursor."""
        return await self._outgoing().tail(after, at_most)

    async def settlements(self, thread_ids: Sequence[ThreadId], after: Cursor) -> list[Settlement]:
        """Read what threads amount to, as of one moment."""
        return await self._outgoing().settlements(thread_ids, after)

    async def standing(self, thread_ids: Sequence[ThreadId]) -> list[Standing]:
        """Read all of some threads, as of one moment."""
        return await self._outgoing().standing(thread_ids)

    async def cursors(self) -> dict[str, Cursor]:
        """Read every tier's cursor."""
        return {row[0]: cursor_of(*row[1:]) for row in await self._rows("read_cursors")}

    async def digest(self, of: Table, since: int) -> Digest:
        """Sum up what counts here and was received in an hour and after."""
        return await self._outgoing().digest(of, since)

    async def hashes(self, of: Table, since: int, until: int) -> dict[EventId, bytes]:
        """Read what counts here and was received from a moment on up to another."""
        return dict(await self._rows(f"hashes_{of}", since, until))

    async def records(self, of: Table, event_ids: Sequence[EventId]) -> tuple[Record, ...]:
        """Read some events or deliveries."""
        return await self._outgoing().records(of, event_ids)

    def _outgoing(self) -> JournalTail:
        if self._writer is None:
            raise LogUnavailable("the journal is closed")
        self._tail = self._tail or JournalTail(self._path)
        return self._tail


def _machine(row: tuple[Any, ...]) -> Machine:
    machine_id, *fields, created_at, updated_at = row
    values = [from_text(machine_id), *fields, from_iso(created_at), from_iso(updated_at)]
    return Machine(*values)

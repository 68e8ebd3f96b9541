"""The journal's one writer: a thread of its own, so that a batch costs the event loop one hop."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar

from holdfast.domain.errors import Conflict, LogUnavailable, RowRefused
from holdfast.domain.ports import RowChange
from holdfast.infrastructure.log.stores import (
    AppendWrite,
    BlobWrite,
    DeliveryWrite,
    MetaWrite,
    Outcome,
    QuarantineWrite,
    ReplayedWrite,
    Write,
)
from holdfast.infrastructure.sql import statements

T = TypeVar("T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TIME_COLUMNS = {"conversation_states": (2, 3, 4), "user_machines": (9, 10), "photos_wanted": ()}
"""Where the times stand among a table's values; the tables hold them as ISO 8601 text."""


class WriterThread:
    """Runs functions on one connection in one thread, in the order they were handed over."""

    def __init__(self, path: Path) -> None:
        """Start the thread; it opens the connection itself."""
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._path = path
        self.connection: sqlite3.Connection | None = None
        self._thread = threading.Thread(target=self._work, name="journal writer", daemon=True)
        self._thread.start()

    async def run(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Run a function on the connection, and wait for what it gives or raises."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()

        def work() -> None:
            try:
                result = job(self._connection())
            except BaseException as error:  # noqa: BLE001 - every failure belongs to whoever waits
                loop.call_soon_threadsafe(_fail, done, error)
            else:
                loop.call_soon_threadsafe(_finish, done, result)

        self._jobs.put(work)
        return await done

    async def close(self) -> None:
        """Finish what was handed over, close the connection, end the thread."""

        def close(connection: sqlite3.Connection) -> None:
            connection.close()
            self.connection = None

        if self.connection is not None:
            await self.run(close)
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)

    def _connection(self) -> sqlite3.Connection:
        if self.connection is None:
            self.connection = sqlite3.connect(self._path, isolation_level=None, cached_statements=64)
        return self.connection

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()


def _finish(done: "asyncio.Future[T]", result: T) -> None:
    if not done.done():
        done.set_result(result)


def _fail(done: "asyncio.Future[T]", error: BaseException) -> None:
    if not done.done():
        done.set_exception(error)


_NOT_STORABLE = (sqlite3.IntegrityError, sqlite3.DataError, OverflowError, ValueError)
"""What one write's own values do: a broken rule, a number or a time too great, a text that is no Unicode."""


def commit(connection: sqlite3.Connection, batch: Sequence[Write]) -> Sequence[Outcome]:
    """Write a batch in one transaction; when one write breaks it, each is tried by itself."""
    try:
        return _transaction(connection, batch)
    except _NOT_STORABLE as error:
        if len(batch) == 1:
            return [RowRefused(f"{error}")]
    except sqlite3.Error as error:
        return [LogUnavailable(f"the journal cannot be written: {error}")] * len(batch)
    return [commit(connection, [write])[0] for write in batch]


def _transaction(connection: sqlite3.Connection, batch: Sequence[Write]) -> Sequence[Outcome]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        outcomes = [_write(connection, write) for write in batch]
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return outcomes


def _write(connection: sqlite3.Connection, write: Write) -> Outcome:
    sql = statements("journal.sql")
    match write:
        case AppendWrite():
            return _append(connection, write)
        case DeliveryWrite():
            connection.execute(sql["settle_head"], (write.record.thread_id, write.answers))
            connection.execute(sql["insert_delivery"], (*write.record, write.answers))
        case QuarantineWrite():
            item = write.item
            values = (item.dedup_key, item.thread_id, item.raw, item.error, item.received_at)
            connection.execute(sql["insert_quarantine"], values)
        case ReplayedWrite():
            connection.execute(sql["settle_quarantine"], (write.at, write.dedup_key))
        case BlobWrite():
            connection.execute(sql["insert_blob"], (write.thread_id, write.digest, write.content, write.at))
        case MetaWrite():
            connection.execute(sql["write_meta"], (write.name, write.value))
    return None


def _append(connection: sqlite3.Connection, write: AppendWrite) -> Outcome:
    sql = statements("journal.sql")
    head, expected = write.head, write.expected
    moved = connection.execute(
        sql["write_head"],
        (
            write.record.thread_id,
            head.rev,
            head.version,
            head.ots,
            b"".join(head.head_ids),
            head.last_conversation_id,
            int(write.owes_reply),
            expected.rev,
            b"".join(expected.head_ids),
        ),
    )
    if moved.rowcount != 1:
        return Conflict()
    connection.execute(sql["insert_event"], write.record)
    for row in write.rows:
        put_row(connection, row)
    return None


def put_row(connection: sqlite3.Connection, row: RowChange) -> None:
    """Write one row of a projection, or take it away."""
    sql = statements("journal.sql")
    if row.values is None:
        connection.execute(sql[f"drop_{row.table}"], row.key)
    else:
        connection.execute(sql[f"put_{row.table}"], (*row.key, *_stored(row.table, row.values)))


def _stored(table: str, values: tuple[Any, ...]) -> tuple[Any, ...]:
    times = TIME_COLUMNS[table]
    return tuple(as_iso(value) if at in times else value for at, value in enumerate(values))


def as_iso(microseconds: int) -> str:
    """Write a time as people read it: ISO 8601, UTC, microseconds."""
    return (_EPOCH + timedelta(microseconds=microseconds)).isoformat(timespec="microseconds")


def from_iso(text: str) -> int:
    """Read such a time back into microseconds since 1970."""
    return (datetime.fromisoformat(text) - _EPOCH) // timedelta(microseconds=1)

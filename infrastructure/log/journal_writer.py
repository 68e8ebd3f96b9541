"""The journal's one writer: a thread of its own, so that a batch costs the event loop one hop."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import chain, groupby
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar

from holdfast.domain.errors import Conflict, LogUnavailable, RowRefused
from holdfast.domain.ids import EventId, ThreadId
from holdfast.domain.ports import Head, RowChange
from holdfast.infrastructure.log.stores import (
    AppendWrite,
    BlobWrite,
    CursorWrite,
    DeliveryWrite,
    MetaWrite,
    Outcome,
    QuarantineWrite,
    ReplayedWrite,
    UnionWrite,
    Write,
)
from holdfast.infrastructure.sql import statements

T = TypeVar("T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TIME_COLUMNS = {"conversation_states": (2, 3, 4), "user_machines": (9, 10), "photos_wanted": ()}
"""Where the times stand among a table's values; the tables hold them as ISO 8601 text."""
KEY_COLUMNS = {"conversation_states": 3, "user_machines": 1, "photos_wanted": 1}
"""How many of a table's first columns are its key."""


class WriterThread:
    """Runs functions on one connection in one thread, in the order they were handed over."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Start the thread, which opens the connection itself; a read-only one leaves the file as it is."""
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._address = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}"
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
            self.connection = sqlite3.connect(self._address, uri=True, isolation_level=None, cached_statements=64)
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
    """Write a batch in one transaction; where one write breaks it, each half is tried by itself, and so on."""
    try:
        _transaction(connection, batch)
    except (Conflict, *_NOT_STORABLE) as error:
        if len(batch) == 1:
            return [error if isinstance(error, Conflict) else RowRefused(f"{error}")]
    except sqlite3.Error as error:
        return [LogUnavailable(f"the journal cannot be written: {error}")] * len(batch)
    else:
        return [None] * len(batch)
    half = len(batch) // 2
    return [*commit(connection, batch[:half]), *commit(connection, batch[half:])]


def _transaction(connection: sqlite3.Connection, batch: Sequence[Write]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        append(connection, [write for write in batch if isinstance(write, AppendWrite)])
        _deliver(connection, [write for write in batch if isinstance(write, DeliveryWrite)])
        for write in batch:
            _write(connection, write)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


# Each statement runs for all turns of a batch at once: between any two of them the event loop may take the
# interpreter's lock for milliseconds, and to prepare and reset one costs as much as a row.


def append(connection: sqlite3.Connection, turns: Sequence[AppendWrite]) -> None:
    """Move the heads on, write the events, then the rows; Conflict when a head is not where its turn saw it."""
    if not turns:
        return
    sql = statements("journal.sql")
    moved = connection.executemany(sql["write_head"], map(_head_values, turns))
    if moved.rowcount != len(turns):
        raise Conflict
    connection.executemany(sql["insert_event"], (turn.record for turn in turns))
    voids = [(turn.record.thread_id, event_id) for turn in turns for event_id in turn.voids]
    connection.executemany(sql["settle_head"], voids)
    put_rows(connection, chain.from_iterable(turn.rows for turn in turns))


def _head_values(turn: AppendWrite) -> tuple[object, ...]:
    owed = named(turn.record.event_id) if turn.owes_reply else ""
    return _head_row(turn.record.thread_id, turn.head, turn.expected, owed)


def named(event_id: EventId) -> str:
    """Name an event as a head names what it owes: in hexadecimal digits, with a blank behind them."""
    return f"{event_id.hex().upper()} "


def _head_row(thread_id: ThreadId, head: Head, expected: Head, owed: str = "") -> tuple[object, ...]:
    return (
        thread_id,
        head.rev,
        head.version,
        head.ots,
        b"".join(head.head_ids),
        head.last_conversation_id,
        owed,
        expected.rev,
        b"".join(expected.head_ids),
    )


def _deliver(connection: sqlite3.Connection, deliveries: Sequence[DeliveryWrite]) -> None:
    """Settle what each reply's thread is owed, then write its fate."""
    sql = statements("journal.sql")
    for write in deliveries:
        if connection.execute(sql["settle_head"], (write.record.thread_id, write.answers)).rowcount == 0:
            copies = connection.execute(sql["read_alike"], (write.answers,)).fetchall()
            connection.executemany(sql["settle_head"], ((write.record.thread_id, one) for (one,) in copies))
        connection.execute(sql["insert_delivery"], (*write.record, write.answers))


def _write(connection: sqlite3.Connection, write: Write) -> None:
    sql = statements("journal.sql")
    match write:
        case QuarantineWrite(item):
            values = (item.dedup_key, item.thread_id, item.raw, item.error, item.received_at)
            connection.execute(sql["insert_quarantine"], values)
        case ReplayedWrite():
            connection.execute(sql["settle_quarantine"], (write.at, write.dedup_key))
        case BlobWrite():
            connection.execute(sql["insert_blob"], (write.thread_id, write.digest, write.content, write.at))
        case MetaWrite():
            connection.execute(sql["write_meta"], (write.name, write.value))
            connection.execute(sql["drop_empty_meta"])
        case CursorWrite(tier_id, cursor):
            given = (cursor.events, cursor.deliveries, cursor.canary)
            connection.execute(sql["write_cursor"], (tier_id, *given, *cursor.place.events, *cursor.place.deliveries))
        case UnionWrite():
            _unite(connection, write)


def _unite(connection: sqlite3.Connection, write: UnionWrite) -> None:
    """Write a thread folded anew; Conflict when its head is not where the fold saw it."""
    sql = statements("journal.sql")
    if connection.execute(sql["write_head"], _head_row(write.thread_id, write.head, write.expected)).rowcount != 1:
        raise Conflict
    connection.executemany(sql["insert_learned_event"], write.learned)
    connection.executemany(sql["insert_learned_delivery"], ((*one, one.parents) for one in write.deliveries))
    states = [(one.event_id, "learned") for one in write.learned] + [(one, "aborted") for one in write.aborted]
    connection.executemany(sql["put_event_state"], states)
    owed = [one for one in write.owing if not connection.execute(sql["read_answered"], (one,)).fetchone()]
    connection.execute(sql["settle_union"], (write.thread_id, write.closed, "".join(map(named, owed))))
    if write.user_id:
        for table in TIME_COLUMNS:
            connection.execute(sql[f"clear_{table}"], (write.user_id,))
        put_rows(connection, write.rows)


def put_rows(connection: sqlite3.Connection, rows: Iterable[RowChange]) -> None:
    """Write rows of projections, or take them away, in their order."""
    sql = statements("journal.sql")
    for name, some in groupby(rows, _statement):
        connection.executemany(sql[name], map(_values, some))


def _statement(row: RowChange) -> str:
    return f"{'drop' if row.values is None else 'put'}_{row.table}"


def _values(row: RowChange) -> tuple[Any, ...]:
    if row.values is None:
        return row.key
    times = TIME_COLUMNS[row.table]
    return (*row.key, *(as_iso(value) if at in times else value for at, value in enumerate(row.values)))


@lru_cache(maxsize=4096)
def as_iso(microseconds: int) -> str:
    """Write a time as people read it: ISO 8601, UTC, microseconds."""
    return (_EPOCH + timedelta(microseconds=microseconds)).isoformat(timespec="microseconds")


def from_iso(text: str) -> int:
    """Read such a time back into microseconds since 1970."""
    return (datetime.fromisoformat(text) - _EPOCH) // timedelta(microseconds=1)


def row_change(table: str, row: tuple[Any, ...]) -> RowChange:
    """Read a stored row back as the change that would write it."""
    keys = KEY_COLUMNS[table]
    times = TIME_COLUMNS[table]
    values = tuple(from_iso(value) if at in times else value for at, value in enumerate(row[keys:]))
    return RowChange(table, row[:keys], values)

"""A journal's file as the place of an application's events, held by this process and shared within it."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any

from holdfast.domain.errors import CorruptJournal, LogUnavailable, RowRefused
from holdfast.domain.ids import OriginId, ThreadId
from holdfast.domain.ports import Clock, Head
from holdfast.infrastructure.eventsourcing.place import Bell
from holdfast.infrastructure.eventsourcing.series import Entry, Standing, plan
from holdfast.infrastructure.log.codec import Codec
from holdfast.infrastructure.log.envelope import Record
from holdfast.infrastructure.log.heads import head_of
from holdfast.infrastructure.log.journal_file import FileLock, check_pages
from holdfast.infrastructure.log.journal_opening import prepare, take
from holdfast.infrastructure.log.journal_writer import append
from holdfast.infrastructure.log.keys import NO_KEY, check_key
from holdfast.infrastructure.log.mint import Mint, Randomness
from holdfast.infrastructure.sql import statements

_NOT_STORABLE = (sqlite3.IntegrityError, sqlite3.DataError, OverflowError, ValueError)


class JournalPlace:
    """One connection writes and one reads, each used by one thread at a time."""

    def __init__(self, path: Path, codec: Codec, clock: Clock, randomness: Randomness) -> None:
        """Check, lock, migrate and open the file; the errors of `journal_file` and `migrations`, KeyMissing."""
        self.codec = codec
        self.bell = Bell()
        self.path = path
        self._sql = statements("journal.sql")
        self._file_lock = FileLock(path)
        # An application that is collected as garbage closes, in whatever thread and wherever that may be.
        self._writing, self._reading = RLock(), RLock()
        take(path, self._file_lock)
        try:
            check_pages(path)
            self._writer, self._reader = _connect(path), _connect(path)
            self._mint = self._made_ready(path, clock, randomness)
        except BaseException:
            self.close()
            raise

    def _made_ready(self, path: Path, clock: Clock, randomness: Randomness) -> Mint:
        try:
            prepare(self._writer, path, clock, randomness)
            meta = dict(self._writer.execute(self._sql["read_meta"]).fetchall())
            check_key(meta.get("key", NO_KEY), self.codec.key_name)
            self._writer.execute(self._sql["write_meta"], ("key", self.codec.key_name))
            origin = OriginId(bytes.fromhex(meta["origin"]))
            (last,) = self._writer.execute(self._sql["read_origin_seq"], (origin,)).fetchone()
        except sqlite3.OperationalError as error:
            raise LogUnavailable(f"{path} cannot be opened: {error}") from None
        except sqlite3.DatabaseError as error:
            raise CorruptJournal(f"{path} is damaged ({error})") from None
        return Mint(self.codec, clock, randomness, origin, last or 0)

    def close(self) -> None:
        """Close both connections and let go of the file, once those who use them are done."""
        for name, lock in (("_reader", self._reading), ("_writer", self._writing)):
            with lock:
                connection: sqlite3.Connection | None = getattr(self, name, None)
                if connection is not None:
                    connection.close()
        self._file_lock.release()

    def append(self, entries: Sequence[Entry]) -> list[int]:
        """Write all entries or none, in one transaction that is on the disk when this returns."""
        with self._writing:
            try:
                with _transaction(self._writer):
                    writes = plan(entries, self._standing(entries), self._mint)
                    append(self._writer, writes)
            except _NOT_STORABLE as error:
                raise RowRefused(f"{error}") from None
            except sqlite3.Error as error:
                raise LogUnavailable(f"the journal cannot be written: {error}") from None
        return [write.record.ots for write in writes]

    def _standing(self, entries: Sequence[Entry]) -> Standing:
        sql, execute = self._sql, self._writer.execute
        threads = {entry.thread_id for entry in entries}
        upwards = {entry.thread_id for entry in entries if entry.upwards}
        last = {series: execute(sql["read_last_of_series"], (series,)).fetchone()[0] for series in _names(entries)}
        keys = {(entry.thread_id, entry.key) for entry in entries if not entry.upwards}
        return Standing(
            last=last,
            heads={thread_id: self._head(thread_id) for thread_id in threads},
            taken={asked for asked in keys if execute(sql["read_copies"], asked).fetchone()},
            latest={one: execute(sql["read_latest_key"], (one,)).fetchone()[0] or "" for one in upwards},
        )

    def _head(self, thread_id: ThreadId) -> Head:
        return head_of(self._writer.execute(self._sql["read_head_events"], (thread_id,)).fetchall())

    def recorded(
        self, thread_id: ThreadId, keys: tuple[str, str], limit: int | None, *, backwards: bool
    ) -> list[Record]:
        """Read an originator's events."""
        name = "read_recorded_backwards" if backwards else "read_recorded"
        return self._records(name, thread_id, *keys, -1 if limit is None else limit)

    def series(self, series: str, places: tuple[int, int], limit: int) -> list[Record]:
        """Read some events of a series."""
        return self._records("read_series", series, *places, limit)

    def last_of_series(self, series: str) -> int:
        """Give the greatest place of a series."""
        return int(self._rows("read_last_of_series", series)[0][0])

    def latest_key(self, thread_id: ThreadId) -> str | None:
        """Give the greatest key of an originator."""
        key: str | None = self._rows("read_latest_key", thread_id)[0][0]
        return key

    def _records(self, name: str, *values: object) -> list[Record]:
        return list(map(Record._make, self._rows(name, *values)))

    def _rows(self, name: str, *values: Any) -> list[tuple[Any, ...]]:  # noqa: ANN401 - what a column holds
        with self._reading:
            try:
                return self._reader.execute(self._sql[name], values).fetchall()
            except sqlite3.Error as error:
                raise LogUnavailable(f"the journal cannot be read: {error}") from None


def _names(entries: Sequence[Entry]) -> set[str]:
    return {entry.series for entry in entries}


def _connect(path: Path) -> sqlite3.Connection:
    try:
        return sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise LogUnavailable(f"{path} cannot be opened: {error}") from None


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise

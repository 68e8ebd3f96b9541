"""A view of one tier, for comparing: over a connection of its own, beside a bot that may be using it."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from msgspec import Struct

from holdfast.domain.errors import LogUnavailable, NotExecuted, NotMigrated
from holdfast.domain.ids import EventId, ThreadId
from holdfast.domain.ports import RowChange
from holdfast.infrastructure.log.envelope import Record
from holdfast.infrastructure.log.journal_writer import KEY_COLUMNS
from holdfast.infrastructure.log.stores import owner_of
from holdfast.infrastructure.sql import statements
from holdfast.infrastructure.tiers import wire
from holdfast.infrastructure.tiers.address import read_address
from holdfast.infrastructure.tiers.link import Link, Session
from holdfast.infrastructure.tiers.postgres_migrations import pending
from holdfast.infrastructure.tiers.store import HOUR, Digest, Table

T = TypeVar("T")
_SQL = "view.sql"
_ID_BYTES = 16


class Slice(Struct, frozen=True):
    """Some threads as of one moment: the events of each, their people, and all rows of these."""

    threads: dict[ThreadId, list[Record]]
    persons: frozenset[int]
    rows: tuple[RowChange, ...]


class TierView:
    """Reads a tier and changes nothing; each call may take so many seconds, and is NotExecuted after them."""

    def __init__(self, name: str, dsn: str, within: float) -> None:
        """Name the tier and say where it is; SettingsError when the DSN is none."""
        self.name = name
        self._within = within
        self._link = Link(name, read_address(dsn))

    async def open(self) -> None:
        """Connect; NotMigrated when it lacks tables, NewerJournal, ChangedMigration, NotExecuted."""
        self._link.open()
        missing = await self._read(pending)
        if missing:
            number = f"{missing[0].number:04d}"
            raise NotMigrated(f"it lacks the migration {number}; run holdfast migrate --tier {self.name}")

    def close(self) -> None:
        """Let go of the connection."""
        self._link.close()

    async def digest(self, of: Table, since: int) -> Digest:
        """Sum up what was received in an hour (since 1970) and after."""
        rows = await self._read(lambda session: session.rows(f"digest_{of}", since * HOUR))
        return {hour: (count, xor) for hour, count, xor in rows}

    async def hashes(self, of: Table, since: int, until: int) -> dict[EventId, bytes]:
        """Read what was received from a moment on up to another."""
        return dict(await self._read(lambda session: session.rows(f"hashes_{of}", since, until)))

    async def records(self, of: Table, event_ids: Sequence[EventId]) -> tuple[Record, ...]:
        """Read some events or deliveries."""
        rows = await self._read(lambda session: session.rows(f"records_{of}", event_ids))
        return tuple(map(wire.as_record, rows))

    async def threads(self, after: bytes, at_most: int) -> list[ThreadId]:
        """Name the threads behind one, in the order of their identities; empty bytes stand before the first."""
        rows = await self._read(lambda session: _rows(session, "threads", after.rjust(_ID_BYTES, b"\0"), at_most))
        return [row[0] for row in rows]

    async def persons(self, after: int, at_most: int) -> list[int]:
        """Name the people behind one who have rows, in the order of their numbers."""
        return [row[0] for row in await self._read(lambda session: _rows(session, "persons", after, at_most))]

    async def slice(self, thread_ids: Sequence[ThreadId], persons: Sequence[int] = ()) -> Slice:
        """Read some threads and the rows of their people, and of these people, as of one moment."""

        async def call(session: Session) -> Slice:
            async with session.transaction(isolation="repeatable_read", readonly=True):
                records = [wire.as_record(row) for row in await _rows(session, "events", thread_ids)]
                owners = {owner_of(one.dedup_key) for one in records} - {0} | set(persons)
                rows = [row for table in KEY_COLUMNS for row in await _table(session, table, owners)]
            threads: dict[ThreadId, list[Record]] = {thread_id: [] for thread_id in thread_ids}
            for one in records:
                threads[one.thread_id].append(one)
            return Slice(threads, frozenset(owners), tuple(rows))

        return await self._read(call)

    async def _read(self, call: Callable[[Session], Awaitable[T]]) -> T:
        try:
            return await self._link.run(self._within, call)
        except LogUnavailable as error:
            raise error if isinstance(error, NotExecuted) else NotExecuted(f"{error}") from None


async def _rows(session: Session, name: str, *values: object) -> list[tuple[Any, ...]]:
    return list(map(tuple, await session.fetch(statements(_SQL)[name], *values)))


async def _table(session: Session, table: str, owners: set[int]) -> list[RowChange]:
    keys = KEY_COLUMNS[table]
    return [RowChange(table, row[:keys], row[keys:]) for row in await _rows(session, table, list(owners))]

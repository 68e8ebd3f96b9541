"""The tiers that the suite runs on, what each declares about itself, and how to look into it."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

import asyncpg
import pytest

from holdfast.domain.ids import EventId, ThreadId
from holdfast.domain.ports import RowChange
from holdfast.infrastructure.tiers.memory import MemoryTier
from holdfast.infrastructure.tiers.postgres import PostgresTier
from holdfast.infrastructure.tiers.postgres_migrations import migrate
from holdfast.infrastructure.tiers.store import TierStore
from tests.servers.database import Database
from tests.servers.fixtures import fresh
from tests.servers.seed import OWNER
from tests.servers.server import Server

LONG = 30.0
"""Seconds that no call of a test needs."""

RESTRICTED = "restricted"
"""A login that is a member of `holdfast_app` and nothing else."""


class TierBackend(Protocol):
    """One place where a tier is kept.

    `bounds_its_values`: a value that no column can hold is refused; without it every value fits. `pooled`: it is
    reached through a transaction pooler.
    """

    bounds_its_values: bool

    def tier(self, name: str = "one") -> TierStore:
        """Give the tier as another program would have it: not open yet."""

    async def rows(self, table: str) -> list[RowChange]:
        """Read a projection's table, whole, in the order of its keys."""

    async def debt(self, thread_id: ThreadId) -> int:
        """Read how many replies a thread is owed."""

    async def twins(self) -> set[EventId]:
        """Read which identities have a record in quarantine."""


class MemoryBackend:
    bounds_its_values = False

    def __init__(self) -> None:
        self._tier = MemoryTier("one")

    def tier(self, name: str = "one") -> TierStore:
        return self._tier

    async def rows(self, table: str) -> list[RowChange]:
        return self._tier.rows(table)

    async def debt(self, thread_id: ThreadId) -> int:
        return self._tier.debt(thread_id)

    async def twins(self) -> set[EventId]:
        return {event_id for event_id, _ in self._tier.quarantine}


class PostgresBackend:
    bounds_its_values = True

    def __init__(self, dsn: str, look: "asyncpg.Connection[asyncpg.Record]", *, pooled: bool) -> None:
        self._dsn = dsn
        self._look = look
        self._pooled = pooled

    def tier(self, name: str = "one") -> TierStore:
        return PostgresTier(name, self._dsn, pooled=self._pooled)

    async def rows(self, table: str) -> list[RowChange]:
        found = await self._look.fetch(READ_ROWS[table])
        keys = 3 if table == "conversation_states" else 1
        return [RowChange(table, tuple(row)[:keys], tuple(row)[keys:]) for row in found]

    async def debt(self, thread_id: ThreadId) -> int:
        found = await self._look.fetchval("SELECT undelivered FROM heads WHERE thread_id = $1", thread_id)
        return int(found or 0)

    async def twins(self) -> set[EventId]:
        rows = await self._look.fetch("SELECT convert_from(raw, 'UTF8')::jsonb ->> 'event_id' FROM quarantine")
        return {EventId(bytes.fromhex(text.replace("-", ""))) for (text,) in rows}


READ_ROWS = {
    "conversation_states": """
        SELECT user_id, chat_id, conversation_type, current_step, state_data,
            (extract(epoch FROM started_at) * 1000000)::bigint, (extract(epoch FROM updated_at) * 1000000)::bigint,
            (extract(epoch FROM expires_at) * 1000000)::bigint
        FROM conversation_states ORDER BY 1, 2, 3
    """,
    "user_machines": """
        SELECT machine_id::text, user_id, nickname, manufacturer, model_number, serial_number, location, notes,
            photo_file_id, ocr_data,
            (extract(epoch FROM created_at) * 1000000)::bigint, (extract(epoch FROM updated_at) * 1000000)::bigint
        FROM user_machines ORDER BY 1
    """,
    "photos_wanted": "SELECT event_id::text, user_id, chat_id, file_id, file_size FROM photos_wanted ORDER BY 1",
}
"""A table's rows as the projections write them: identities as text, times as microseconds."""


async def look_into(database: Database) -> "asyncpg.Connection[asyncpg.Record]":
    """Connect as the owner, with identities as sixteen bytes."""
    connection = await database.connect()
    await connection.set_type_codec("uuid", schema="pg_catalog", encoder=bytes, decoder=bytes, format="binary")
    return connection


async def restricted_dsn(database: Database) -> str:
    """Migrate as the owner, and give the address of a login that may do what the port asks and no more."""
    await migrate(database.dsn, LONG)
    owner: asyncpg.Connection[Any] = await database.connect(OWNER)
    try:
        if not await owner.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", RESTRICTED):
            await owner.execute(
                f"CREATE ROLE {RESTRICTED} LOGIN PASSWORD '{database.server.password}' IN ROLE holdfast_app"
            )
    finally:
        await owner.close()
    return database.server.dsn(database.name, RESTRICTED)


@asynccontextmanager
async def _in_memory(request: pytest.FixtureRequest) -> AsyncIterator[TierBackend]:
    yield MemoryBackend()


def _in_postgres(
    *, pooled: bool = False, restricted: bool = False
) -> Callable[[pytest.FixtureRequest], AbstractAsyncContextManager[TierBackend]]:
    @asynccontextmanager
    async def make(request: pytest.FixtureRequest) -> AsyncIterator[TierBackend]:
        server: Server = request.getfixturevalue("server")
        async with fresh(server) as database:
            dsn = await restricted_dsn(database) if restricted else database.dsn
            look = await look_into(database)
            try:
                yield PostgresBackend(dsn, look, pooled=pooled)
            finally:
                await look.close()

    return make


TIER_BACKENDS: dict[str, Callable[[pytest.FixtureRequest], AbstractAsyncContextManager[TierBackend]]] = {
    "memory": _in_memory,
    "postgres": _in_postgres(),
    "postgres, pooled": _in_postgres(pooled=True),
    "postgres, restricted": _in_postgres(restricted=True),
}

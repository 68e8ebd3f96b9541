"""What is asked of a server in SQL, by the user who may do everything. Each question comes over its own connection."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import asyncpg

from tests.servers.patience import PATIENCE, until

TERMINATE = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
"""

LEAST = "SELECT pg_logical_emit_message(true, 'probe', '')"
"""The least that a commit must write to the log for, and so wait for a standby."""

WAITS = "SELECT count(*) FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'SyncRep'"


class Admin:
    """The superuser's hands."""

    def __init__(self, dsn: str) -> None:
        """Do everything over this address."""
        self._dsn = dsn

    @asynccontextmanager
    async def _session(self, **settings: str) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
        """Connect; a test's switches do not bind the one who turns them."""
        free = {"default_transaction_read_only": "off", "synchronous_commit": "local"}
        connection = await asyncpg.connect(
            self._dsn, timeout=PATIENCE, command_timeout=PATIENCE, server_settings=free | settings
        )
        try:
            yield connection
        finally:
            await connection.close(timeout=PATIENCE)

    async def create_database(self, name: str, owner: str, template: str) -> None:
        async with self._session() as session:
            await session.execute(f'CREATE DATABASE "{name}" OWNER {owner} TEMPLATE "{template}"')

    async def drop_database(self, name: str) -> None:
        async with self._session() as session:
            await session.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    async def terminate_backends(self) -> None:
        async with self._session() as session:

            async def gone() -> bool:
                return not await session.fetchval(TERMINATE)

            await until(gone, "every session has ended")

    async def configure(self, settings: Mapping[str, str]) -> None:
        """Change settings, each value as SHOW writes it, and wait until a new session has them."""
        async with self._session() as session:
            for name, value in settings.items():
                await session.execute(f"ALTER SYSTEM SET {name} = '{value}'")
            await session.execute("SELECT pg_reload_conf()")
        await until(lambda: self._has(settings), f"new sessions have {settings}")

    async def _has(self, settings: Mapping[str, str]) -> bool:
        """Look with the eyes of a session that was begun with nothing of its own."""
        connection = await asyncpg.connect(self._dsn, timeout=PATIENCE, command_timeout=PATIENCE)
        try:
            rows = await connection.fetch(
                "SELECT name, current_setting(name) AS value FROM unnest($1::text[]) AS name", list(settings)
            )
            return all(row["value"] == settings[row["name"]] for row in rows)
        finally:
            await connection.close(timeout=PATIENCE)

    async def hang_commits(self, *, on: bool) -> None:
        """Commits hang once the checkpointer has read the settings, which only a commit can tell."""
        await self.configure({"synchronous_standby_names": "missing" if on else ""})
        await until(self._commits_hang if on else self._commits_are_confirmed, f"commits hang: {on}")

    async def _commits_are_confirmed(self) -> bool:
        return not await self._commits_hang()

    async def _commits_hang(self) -> bool:
        async with self._session() as watcher, self._session(synchronous_commit="on") as session:
            commit = asyncio.create_task(session.execute(LEAST))
            while not commit.done():
                if await watcher.fetchval(WAITS, session.get_server_pid()):
                    commit.cancel()
                    await asyncio.wait([commit], timeout=PATIENCE)
                    return True
            await commit
            return False

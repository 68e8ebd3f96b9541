"""A transaction that somebody forgot to end."""

import asyncpg

from tests.servers.patience import PATIENCE


class IdleTransaction:
    """Open as long as the context: it keeps its locks and its snapshot, and asks nothing."""

    def __init__(self, dsn: str, statements: tuple[str, ...]) -> None:
        """Run these statements in it once."""
        self._dsn = dsn
        self._statements = statements
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None

    async def __aenter__(self) -> "asyncpg.Connection[asyncpg.Record]":
        self._connection = await asyncpg.connect(self._dsn, timeout=PATIENCE)
        for statement in ("BEGIN", *self._statements):
            await self._connection.execute(statement, timeout=PATIENCE)
        return self._connection

    async def __aexit__(self, *_error: object) -> None:
        if self._connection is not None:
            self._connection.terminate()

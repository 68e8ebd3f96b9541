"""A PostgreSQL server in memory, with fsync on, and databases on it that nobody else uses."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from benchmarks.race import NotMeasured
from tests.servers.errors import GroundFailed
from tests.servers.ground import Ground
from tests.servers.seed import SUPERUSER
from tests.servers.server import SLOW_SYNC, Server

_REST = Path(__file__).with_name("rest.sql").read_text("utf-8")
_SETTINGS = {"max_connections": "200", "autovacuum_naptime": "10s"}


class Postgres(NamedTuple):
    """A server that runs; `name` says how fast its syncs are."""

    name: str
    server: Server

    def database(self) -> str:
        """Make an empty database, and give its address."""
        return self.server.dsn(asyncio.run(self.server.create_database()))

    async def rest(self, dsn: str) -> None:
        """Let a database do what is left to do, so that no race is disturbed by it."""
        connection = await self.server.connect(urlsplit(dsn).path[1:], SUPERUSER)
        for statement in _REST.split(";")[:-1]:
            await connection.execute(statement)
        await connection.close()


@contextmanager
def postgres(*, slow: bool = False) -> Iterator[Postgres]:
    """Run a server, whose syncs take 2 ms more when it is slow; NotMeasured where none can be had."""
    with Ground() as ground:
        server = Server(ground, settings=_SETTINGS | (SLOW_SYNC if slow else {}))
        try:
            try:
                asyncio.run(server.start())
            except (GroundFailed, OSError) as error:
                raise NotMeasured(f"no PostgreSQL here: {type(error).__name__}") from error
            yield Postgres("tmpfs + 2 ms a sync" if slow else "tmpfs", server)
        finally:
            asyncio.run(server.end())

"""One database of a server."""

from dataclasses import dataclass

import asyncpg

from tests.servers.seed import OWNER
from tests.servers.server import Server


@dataclass(frozen=True)
class Database:
    """Its server and its name; it belongs to `owner`."""

    server: Server
    name: str

    @property
    def dsn(self) -> str:
        """Its address, for the owner."""
        return self.server.dsn(self.name)

    async def connect(self, user: str = OWNER, *, port: int | None = None) -> "asyncpg.Connection[asyncpg.Record]":
        """Connect as anybody would; `port` may be a proxy's."""
        return await self.server.connect(self.name, user, port=port)

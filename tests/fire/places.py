"""The places where tiers stand: real servers, reached directly or through a network that can be hurt."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from tests.fire.witness import Outcome, Witness
from tests.servers.database import Database
from tests.servers.disk import no_small_disk
from tests.servers.ground import Ground
from tests.servers.proxy import Proxy
from tests.servers.server import Server

NAMES = ("neon", "supabase", "railway")
DISK = 128
"""MiB of a server whose disk shall be filled."""


@dataclass(frozen=True)
class Place:
    """One tier's server, which nobody else uses, and the network before it where there is one.

    `options` go to the end of its address; `outcomes` are what bots saw of it, oldest first.
    """

    name: str
    database: Database
    network: Proxy | None = None
    options: str = ""
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def server(self) -> Server:
        """What can be hurt."""
        return self.database.server

    @property
    def proxy(self) -> Proxy:
        """The network that can be hurt."""
        assert self.network is not None, "this place is reached directly"
        return self.network

    @property
    def dsn(self) -> str:
        """The address under which a bot knows it."""
        dsn = self.server.dsn(self.database.name, port=self.network.port if self.network else None)
        return dsn + self.options

    def store(self) -> Witness:
        """Give it as one worker has it: not open yet."""
        return Witness(self.name, self.dsn, self.outcomes)


@asynccontextmanager
async def places(
    ground: Ground, count: int = 2, *, network: bool = False, options: str = "", disk: int = DISK
) -> AsyncIterator[list[Place]]:
    """Start the servers of so many tiers; the first has a small disk where this machine permits one, of so many MiB."""
    async with AsyncExitStack() as stack:
        found = []
        for number, name in enumerate(NAMES[:count]):
            small = number == 0 and not no_small_disk()
            server = await stack.enter_async_context(Server(ground, disk_mib=disk if small else None))
            proxy = await stack.enter_async_context(Proxy(server.port)) if network else None
            found.append(Place(name, Database(server, await server.create_database()), proxy, options))
        yield found

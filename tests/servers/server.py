"""A PostgreSQL server of the tests' own, and everything that can be done to it."""

import asyncio
import secrets
from pathlib import Path
from typing import Literal, Self

import asyncpg

from tests.servers.admin import Admin
from tests.servers.disk import Disk, Shared, Small
from tests.servers.ground import Ground
from tests.servers.idle import IdleTransaction
from tests.servers.patience import PATIENCE
from tests.servers.port import LOOPBACK, Port
from tests.servers.postmaster import Postmaster
from tests.servers.seed import OWNER, SUPERUSER

SLOW_SYNC = {"commit_delay": "2000", "commit_siblings": "0"}
"""Settings under which every sync of the log takes two milliseconds more, as a disk in a data centre does."""


class Server:
    """One server, listening on the loopback alone, whose port stays its own while it is down.

    `owner` owns its databases, and may make roles and databases and no more; `postgres` may do everything. Both have
    the same password, and nobody comes in without it. Unless said otherwise a method returns when what it says is so,
    and raises `GroundFailed` when that takes too long.
    """

    def __init__(
        self,
        ground: Ground,
        *,
        version: Literal[16, 18] = 16,
        settings: dict[str, str] | None = None,
        disk_mib: int | None = None,
    ) -> None:
        """Stand on the ground, or on a disk of so many MiB (64 is little), whose log lies in files of 1 MiB."""
        self._ground = ground
        self._version = version
        self._port = Port()
        self._settings = settings or {}
        self._small = disk_mib is not None
        self.password = ground.password
        place = ground.place()
        mount = ground.account.folder(place / "disk")
        disk: Disk = Small(ground.account, mount, disk_mib) if disk_mib is not None else Shared()
        self._postmaster = Postmaster(ground.tree(version), place, disk, self.port)
        self._admin = Admin(self.dsn(SUPERUSER, SUPERUSER))
        self._created = False

    @property
    def port(self) -> int:
        """The number of its port, on the loopback."""
        return self._port.number

    @property
    def runs(self) -> bool:
        """Tell whether its processes live, frozen or not."""
        return self._postmaster.runs

    @property
    def pid(self) -> int:
        """The id of its first process, whose children the others are."""
        return self._postmaster.pid

    @property
    def log(self) -> str:
        """All that it wrote, in all its lives."""
        return self._postmaster.log

    def dsn(self, database: str = OWNER, user: str = OWNER, *, port: int | None = None) -> str:
        """Write the address of a database; `port` may be a proxy's."""
        return f"postgresql://{user}:{self.password}@{LOOPBACK}:{port or self.port}/{database}?sslmode=disable"

    async def connect(
        self, database: str = OWNER, user: str = OWNER, *, port: int | None = None
    ) -> "asyncpg.Connection[asyncpg.Record]":
        """Connect as anybody would."""
        return await asyncpg.connect(self.dsn(database, user, port=port), timeout=PATIENCE)

    async def start(self) -> None:
        """Start it, the first time from nothing."""
        if not self._created:
            await asyncio.to_thread(self._create)
            self._created = True
        await asyncio.to_thread(self._postmaster.start)

    def _create(self) -> None:
        seed = self._ground.seed(self._version, 1 if self._small else 16)
        self._postmaster.create(seed, self._settings)

    async def stop(self, mode: Literal["smart", "fast", "immediate"] = "fast") -> None:
        """Stop it in one of PostgreSQL's ways; from then on connections are refused."""
        await asyncio.to_thread(self._postmaster.stop, mode)

    async def kill(self) -> None:
        """SIGKILL every process of it at once, as a power cut would."""
        await asyncio.to_thread(self._postmaster.kill)

    async def ended(self) -> None:
        """Wait until it has ended by itself."""
        await asyncio.to_thread(self._postmaster.ended)

    async def freeze(self) -> None:
        """SIGSTOP every process of it: connections are taken by the system, and nothing answers."""
        await asyncio.to_thread(self._postmaster.freeze)

    async def thaw(self) -> None:
        """Undo `freeze`; what was asked meanwhile is answered now."""
        await asyncio.to_thread(self._postmaster.thaw)

    async def end(self) -> None:
        """End it without ceremony, in whatever state it is, and remove all that it left."""
        try:
            await asyncio.to_thread(self._postmaster.remove)
        finally:
            self._port.release()

    async def snapshot(self) -> Path:
        """Copy the data folder as it is at this moment; the server goes on. Give the copy, for `restore`."""
        return await asyncio.to_thread(self._postmaster.snapshot)

    async def restore(self, copy: Path) -> None:
        """Kill it if it runs, and start it with an old data folder: what was committed since then is forgotten."""
        if self.runs:
            await self.kill()
        await asyncio.to_thread(self._postmaster.restore, copy)
        await self.start()

    async def create_database(self, name: str | None = None, *, template: str = "template1") -> str:
        """Make a database that belongs to `owner`, under any name if none is given; give the name."""
        name = name or f"test_{secrets.token_hex(6)}"
        await self._admin.create_database(name, OWNER, template)
        return name

    async def drop_database(self, name: str) -> None:
        """Remove a database, whoever is in it."""
        await self._admin.drop_database(name)

    async def configure(self, **settings: str) -> None:
        """Change settings that need no restart, each value as SHOW writes it; new connections have them."""
        await self._admin.configure(settings)

    async def read_only(self, on: bool = True) -> None:  # noqa: FBT001, FBT002 - a switch
        """Let no transaction write, as on a standby; every session begins anew."""
        await self._admin.configure({"default_transaction_read_only": "on" if on else "off"})
        await self._admin.terminate_backends()

    async def hang_commits(self, on: bool = True) -> None:  # noqa: FBT001, FBT002 - a switch
        """Let commits wait for a standby that does not exist: written here, and never confirmed.

        Switched off, it confirms those that wait.
        """
        await self._admin.hang_commits(on=on)

    async def terminate_backends(self) -> None:
        """End every session; the server goes on."""
        await self._admin.terminate_backends()

    def idle_transaction(self, database: str, *statements: str) -> IdleTransaction:
        """Give a context in which a transaction that ran these statements is open, and does nothing."""
        return IdleTransaction(self.dsn(database), statements)

    async def fill(self) -> None:
        """Fill its disk, which must be its own (`disk_mib`)."""
        await asyncio.to_thread(self._postmaster.disk.fill)

    async def make_room(self) -> None:
        """Undo `fill`; a server that ended of it must be started."""
        await asyncio.to_thread(self._postmaster.disk.make_room)

    async def limit_files(self, size: int) -> None:
        """Let the system refuse every write of it beyond so many bytes of a file, until -1 lifts that."""
        await asyncio.to_thread(self._postmaster.limit_files, size)

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.end()
            raise
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.end()

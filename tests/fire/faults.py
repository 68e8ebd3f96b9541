"""What can happen to a tier, each as a context: it begins, goes on under traffic, and ends."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass

import asyncpg

from tests.fire.places import Place
from tests.servers.disk import no_small_disk
from tests.servers.patience import until
from tests.servers.server import Server

Hurt = Callable[[Place], AbstractAsyncContextManager[None]]
_PAUSE = 0.15
"""Seconds between two blows of a fault that strikes again and again."""
APPEND = "append_turn"
"""What every statement that commits a turn has in its text."""


@asynccontextmanager
async def frozen(place: Place) -> AsyncIterator[None]:
    """SIGSTOP: nothing answers."""
    await place.server.freeze()
    try:
        yield
    finally:
        await place.server.thaw()


@asynccontextmanager
async def killed(place: Place) -> AsyncIterator[None]:
    """SIGKILL, as a power cut."""
    await place.server.kill()
    try:
        yield
    finally:
        await place.server.start()


@asynccontextmanager
async def stopped(place: Place) -> AsyncIterator[None]:
    """An orderly stop: connections are refused."""
    await place.server.stop()
    try:
        yield
    finally:
        await place.server.start()


@asynccontextmanager
async def read_only(place: Place) -> AsyncIterator[None]:
    """No transaction may write, as on a standby."""
    await place.server.read_only()
    try:
        yield
    finally:
        await place.server.read_only(False)  # noqa: FBT003 - a switch


@asynccontextmanager
async def full(place: Place) -> AsyncIterator[None]:
    """The disk is full; where no small disk can be mounted, the system refuses every write."""
    server = place.server
    await (server.limit_files(0) if no_small_disk() else server.fill())
    try:
        yield
    finally:
        if not no_small_disk():
            await server.make_room()
        elif server.runs:
            await server.limit_files(-1)
        await revived(server)


async def revived(server: Server) -> None:
    """Wait until a server that found its way lets somebody in; start it when it has ended."""

    async def lets_in() -> bool:
        if not server.runs:
            await server.ended()
            await server.start()
        try:
            session = await server.connect()
        except (asyncpg.PostgresError, OSError):
            return False
        session.terminate()
        return True

    await until(lets_in, "the server lets somebody in again")


@asynccontextmanager
async def unconfirmed(place: Place) -> AsyncIterator[None]:
    """Commits hang: the standby that must confirm them is missing."""
    await place.server.hang_commits()
    try:
        yield
    finally:
        await place.server.hang_commits(False)  # noqa: FBT003 - a switch


@asynccontextmanager
async def terminated(place: Place) -> AsyncIterator[None]:
    """All sessions are ended, again and again."""
    async with _again(place.server.terminate_backends):
        yield


@asynccontextmanager
async def swallowed(place: Place) -> AsyncIterator[None]:
    """Turns are committed, and instead of the answer the connection is cut."""
    async with _again(lambda: place.proxy.swallow_reply(APPEND)):
        yield
    await place.proxy.heal()


@asynccontextmanager
async def unheard(place: Place) -> AsyncIterator[None]:
    """Turns are committed, and the answer never comes."""
    async with _again(lambda: place.proxy.swallow_reply(APPEND, "hang")):
        yield
    await place.proxy.heal()


@asynccontextmanager
async def black_hole(place: Place) -> AsyncIterator[None]:
    """The network carries nothing, without a word; what it held arrives at the end."""
    await place.proxy.black_hole()
    try:
        yield
    finally:
        await place.proxy.heal()


@asynccontextmanager
async def cut(place: Place) -> AsyncIterator[None]:
    """Every connection is reset, and new ones are refused."""
    await place.proxy.cut()
    try:
        yield
    finally:
        await place.proxy.heal()


@asynccontextmanager
async def half_open(place: Place) -> AsyncIterator[None]:
    """The server has forgotten every connection, and the client never hears of it."""
    async with _again(place.proxy.half_open):
        yield


@asynccontextmanager
async def slow(place: Place) -> AsyncIterator[None]:
    """Each byte takes longer than anybody waits."""
    await place.proxy.delay(0.2)
    try:
        yield
    finally:
        await place.proxy.heal()


@asynccontextmanager
async def _again(blow: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    async def strike() -> None:
        while True:
            await blow()
            await asyncio.sleep(_PAUSE)

    task = asyncio.create_task(strike(), name="fault")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


ALL = None


@dataclass(frozen=True)
class Fault:
    """What happens to which tiers, counted from 0; `ALL` are all there are.

    `network`: there must be a network to hurt. `workers` take each person's inputs in turn. `dies`: the workers are
    killed in the middle of it, and started again on the same journals.
    """

    name: str
    hurt: Hurt
    where: tuple[int, ...] | None = (0,)
    network: bool = False
    workers: int = 1
    dies: bool = False

    def hits(self, places: Sequence[Place]) -> Sequence[Place]:
        """Give the places that it happens to."""
        return places if self.where is None else [places[number] for number in self.where]


SHORT = (
    Fault("the first frozen", frozen),
    Fault("the first killed", killed),
    Fault("the first stopped", stopped),
    Fault("the first read-only", read_only),
    Fault("the first one's disk full", full),
    Fault("the first in a black hole", black_hole, network=True),
    Fault("the first one's answers swallowed", swallowed, network=True),
    Fault("the first one's sessions ended", terminated),
    Fault("the first one's standby missing", unconfirmed),
    Fault("the second killed", killed, where=(1,)),
    Fault("all killed", killed, where=ALL),
    Fault("all frozen, and the bot killed", frozen, where=ALL, dies=True),
    Fault("two bots, the first killed", killed, workers=2),
)
"""What `make test` goes through."""

LONG = (
    *SHORT,
    Fault("the first one's answers unheard", unheard, network=True),
    Fault("the first cut off", cut, network=True),
    Fault("the first half open", half_open, network=True),
    Fault("the first slow", slow, network=True),
    Fault("the second frozen", frozen, where=(1,)),
    Fault("the second one's standby missing", unconfirmed, where=(1,)),
    Fault("all frozen", frozen, where=ALL),
    Fault("all stopped", stopped, where=ALL),
    Fault("all read-only", read_only, where=ALL),
    Fault("all answers swallowed", swallowed, where=ALL, network=True),
    Fault("all in a black hole", black_hole, where=ALL, network=True),
    Fault("all killed, and the bot killed", killed, where=ALL, dies=True),
    Fault("all answers swallowed, and the bot killed", swallowed, where=ALL, network=True, dies=True),
    Fault("two bots, nothing else", half_open, where=(), workers=2),
    Fault("two bots, the first frozen", frozen, workers=2),
    Fault("two bots, the first one's answers swallowed", swallowed, network=True, workers=2),
    Fault("two bots, all killed", killed, where=ALL, workers=2),
    Fault("two bots, both killed, the first frozen", frozen, workers=2, dies=True),
)
"""What `make torture` goes through."""

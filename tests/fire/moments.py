"""Faults in the very moment of one turn, each with what the tier must be seen to answer."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from holdfast.domain.errors import Ambiguous, LogUnavailable, NotExecuted
from tests.fire.faults import APPEND, Hurt, black_hole, frozen, full, killed, read_only, revived, stopped, unconfirmed
from tests.fire.places import Place
from tests.servers.patience import until
from tests.servers.seed import OWNER, SUPERUSER

_LITTLE, _MUCH = 2048, 65536
"""Bytes of room that are left in the last file of a server's log, and what it is filled with at a time."""

ROOM = """
    SELECT (SELECT max(name) FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$') = file_name,
        pg_size_bytes(current_setting('wal_segment_size')) - file_offset
    FROM pg_walfile_name_offset(pg_current_wal_insert_lsn())
"""
"""Whether the log has come to its last file, and how much room there is in it."""


@asynccontextmanager
async def swallowed(place: Place) -> AsyncIterator[None]:
    """The next turn is committed, and instead of the answer the connection is cut."""
    await place.proxy.swallow_reply(APPEND)
    yield
    await place.proxy.heal()


@asynccontextmanager
async def unheard(place: Place) -> AsyncIterator[None]:
    """The next turn is committed, and the answer never comes."""
    await place.proxy.swallow_reply(APPEND, "hang")
    yield
    await place.proxy.heal()


@asynccontextmanager
async def _held_up(place: Place, blow: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Let turns wait for a lock; strike as soon as one does, and let go of the lock."""
    locker = await place.server.connect(place.database.name, SUPERUSER)
    await locker.execute("BEGIN; LOCK TABLE events")

    async def waits() -> bool:
        return bool(await locker.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"))

    async def strike() -> None:
        await until(waits, "a turn waits for the lock")
        await blow()

    task = asyncio.create_task(strike(), name="fault")
    try:
        yield
    finally:
        await task
        locker.terminate()


@asynccontextmanager
async def terminated(place: Place) -> AsyncIterator[None]:
    """The session is ended in the middle of a turn."""
    async with _held_up(place, place.server.terminate_backends):
        yield


@asynccontextmanager
async def killed_in_it(place: Place) -> AsyncIterator[None]:
    """The server is killed in the middle of a turn."""
    async with _held_up(place, place.server.kill):
        yield
    await place.server.start()


@asynccontextmanager
async def crowded(place: Place) -> AsyncIterator[None]:
    """There is no connection to spare."""
    await _execute(place, f"ALTER ROLE {OWNER} CONNECTION LIMIT 0")
    await place.server.terminate_backends()
    try:
        yield
    finally:
        await _execute(place, f"ALTER ROLE {OWNER} CONNECTION LIMIT -1")


@asynccontextmanager
async def stopping(place: Place) -> AsyncIterator[None]:
    """The server is about to stop, and lets nobody in; whoever is in keeps it up."""
    await place.server.terminate_backends()
    last = await place.server.connect(place.database.name, SUPERUSER)
    stop = asyncio.create_task(place.server.stop("smart"), name="fault")
    await _until_refused(place)
    try:
        yield
    finally:
        last.terminate()
        await stop
        await place.server.start()


async def _until_refused(place: Place) -> None:
    """Knock until the server says that it stops."""

    async def refused() -> bool:
        try:
            session = await place.server.connect(place.database.name, SUPERUSER)
        except asyncpg.CannotConnectNowError:
            return True
        session.terminate()
        return False

    await until(refused, "the server lets nobody in")


@asynccontextmanager
async def log_full(place: Place) -> AsyncIterator[None]:
    """The log itself has no more room than for a turn or two, and then the server ends."""
    server = place.server
    await server.fill()
    filler = await server.connect(place.database.name, SUPERUSER)
    while (room := await _room(filler)) > _LITTLE:
        size = _MUCH if room > 3 * _MUCH else 512
        await filler.execute("SELECT pg_logical_emit_message(false, 'x', repeat('x', $1))", size)
    filler.terminate()
    try:
        yield
    finally:
        await server.make_room()
        await revived(server)


async def _room(session: "asyncpg.Connection[asyncpg.Record]") -> int:
    row = await session.fetchrow(ROOM)
    assert row is not None
    is_last, left = row
    return int(left) if is_last else int(left) + 4 * _MUCH


async def _execute(place: Place, statement: str) -> None:
    session = await place.server.connect(SUPERUSER, SUPERUSER)
    try:
        await session.execute(statement)
    finally:
        await session.close()


@dataclass(frozen=True)
class Moment:
    """What happens to the first tier, how its call must end, and a word of the message.

    `there`: the tier has the event all the same; None where nobody can see it before all is over.
    `network`: through a network. `options`: what its address ends with.
    `most` is how many inputs it may take until it is noticed.
    """

    name: str
    hurt: Hurt
    ends: type[LogUnavailable]
    says: str
    network: bool = False
    options: str = ""
    there: bool | None = None
    most: int = 1


ONLY_PRIMARY = "&target_session_attrs=read-write"
MOMENTS = (
    Moment("stopped", stopped, NotExecuted, "cannot be reached"),
    Moment("killed", killed, NotExecuted, "cannot be reached"),
    Moment("read-only", read_only, NotExecuted, "25006", there=False),
    Moment("no primary", read_only, NotExecuted, "none of its hosts takes writes", options=ONLY_PRIMARY, there=False),
    Moment("disk full", full, NotExecuted, "53100", there=False, most=60),
    Moment("no connection to spare", crowded, NotExecuted, "53300"),
    Moment("stopping", stopping, NotExecuted, "57P03"),
    Moment("answer swallowed", swallowed, Ambiguous, "08003", network=True, there=True),
    Moment("answer never comes", unheard, Ambiguous, "no answer in time", network=True, there=True),
    Moment("frozen", frozen, Ambiguous, "no answer in time"),
    Moment("in a black hole", black_hole, Ambiguous, "no answer in time", network=True, there=False),
    Moment("session ended", terminated, Ambiguous, "08003"),
    Moment("killed in it", killed_in_it, Ambiguous, "08003"),
    Moment("standby missing", unconfirmed, Ambiguous, "no answer in time"),
    Moment("no room in the log", log_full, Ambiguous, "", most=60),
)
"""Every way in which a call to a tier can end badly."""

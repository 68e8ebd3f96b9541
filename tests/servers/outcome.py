"""Finding out what a client sees of a fault."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import asyncpg

from tests.servers.patience import PATIENCE, until
from tests.servers.seen import Seen

SOON = 0.3
"""Seconds after which an answer is taken for one that does not come."""

WRITE = "INSERT INTO things VALUES (1)"
TABLE = "CREATE TABLE things (n int)"
SLEEP = "SELECT pg_sleep(60)"


async def outcome(work: Awaitable[object]) -> str:
    """Give the name of the exception that it raised, with its SQLSTATE if it has one, or "done"."""
    try:
        await work
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        state = getattr(error, "sqlstate", None)
        return type(error).__name__ + (f" {state}" if state else "")
    return "done"


@asynccontextmanager
async def session(dsn: str, patience: float = PATIENCE) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
    """Connect, and leave without a word, for there may be nobody to say it to."""
    connection = await asyncpg.connect(dsn, timeout=patience)
    try:
        yield connection
    finally:
        connection.terminate()


async def execute(dsn: str, statement: str, patience: float = PATIENCE) -> None:
    """Connect, run one statement and leave."""
    async with session(dsn, patience) as one:
        await one.execute(statement, timeout=patience)


async def until_ended(session: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Let a session that is being ended come to its end: in between, the driver can't say what became of a call."""
    with suppress(TimeoutError):
        async with asyncio.timeout(SOON):
            while not session.is_closed():  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.005)


async def seen(dsn: str, fault: Callable[[], Awaitable[None]]) -> Seen:
    """Do it to a server where a table waits, and look with three clients' eyes."""
    async with AsyncExitStack() as stack:
        busy = await stack.enter_async_context(session(dsn))
        idle = await stack.enter_async_context(session(dsn))
        busy_sees = asyncio.create_task(outcome(busy.execute(SLEEP, timeout=PATIENCE)))
        await until_busy(idle)
        await fault()
        await until_ended(idle)
        idle_sees = await outcome(idle.execute(WRITE, timeout=SOON))
        new_sees = await outcome(execute(dsn, WRITE, SOON))
        done, _ = await asyncio.wait([busy_sees], timeout=SOON)
        return Seen(busy_sees.result() if done else await given_up(busy_sees), idle_sees, new_sees)


async def until_busy(watcher: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Wait until the server runs the long statement."""

    async def sleeps() -> bool:
        return bool(await watcher.fetchval("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"))

    await until(sleeps, "the long statement runs")


async def given_up(task: "asyncio.Task[str]") -> str:
    """Wait no longer, as a deadline does."""
    task.cancel()
    await asyncio.wait([task], timeout=SOON)
    return "TimeoutError"

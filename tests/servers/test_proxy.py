import asyncio
from collections.abc import AsyncIterator
from functools import partial

import asyncpg
import pytest

from tests.servers.database import Database
from tests.servers.outcome import SOON, TABLE, WRITE, execute, outcome, session
from tests.servers.patience import until
from tests.servers.proxy import Proxy
from tests.servers.remote import RemoteProxy

Either = Proxy | RemoteProxy
COUNT = "SELECT count(*) FROM things"
APPEND = "WITH appended AS (INSERT INTO things VALUES ($1) RETURNING n) SELECT n FROM appended"
DELAY = 0.05
AT_ONCE = 20


@pytest.fixture(params=[Proxy, RemoteProxy])
async def proxy(request: pytest.FixtureRequest, database: Database) -> AsyncIterator[Either]:
    """A proxy of either kind before a database with one table."""
    await execute(database.dsn, TABLE)
    async with request.param(database.server.port) as proxy:
        yield proxy


def through(proxy: Either, database: Database) -> str:
    return database.server.dsn(database.name, port=proxy.port)


async def written(witness: "asyncpg.Connection[asyncpg.Record]") -> bool:
    return bool(await witness.fetchval(COUNT))


async def test_a_proxy_begins_as_if_it_were_not_there(proxy: Either, database: Database) -> None:
    """Without a fault a big answer and a big question pass unchanged."""
    async with session(through(proxy, database)) as client:
        big = "x" * 1_000_000

        assert await client.fetchval("SELECT $1::text", big) == big


@pytest.mark.parametrize("ways", [(DELAY, 0.0), (0.0, DELAY), (DELAY, DELAY)])
async def test_a_delay_is_paid_once_by_many(proxy: Either, database: Database, ways: tuple[float, float]) -> None:
    """An answer takes at least as long as both ways, and many at once take less than one after another."""
    loop = asyncio.get_running_loop()
    async with session(through(proxy, database)) as client:
        await client.fetchval("SELECT 1")
        await proxy.delay(*ways)
        begin = loop.time()
        await client.fetchval("SELECT 1")
        alone = loop.time() - begin

        begin = loop.time()
        await asyncio.gather(*(execute(through(proxy, database), "SELECT 1") for _ in range(AT_ONCE)))
        together = loop.time() - begin

    assert alone >= sum(ways)
    # Connecting takes four ways and back with a password: in a row these would be 80.
    assert together < AT_ONCE * 4 * sum(ways)


@pytest.mark.parametrize("then", ["cut", "hang"])
async def test_a_swallowed_commit_has_happened(proxy: Either, database: Database, then: str) -> None:
    """The client of a swallowed commit is told nothing, and its row is there."""
    async with session(through(proxy, database)) as client, session(database.dsn) as witness:
        await client.execute("BEGIN")
        await client.execute(WRITE)
        await proxy.swallow_reply("commit", "cut" if then == "cut" else "hang")

        result = await outcome(client.execute("COMMIT", timeout=SOON))

        assert result == ("ConnectionDoesNotExistError 08003" if then == "cut" else "TimeoutError")
        assert await proxy.swallowed() == 1
        assert await witness.fetchval(COUNT) == 1


async def test_a_statement_prepared_before_is_caught_by_its_text(proxy: Either, database: Database) -> None:
    """A trap set after a statement was prepared catches its next execution, once, and no other statement."""
    async with session(through(proxy, database)) as client, session(database.dsn) as witness:
        await client.fetchval(APPEND, 1)
        await proxy.swallow_reply("with appended")
        await client.fetchval(COUNT)

        result = await outcome(client.fetchval(APPEND, 2))

        assert result == "ConnectionDoesNotExistError 08003"
        assert await witness.fetchval(COUNT) == 2
    async with session(through(proxy, database)) as client:
        assert await client.fetchval(APPEND, 3) == 3


async def test_a_black_hole_delivers_late(proxy: Either, database: Database) -> None:
    """What a client sent into a black hole and gave up arrives when the network heals: a write that nobody expects."""
    async with session(through(proxy, database)) as client, session(database.dsn) as witness:
        await proxy.black_hole()
        # Not asyncpg's own deadline: it sends a request to cancel, which would arrive late as well, and might win.
        write = asyncio.create_task(outcome(client.execute(WRITE)))
        await asyncio.wait([write], timeout=SOON)
        before = await witness.fetchval(COUNT)
        client.terminate()

        await proxy.heal()
        await until(partial(written, witness), "the write arrives")

    assert (await write, before) == ("ConnectionDoesNotExistError 08003", 0)


async def test_a_half_open_connection_is_gone_for_the_server_alone(proxy: Either, database: Database) -> None:
    """The server has rolled back and let go; the client waits for an answer until its own deadline."""
    async with session(through(proxy, database)) as client, session(database.dsn) as witness:
        await client.execute("BEGIN")
        await client.execute("LOCK TABLE things")
        await proxy.half_open()

        await witness.execute(WRITE, timeout=10)

        assert await outcome(client.execute(WRITE, timeout=SOON)) == "TimeoutError"


async def test_a_cut_proxy_heals_at_the_same_port(proxy: Either, database: Database) -> None:
    """After a cut the same port takes connections again."""
    async with session(through(proxy, database)) as client:
        await proxy.cut()
        refused = await outcome(execute(through(proxy, database), WRITE))
        await proxy.heal()

        assert refused == "ConnectionRefusedError"
        assert await outcome(execute(through(proxy, database), WRITE)) == "done"
        assert await outcome(client.execute(WRITE)) == "InterfaceError"

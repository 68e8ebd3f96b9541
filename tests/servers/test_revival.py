import asyncio

import asyncpg

from tests.servers.outcome import SOON, TABLE, WRITE, execute, outcome, session
from tests.servers.seed import OWNER
from tests.servers.server import Server

COUNT = "SELECT count(*) FROM things"


async def test_a_killed_server_comes_back_with_what_it_confirmed(private_server: Server) -> None:
    """What was committed before every process was killed is there after the start, at the same address."""
    await execute(private_server.dsn(), TABLE)
    await execute(private_server.dsn(), WRITE)

    await private_server.kill()
    await private_server.start()

    async with session(private_server.dsn()) as reader:
        assert await reader.fetchval(COUNT) == 1


async def test_a_thawed_server_answers_what_was_asked_meanwhile(private_server: Server) -> None:
    """A statement sent to a frozen server is run when it thaws, on the same connection."""
    await execute(private_server.dsn(), TABLE)
    async with session(private_server.dsn()) as writer:
        await private_server.freeze()
        write = asyncio.create_task(writer.execute(WRITE))
        await asyncio.wait([write], timeout=SOON)
        waited = not write.done()
        await private_server.thaw()

        assert waited
        assert await write == "INSERT 0 1"


async def test_a_frozen_server_can_be_stopped(private_server: Server) -> None:
    """No state of a server keeps a test from ending it."""
    await private_server.freeze()

    await private_server.stop()

    assert not private_server.runs


async def test_a_server_that_was_read_only_writes_again(private_server: Server) -> None:
    """Switched off, the fault has left nothing."""
    await execute(private_server.dsn(), TABLE)
    await private_server.read_only()

    await private_server.read_only(on=False)

    assert await outcome(execute(private_server.dsn(), WRITE)) == "done"


async def test_a_commit_that_hung_was_written_and_is_confirmed_later(private_server: Server) -> None:
    """A commit that waits for a standby is not lost: the answer comes when the wait ends, and the row is there."""
    await execute(private_server.dsn(), TABLE)
    async with session(private_server.dsn()) as writer, session(private_server.dsn()) as reader:
        await private_server.hang_commits()
        write = asyncio.create_task(writer.execute(WRITE))
        await asyncio.wait([write], timeout=SOON)
        waited = not write.done()
        await private_server.hang_commits(on=False)

        assert waited
        assert await write == "INSERT 0 1"
        assert await reader.fetchval(COUNT) == 1


async def test_a_zombie_comes_back_with_old_data(private_server: Server) -> None:
    """A server that is restored has what it had at the snapshot, taken while it ran, and has forgotten the rest."""
    await execute(private_server.dsn(), TABLE)
    await execute(private_server.dsn(), WRITE)
    copy = await private_server.snapshot()
    await execute(private_server.dsn(), WRITE)

    await private_server.restore(copy)

    async with session(private_server.dsn()) as reader:
        assert await reader.fetchval(COUNT) == 1


async def test_an_idle_transaction_keeps_its_locks(private_server: Server) -> None:
    """While a forgotten transaction is open its lock stands, and afterwards it is gone."""
    await execute(private_server.dsn(), TABLE)

    async with private_server.idle_transaction(OWNER, "LOCK TABLE things"):
        during = await outcome(execute(private_server.dsn(), f"SET lock_timeout = '50ms'; {WRITE}"))

    assert during == f"{asyncpg.LockNotAvailableError.__name__} 55P03"
    assert await outcome(execute(private_server.dsn(), WRITE)) == "done"

from pathlib import Path

import pytest

from tests.servers.database import Database
from tests.servers.disk import no_small_disk
from tests.servers.fixtures import NewProxy, NewServer
from tests.servers.outcome import TABLE, WRITE, execute, outcome, seen, session
from tests.servers.seen import PROXY, SERVER, Seen
from tests.servers.server import Server

PAGE = Path(__file__).resolve().parents[2] / "docs" / "testing.md"


@pytest.mark.parametrize("fault", [fault for fault in SERVER if fault != "fill"])
async def test_asyncpg_sees_what_is_done_to_a_server(fault: str, private_server: Server) -> None:
    """Each fault of a server gives each client the exception that is written down for it."""
    await execute(private_server.dsn(), TABLE)

    assert await seen(private_server.dsn(), getattr(private_server, fault)) == SERVER[fault]


@pytest.mark.skipif(bool(no_small_disk()), reason=f"no small disk can be mounted: {no_small_disk()}")
async def test_asyncpg_sees_a_full_disk_until_there_is_room(new_server: NewServer) -> None:
    """On a full disk a write that needs room is refused, and taken again once there is some."""
    server = await new_server(disk_mib=64)
    await execute(server.dsn(), TABLE)

    assert await seen(server.dsn(), server.fill) == SERVER["fill"]

    await server.make_room()
    assert await outcome(execute(server.dsn(), WRITE)) == "done"


@pytest.mark.skipif(bool(no_small_disk()), reason=f"no small disk can be mounted: {no_small_disk()}")
async def test_a_server_ends_when_its_log_cannot_grow_and_starts_again_with_room(new_server: NewServer) -> None:
    """When not even the log can grow the server ends itself, and comes back with what was confirmed."""
    server = await new_server(disk_mib=64, settings={"restart_after_crash": "off"})
    await execute(server.dsn(), TABLE)
    await execute(server.dsn(), WRITE)
    await server.fill()

    async with session(server.dsn()) as writer:
        result = "done"
        while result == "done":
            result = await outcome(writer.execute("SELECT pg_logical_emit_message(false, 'x', repeat('x', 1000000))"))
    await server.ended()

    await server.make_room()
    await server.start()
    async with session(server.dsn()) as reader:
        assert await reader.fetchval("SELECT count(*) FROM things") == 1
    assert result == "ConnectionDoesNotExistError 08003"


async def test_the_system_can_refuse_every_write(private_server: Server) -> None:
    """With files limited to nothing no write succeeds; what needs no small disk may end the server instead."""
    await execute(private_server.dsn(), TABLE)
    await private_server.limit_files(0)

    result = await outcome(execute(private_server.dsn(), WRITE))

    assert result in ("InternalServerError XX000", "ConnectionDoesNotExistError 08003")


@pytest.mark.parametrize("fault", PROXY)
async def test_asyncpg_sees_what_is_done_to_the_network(fault: str, database: Database, new_proxy: NewProxy) -> None:
    """Each fault of the network gives each client the exception that is written down for it."""
    proxy = await new_proxy(database.server)
    through = database.server.dsn(database.name, port=proxy.port)
    await execute(database.dsn, TABLE)

    assert await seen(through, getattr(proxy, fault)) == PROXY[fault]

    await proxy.heal()
    assert await outcome(execute(through, WRITE)) == "done"


@pytest.mark.parametrize(("fault", "expected"), [*SERVER.items(), *PROXY.items()])
def test_the_page_says_what_asyncpg_sees(fault: str, expected: Seen) -> None:
    """The table in the documentation is what the tests of the faults expect."""
    cells = (f"`{name.replace(' ', '` ')}" + ("" if " " in name else "`") for name in expected)

    assert f"| `{fault}` | {' | '.join(cells)} |" in PAGE.read_text("utf-8")

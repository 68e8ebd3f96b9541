import asyncpg
import pytest

from tests.servers.database import Database
from tests.servers.fixtures import NewServer
from tests.servers.ground import Ground
from tests.servers.server import SLOW_SYNC, Server


async def test_a_test_gets_an_empty_database_that_owner_owns(database: Database) -> None:
    """The owner of a fresh database may make tables in it, and is no superuser."""
    session = await database.connect()
    try:
        await session.execute("CREATE TABLE things (n int)")
        row = await session.fetchrow("SELECT current_user AS me, rolsuper FROM pg_roles WHERE rolname = current_user")
    finally:
        await session.close()

    assert row is not None
    assert tuple(row) == ("owner", False)


async def test_nobody_comes_in_with_another_password(database: Database) -> None:
    """A wrong password is refused, so a test of passwords means something."""
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(database.dsn.replace(database.server.password, "guessed"))


async def test_three_servers_are_three(three_databases: list[Database]) -> None:
    """Each of three tiers is a server of its own, with its own identity."""
    identities = set()
    for database in three_databases:
        session = await database.connect("postgres")
        identities.add(await session.fetchval("SELECT system_identifier FROM pg_control_system()"))
        await session.close()

    assert len(identities) == 3


async def test_a_database_is_made_from_a_template(server: Server) -> None:
    """A database made from another has its tables."""
    template = await server.create_database()
    session = await server.connect(template)
    await session.execute("CREATE TABLE things (n int)")
    await session.close()

    copy = await server.create_database(template=template)

    session = await server.connect(copy)
    try:
        assert await session.fetchval("SELECT count(*) FROM things") == 0
    finally:
        await session.close()
        await server.drop_database(copy)
        await server.drop_database(template)


@pytest.mark.parametrize("version", [16, 18])
async def test_either_version_can_be_had(new_server: NewServer, version: int) -> None:
    """A server is of the version that was asked for, and has the settings that were."""
    server = await new_server(version=version, settings=SLOW_SYNC)

    session = await server.connect()
    try:
        assert session.get_server_version().major == version
        assert await session.fetchval("SHOW commit_delay") == "2000"
        assert await session.fetchval("SHOW fsync") == "on"
    finally:
        await session.close()


async def test_a_server_leaves_nothing_behind(ground: Ground) -> None:
    """When a server has ended its folder, its log and its processes are gone."""
    before = set(ground.folder.iterdir())
    async with Server(ground) as server:
        assert server.runs

    assert not server.runs
    assert set(ground.folder.iterdir()) == before


async def test_a_ground_below_a_private_folder_is_not_needed(ground: Ground) -> None:
    """Every folder above the servers' may be entered by everybody, wherever the project itself lies."""
    above = [folder for folder in (ground.folder, *ground.folder.parents) if not folder.stat().st_mode & 0o001]

    assert above == []

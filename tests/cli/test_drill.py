import asyncio

import pytest

from holdfast.cli.proxy import Proxy
from holdfast.domain.errors import SettingsError
from tests.cli.hands import migrated, run, tiers_setting, typed
from tests.servers.database import Database


async def test_a_drill_loses_nothing(three_databases: list[Database], monkeypatch: pytest.MonkeyPatch) -> None:
    """Two real tiers are cut in turn under traffic: every accepted turn stands on both, and all copies are equal."""
    one, two, _ = three_databases
    monkeypatch.setenv("DRILL_TIERS", tiers_setting(one=one.dsn, two=two.dsn))
    said = await typed("drill", "--json", "--seconds", "1")
    found = said.read()

    assert said.status == 0, said.text
    assert (found["ok"], found["lost"], found["refused"], found["equal"]) == (True, 0, 0, True)
    assert [cut["tier"] for cut in found["cuts"]] == ["one", "two"]
    assert all(cut["first_turn_ms"] is not None and cut["merged_ms"] is not None for cut in found["cuts"])
    assert await run(one, "SELECT count(DISTINCT dedup_key) FROM events") >= found["accepted"] > 0


async def test_a_drill_may_be_held_again(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an earlier drill has left in its database does no harm, and the report can be read by people."""
    monkeypatch.setenv("MINE", tiers_setting(one=database.dsn))
    first = await typed("drill", "--tiers-env", "MINE", "--seconds", "0.5")
    second = await typed("drill", "--tiers-env", "MINE", "--seconds", "0.5")

    assert (first.status, second.status) == (0, 0), first.text + second.text
    assert "0 lost; the copies are equal" in second.text


async def test_a_log_of_somebodys_is_left_alone(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database of a real bot is refused before anything is written there."""
    await migrated(database)
    await run(database, "INSERT INTO tier_meta VALUES ('bot_id', '77')")
    monkeypatch.setenv("DRILL_TIERS", tiers_setting(one=database.dsn))
    with pytest.raises(SettingsError, match="holds the log of the bot 77"):
        await typed("drill")

    assert await run(database, "SELECT count(*) FROM events") == 0


async def test_a_drill_needs_tiers_of_its_own(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bot's own tiers are never taken by themselves, and an address with two hosts is refused."""
    monkeypatch.setenv("HOLDFAST_TIERS", tiers_setting(one=database.dsn))
    with pytest.raises(SettingsError, match="DRILL_TIERS names no tiers"):
        await typed("drill")


async def test_the_door_carries_and_shuts() -> None:
    """Bytes go both ways through it; cut, it ends what there is and refuses what comes, and healed it carries again."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read(100))
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server, Proxy("127.0.0.1", server.sockets[0].getsockname()[1]) as door:
        first = await asked(door.port)
        await door.cut()
        with pytest.raises(OSError):  # noqa: PT011 - refused, in whichever words
            await asked(door.port)
        await door.heal()
        again = await asked(door.port)

    assert (first, again) == (b"hello", b"hello")


async def asked(port: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"hello")
    try:
        return await reader.read(100)
    finally:
        writer.close()

"""The races beside PostgreSQL, run once in their smallest form, so that they do not rot."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from benchmarks.beside import beside
from benchmarks.failover import Talk
from benchmarks.places import Place
from benchmarks.postgres import Postgres
from benchmarks.race import Entry, race
from benchmarks.ship import grown_tier
from benchmarks.tiers import delayed
from tests.servers.database import Database
from tests.servers.server import Server

LENGTH = 0.06
SMALL = 80


@pytest.mark.parametrize(("name", "given"), [("tier_rows", (1, 1)), ("tier_rows", (3, 2)), ("tier_writers", (3,))])
async def test_each_contestant_on_a_tier_takes_turns(database: Database, name: str, given: tuple[object, ...]) -> None:
    """The floor and the batches write to a tier, slice after slice, and are never refused."""
    entry = Entry(f"benchmarks.contestants.{name}", (database.dsn, *given))

    [result] = await asyncio.to_thread(race, entry, seconds=LENGTH)

    assert all(rate > 0 for rate in result.rates())


async def test_the_engine_takes_turns_beside_a_tier(tmp_path: Path, database: Database) -> None:
    """What the engine's race measures stands on the tier too."""
    entry = Entry("benchmarks.contestants.turns", (tmp_path / "journal.db", 2, database.dsn))

    [result] = await asyncio.to_thread(race, entry, seconds=LENGTH)

    taken = sum(len(part.micros) for part in result.slices)
    connection = await database.connect()
    assert await connection.fetchval("SELECT count(*) FROM events") >= taken
    await connection.close()


async def test_a_tier_far_away_is_reached(database: Database) -> None:
    """The network that takes its time carries a session both ways."""
    with delayed(database.dsn) as dsn:
        connection = await asyncpg.connect(dsn)
        assert await connection.fetchval("SELECT 1") == 1
        await connection.close()


async def test_a_journal_is_shipped_whole(tmp_path: Path, server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    """The race of the grown tier begins when the tier has all events of the journal."""
    grown = await grown_tier(Place("a folder", tmp_path), Postgres("a server", server), SMALL)

    connection = await asyncpg.connect(grown.dsn)
    assert await connection.fetchval("SELECT count(*) FROM events") == SMALL
    await connection.close()
    assert f"ship {SMALL} events" in capsys.readouterr().out


async def test_a_talk_goes_on_through_a_freeze(tmp_path: Path, private_server: Server) -> None:
    """The talk that is timed is answered while its tier is frozen, and until it serves again."""
    dsn = private_server.dsn(await private_server.create_database())
    async with beside(tmp_path / "journal.db", [dsn]) as (turns, service):
        talk = Talk(turns, service)
        await talk.until_all_serve()
        first, later, back = await talk.round([private_server])

    assert min(first, later, back) > 0
    assert service.lineup.tiers[0].serves

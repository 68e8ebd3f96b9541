import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace
from pydantic import SecretStr

from holdfast.cli.tier_checks import OLDEST, SLOWEST, Seen, checked
from holdfast.cli.tiers import TierReport
from holdfast.infrastructure.log.journal import SqliteJournal
from holdfast.infrastructure.migrations import migrations
from holdfast.infrastructure.settings import bot_id_of
from holdfast.infrastructure.tiers.survey import Survey, survey
from tests.bot.road import road
from tests.cli.hands import given, journal_of, migrated, reports, run, tiers_setting, typed, whats
from tests.conformance.scribe import BOT
from tests.infrastructure.files import hand_on, journal
from tests.servers.database import Database
from tests.servers.server import Server

NOWHERE = "postgresql://somebody:hunter2@127.0.0.1:1/nowhere"


async def test_a_sound_tier_is_told_in_full(database: Database, tmp_path: Path) -> None:
    """Of a tier that answers everything is known, and what this journal has not given to it is counted."""
    await migrated(database)
    path = await journal_of(tmp_path / "local.db", people=3)

    [one] = await reports(path, neon=database.dsn)

    assert (one.name, one.place) == ("neon", f"127.0.0.1:{database.server.port}/{database.name}")
    assert one.round_trip_ms
    assert (one.writable, one.encrypted, one.role) == (True, False, "owner")
    assert (one.migrations, one.missing) == ([one.number for one in migrations("postgres")], [])
    assert (one.pending_events, one.pending_deliveries) == (6, 3)
    assert one.lag is not None
    assert (one.events, one.deliveries, one.canary, one.canary_seen) == (0, 0, 0, None)


async def test_what_was_given_is_not_pending(database: Database, tmp_path: Path) -> None:
    """What stands before the tier's cursor is not counted, and without anything behind it there is no lag."""
    await migrated(database)
    path = await journal_of(tmp_path / "local.db", people=3)
    [before] = await reports(path, neon=database.dsn)
    given(path, before.tier_id or "", events=5, deliveries=3, canary=0)
    [some] = await reports(path, neon=database.dsn)
    given(path, before.tier_id or "", events=6, deliveries=3, canary=0)
    [none] = await reports(path, neon=database.dsn)

    assert (some.pending_events, some.pending_deliveries) == (1, 0)
    assert (none.pending_events, none.pending_deliveries, none.lag) == (0, 0, 0.0)


async def test_the_owner_is_warned(database: Database) -> None:
    """A role that owns the tables works, and the operator hears that it could change what was written."""
    await migrated(database)
    [one] = await reports(neon=database.dsn)

    assert one.owner is True
    assert one.verdict == "warn"
    assert "its role owner could change what was written" in whats(one.problems)


async def test_a_tier_that_refuses_is_named_with_what_to_do() -> None:
    """Nobody listens there: the reason and a way out are told, and no password."""
    [one] = await reports(neon=NOWHERE)

    assert one.verdict == "bad"
    assert "127.0.0.1:1/nowhere: it cannot be reached" in whats(one.problems)
    assert "see whether it runs" in whats(one.problems)
    assert "hunter2" not in whats(one.problems)


async def test_a_wrong_password_is_named_and_not_shown(database: Database) -> None:
    """The server lets nobody in with another password, and the report says just that."""
    [one] = await reports(neon=database.dsn.replace(database.server.password, "hunter2"))

    assert one.verdict == "bad"
    assert "password authentication failed" in whats(one.problems)
    assert "hunter2" not in whats(one.problems)


async def test_a_database_that_is_not_there_is_named(server: Server) -> None:
    """The server answers, and the database has to be made."""
    [one] = await reports(neon=server.dsn("nowhere"))

    assert "make that database, or name another one" in whats(one.problems)


async def test_an_address_that_is_none_is_named() -> None:
    """What is no address at all is said to be none, and not shown."""
    [one] = await reports(neon="postgresql://127.0.0.1:port/x")

    assert one.verdict == "bad"


async def test_a_tier_without_tables_says_which_and_who_makes_them(database: Database) -> None:
    """The migrations that are missing are named, with the command that applies them; nothing was applied by looking."""
    [one] = await reports(neon=database.dsn)

    assert one.verdict == "bad"
    assert one.missing == [f"{one.number:04d}_{one.name}" for one in migrations("postgres")]
    assert "run holdfast migrate --tier neon" in whats(one.problems)
    assert await run(database, "SELECT to_regclass('schema_migrations')") is None


async def test_a_tier_of_a_newer_program_is_left_alone(database: Database) -> None:
    """A migration that this program does not know is named."""
    await migrated(database)
    await run(database, "INSERT INTO schema_migrations VALUES (99, 'later', '', 0)")
    [one] = await reports(neon=database.dsn)

    assert one.verdict == "bad"
    assert "the tier has migration 99" in whats(one.problems)


async def test_a_read_only_tier_takes_no_writes(private_server: Server) -> None:
    """A server that only lets read is told from one that is well."""
    database = await migrated(Database(private_server, await private_server.create_database()))
    await private_server.read_only()
    [one] = await reports(neon=database.dsn)

    assert (one.verdict, one.writable) == ("bad", False)
    assert "takes no writes" in whats(one.problems)


async def test_a_write_that_is_not_confirmed_is_no_write(
    private_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that reads well and never confirms a commit is found out by a write that changes nothing."""
    monkeypatch.setattr("holdfast.cli.tiers.WITHIN", 2.0)
    database = await migrated(Database(private_server, await private_server.create_database()))
    await private_server.hang_commits()
    [one] = await reports(neon=database.dsn)
    await private_server.hang_commits(on=False)

    assert (one.verdict, one.writable) == ("bad", False)
    assert "did not confirm a write" in whats(one.problems)


async def test_a_frozen_tier_is_given_up_in_time(private_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that takes the connection and says nothing does not hold the report up."""
    monkeypatch.setattr("holdfast.cli.tiers.WITHIN", 0.5)
    await private_server.freeze()
    [one] = await reports(neon=private_server.dsn())

    assert one.verdict == "bad"
    assert "no answer in time" in whats(one.problems)


async def test_another_bots_database_is_no_tier(database: Database, tmp_path: Path) -> None:
    """A database that belongs to another bot is named, with both bots."""
    await migrated(database)
    await run(database, "INSERT INTO tier_meta VALUES ('bot_id', '77')")
    path = await journal_of(tmp_path / "local.db")
    [one] = await reports(path, neon=database.dsn)

    assert one.verdict == "bad"
    assert f"belongs to the bot 77, this is {BOT}" in whats(one.problems)


async def test_a_canary_that_fell_is_seen(database: Database, tmp_path: Path) -> None:
    """A tier whose canary is smaller than this journal saw it has come back with old data; looking raises no canary."""
    await migrated(database)
    path = await journal_of(tmp_path / "local.db")
    await run(database, "UPDATE tier_meta SET value = '5' WHERE name = 'canary'")
    given(
        path,
        await run(database, "SELECT value FROM tier_meta WHERE name = 'tier_id'"),
        events=0,
        deliveries=0,
        canary=9,
    )

    [one] = await reports(path, neon=database.dsn)
    [again] = await reports(path, neon=database.dsn)

    assert (one.canary, one.canary_seen, again.canary) == (5, 9, 5)
    assert "its canary is 5, and was 9" in whats(one.problems)


async def test_two_names_for_one_database_are_one_copy(database: Database) -> None:
    """A database named twice is found by the identity it was made with, and the second name can't be used."""
    await migrated(database)
    first, second = await reports(neon=database.dsn, supabase=database.dsn + "&application_name=x")

    assert first.tier_id == second.tier_id
    assert (first.verdict, second.verdict) == ("warn", "bad")
    assert "is the same database as neon" in whats(second.problems)


async def test_tables_that_a_provider_serves_to_the_web_are_warned_of(private_server: Server) -> None:
    """Rights of Supabase's two roles for the web, and of everybody, are found; those of the bot's own role are not."""
    database = await migrated(Database(private_server, await private_server.create_database()))
    [closed] = await reports(neon=database.dsn)
    await run(database, "CREATE ROLE anon")
    await run(database, "GRANT SELECT ON events TO anon, PUBLIC")
    [open_] = await reports(neon=database.dsn)

    assert "are open to" not in whats(closed.problems)
    assert "its tables are open to anon, everybody" in whats(open_.problems)


async def test_a_transaction_that_has_written_and_stays_open_is_seen(database: Database) -> None:
    """Its age is told, since until it ends nothing newer can be read in order."""
    await migrated(database)
    async with database.server.idle_transaction(database.name, "SELECT pg_current_xact_id()", "SELECT pg_sleep(0.1)"):
        [one] = await reports(neon=database.dsn)

    assert one.xmin_age


async def test_an_old_transaction_is_warned_of(database: Database) -> None:
    """After a minute it is said, with where to look for it."""
    await migrated(database)
    seen: Survey = await survey("neon", database.dsn, 10)
    assert seen.facts is not None
    old = replace(seen, facts=replace(seen.facts, xmin_age=OLDEST + 1))

    assert "has been open for 61 seconds → end it" in whats(checked(Seen(name="neon", survey=old)))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"round_trip": SLOWEST * 2}, "is far away: a round trip takes 200 ms"),
        ({"shown": "db.example.org/db"}, "the connection is not encrypted"),
        ({"may_migrate": False, "missing": ("0001_log",)}, "--admin-dsn-env VARIABLE, with"),
    ],
)
async def test_what_a_test_can_not_wait_for_is_warned_of(
    database: Database, change: dict[str, object], said: str
) -> None:
    """A far tier, an open line, a role that may not migrate: each is said, with what to do."""
    await migrated(database)
    sound: Survey = await survey("neon", database.dsn, 10)

    assert said not in whats(checked(Seen(name="neon", survey=sound)))
    assert said in whats(checked(Seen(name="neon", survey=replace(sound, **change))))


async def test_the_command_shows_a_table_and_fails_when_a_tier_is_gone(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a tier that can't be used the exit status is 1, with warnings alone it is 0; both are shown."""
    await migrated(database)
    monkeypatch.setenv("HOLDFAST_TIERS", tiers_setting(here=database.dsn))
    well = await typed("tiers")
    monkeypatch.setenv("HOLDFAST_TIERS", tiers_setting(here=database.dsn, gone=NOWHERE))
    ill = await typed("tiers")

    assert (well.status, ill.status) == (0, 1)
    assert "here" in well.text
    assert "bad   gone: 127.0.0.1:1/nowhere: it cannot be reached" in ill.text
    assert "hunter2" not in ill.text
    assert "What is pending is not known: there is no journal" in ill.text


async def test_the_command_works_beside_a_bot(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a process holds the journal the command reads it all the same, and says the same as JSON."""
    await migrated(database)
    path = await journal_of(tmp_path / "local.db")
    store: SqliteJournal = journal(path)
    await store.open()
    monkeypatch.setenv("HOLDFAST_TIERS", tiers_setting(here=database.dsn))
    said = await typed("tiers", "--json", "--journal", str(path))
    await store.close()

    [one] = said.read()["tiers"]
    assert (said.status, one["pending_events"], one["pending_deliveries"]) == (0, 4, 2)


async def test_beside_a_talking_bot_everything_is_there(database: Database, tmp_path: Path) -> None:
    """What a real bot has taken in stands on its tier; the tier is the bot's, and its canary was seen."""
    async with road(tmp_path) as way, way.bot(holdfast_tiers=SecretStr(tiers_setting(neon=database.dsn))):
        ada = await way.control.person("Ada")
        await ada.sees("1 of 8", 10, after=await ada.says("/addmachine"))
        await ada.sees("2 of 8", 10, after=await ada.says("Press 4"))
        one = await _given(way.journal, database)

    assert one.bot_id == bot_id_of(way.sandbox.token)
    assert (one.events, one.pending_events, one.pending_deliveries) == (2, 0, 0)
    assert one.canary_seen is not None
    assert "bad" not in whats(one.problems)


async def _given(journal: Path, database: Database) -> TierReport:
    """Look until nothing is pending, for ten seconds at most; a cursor is stored once a second."""
    for _ in range(100):
        [one] = await reports(journal, neon=database.dsn)
        if (one.pending_events, one.pending_deliveries) == (0, 0):
            break
        await asyncio.sleep(0.1)
    [one] = await reports(journal, neon=database.dsn)
    return one


async def test_without_tiers_the_command_says_so() -> None:
    """Nothing set is no failure."""
    said = await typed("tiers")

    assert said.status == 0
    assert "the journal is the only copy" in said.text


async def test_a_journal_of_an_older_program_is_told(database: Database, tmp_path: Path) -> None:
    """A journal that lacks tables is not touched, and what is pending is not known."""
    await migrated(database)
    path = await journal_of(tmp_path / "local.db")
    with hand_on(path) as connection:
        connection.execute("DELETE FROM schema_migrations WHERE number = 4")
    [one] = await reports(path, neon=database.dsn)

    assert one.pending_events is None

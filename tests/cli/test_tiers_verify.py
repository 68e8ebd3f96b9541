import asyncio
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.bot.road import road
from tests.cli.hands import Said, journal_of, migrated, run, tiers_setting, typed
from tests.infrastructure.files import hand_on
from tests.servers.database import Database

NOWHERE = "postgresql://somebody:hunter2@127.0.0.1:1/nowhere"


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody writes any more, so nothing is on its way."""
    monkeypatch.setattr("holdfast.infrastructure.tiers.comparison.PAUSE", 0.0)
    monkeypatch.setattr("holdfast.cli.tier_rows.PAUSE", 0.0)


@pytest.fixture
async def told(three_databases: list[Database], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Database]:
    """Two tiers and a journal that a real bot has filled; while it ran, the command found them equal."""
    one, two, _ = three_databases
    setting = tiers_setting(one=one.dsn, two=two.dsn)
    monkeypatch.setenv("HOLDFAST_TIERS", setting)
    async with road(tmp_path) as way, way.bot(holdfast_tiers=SecretStr(setting)):
        ada = await way.control.person("Ada")
        monkeypatch.setenv("HOLDFAST_JOURNAL", str(way.journal))
        await ada.sees("1 of 8", 10, after=await ada.says("/addmachine"))
        talk = asyncio.create_task(ada.says("Press 4"))
        beside = await typed("tiers", "verify")
        await ada.sees("2 of 8", 10, after=await talk)
        await _equal()
    assert beside.status == 0, beside.text
    return [one, two]


async def _equal() -> None:
    said = await typed("tiers", "verify")
    assert said.status == 0, said.text


async def forced(database: Database, statement: str) -> None:
    """Do what the triggers refuse."""
    await run(database, f"DO $$ BEGIN SET LOCAL session_replication_role = replica; {statement}; END $$")


async def verdicts() -> tuple[Said, dict[str, object], dict[str, object]]:
    said = await typed("tiers", "verify", "--json")
    one, two = said.read()["tiers"]
    return said, one, two


async def test_what_a_bot_has_written_is_equal(told: list[Database]) -> None:
    """Journal and tiers hold the same, and the tables of each tier follow from its events."""
    said, one, two = await verdicts()

    assert (said.status, said.read()["equal"], len(told)) == (0, True, 2)
    assert [(tier["events"], tier["deliveries"], tier["threads"], tier["rows"]) for tier in (one, two)] == [
        (2, 2, 1, 1)
    ] * 2


@pytest.mark.parametrize(("table", "named"), [("events", "first_event"), ("deliveries", "first_delivery")])
async def test_what_a_tier_lacks_is_named(told: list[Database], hurried: None, table: str, named: str) -> None:
    """The record is named with the tier that lost it; the other tier is equal."""
    lost = await run(told[1], f"SELECT event_id::text FROM {table} ORDER BY event_id LIMIT 1")  # noqa: S608 - our own names
    await forced(told[1], f"DELETE FROM {table} WHERE event_id = '{lost}'")  # noqa: S608 - our own names
    said, one, two = await verdicts()
    first = two[named]

    assert (said.status, one["equal"], two["equal"]) == (1, True, False)
    assert isinstance(first, dict)
    assert (first["event_id"], first["lacking"], first["tier_hash"]) == (lost, "two", None)
    assert f"{lost} of the thread" in (await typed("tiers", "verify")).text


async def test_what_the_journal_lacks_is_named(told: list[Database], hurried: None, tmp_path: Path) -> None:
    """With an empty journal the first event of each tier is one that the journal lacks."""
    empty = await journal_of(tmp_path / "empty.db", people=0)
    said = await typed("tiers", "verify", "--json", "--journal", str(empty))

    assert said.status == 1
    assert [tier["first_event"]["lacking"] for tier in said.read()["tiers"]] == ["journal"] * len(told)


async def test_two_hashes_are_told(told: list[Database], hurried: None) -> None:
    """A record whose hash was changed on one tier is named with both hashes."""
    await forced(told[0], "UPDATE events SET hash = sha256('other') WHERE version = 1")
    _, one, two = await verdicts()
    first = one["first_event"]

    assert isinstance(first, dict)
    assert first["lacking"] is None
    assert first["journal_hash"] != first["tier_hash"]
    assert two["equal"] is True


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE conversation_states SET current_step = 'notes'",
        "DELETE FROM conversation_states",
        "INSERT INTO photos_wanted VALUES ('00000000-0000-0000-0000-000000000001', 999, 999, 'x', 1)",
    ],
)
async def test_a_row_that_does_not_follow_is_named(told: list[Database], hurried: None, change: str) -> None:
    """A row that was changed, lost, or belongs to somebody who never said anything makes the tier unequal."""
    await forced(told[0], change)
    said, one, two = await verdicts()

    assert (said.status, one["first_event"], two["equal"]) == (1, None, True)
    assert one["first_row"] is not None
    assert "as the events say" in (await typed("tiers", "verify")).text


async def test_a_tier_that_cannot_be_read_is_no_equal_one(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One out of reach and one without tables are named with the reason, and no password; the exit status is 1."""
    path = await journal_of(tmp_path / "local.db")
    monkeypatch.setenv("HOLDFAST_TIERS", tiers_setting(gone=NOWHERE, bare=database.dsn))
    said = await typed("tiers", "verify", "--journal", str(path))

    assert said.status == 1
    assert "gone: not compared: " in said.text
    assert "it lacks the migration 0001" in said.text
    assert "hunter2" not in said.text


async def test_looking_leaves_the_journal_as_it_was(tmp_path: Path) -> None:
    """The journal's file has the same bytes before and after, and without tiers there is nothing to differ."""
    path = await journal_of(tmp_path / "local.db")
    with hand_on(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = path.read_bytes()
    said = await typed("tiers", "verify", "--journal", str(path))

    assert (said.status, path.read_bytes() == before) == (0, True)
    assert "No tiers are set" in said.text


async def test_a_tier_on_which_nothing_was_written_yet_lacks_the_first(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hurried: None
) -> None:
    """An empty tier is not equal to a journal that holds something."""
    await migrated(database)
    path = await journal_of(tmp_path / "local.db")
    monkeypatch.setenv("HOLDFAST_TIERS", tiers_setting(here=database.dsn))
    said = await typed("tiers", "verify", "--journal", str(path))

    assert said.status == 1
    assert "here lacks it" in said.text

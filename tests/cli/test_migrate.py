from pathlib import Path

import pytest

from holdfast.domain.errors import SettingsError
from holdfast.infrastructure.log.stores import MetaWrite
from holdfast.infrastructure.migrations import migrations
from holdfast.infrastructure.settings import Settings
from holdfast.infrastructure.tiers.logins import Login, login_of
from holdfast.infrastructure.tiers.postgres import PostgresTier
from tests.cli.hands import journal_of, migrated, reports, run, tiers_setting, typed, whats
from tests.conformance.scribe import BOT
from tests.infrastructure.files import journal
from tests.servers.database import Database
from tests.servers.server import Server

ALL = [f"{one.number:04d}_{one.name}" for one in migrations("postgres")]
PASSWORD = 'it\'s a "good" one'
IN_AN_ADDRESS = "it%27s%20a%20%22good%22%20one"


@pytest.fixture
async def place(private_server: Server) -> Database:
    """A database on a server of the test's own: roles belong to the whole server."""
    return Database(private_server, await private_server.create_database())


def as_bot(place: Database, password: str = IN_AN_ADDRESS) -> str:
    """Write the address of a login that is still to be made."""
    return place.dsn.replace(f"owner:{place.server.password}", f"holdfast_bot:{password}")


@pytest.fixture
def given_to_the_bot(place: Database, monkeypatch: pytest.MonkeyPatch) -> str:
    """The settings of somebody who has an administrator's address and has chosen the bot's name and password."""
    monkeypatch.setenv("HOLDFAST_TIERS", tiers_setting(neon=as_bot(place)))
    monkeypatch.setenv("ADMIN", place.dsn)
    return as_bot(place)


async def test_the_journal_and_every_tier_are_migrated(
    three_databases: list[Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One command brings all places up to this program, and says for each what it applied; a second finds nothing."""
    one, two, three = three_databases
    await migrated(two)
    monkeypatch.setenv("HOLDFAST_TIERS", tiers_setting(one=one.dsn, two=two.dsn, three=three.dsn))
    first, second = await typed("migrate", "--json"), await typed("migrate", "--json")

    assert (first.status, second.status) == (0, 0)
    assert first.read()["applied"] == ALL
    assert [tier["applied"] for tier in first.read()["tiers"]] == [ALL, [], ALL]
    assert [tier["applied"] for tier in second.read()["tiers"]] == [[], [], []]


async def test_one_tier_that_fails_keeps_nobody_from_the_next(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tier that is out of reach is named, the next one is migrated, and the exit status is 1."""
    gone = "postgresql://somebody:hunter2@127.0.0.1:1/nowhere"
    monkeypatch.setenv("HOLDFAST_TIERS", tiers_setting(gone=gone, here=database.dsn))
    said = await typed("migrate")

    assert said.status == 1
    assert "gone: 127.0.0.1:1/nowhere: it cannot be reached" in said.text
    assert f"here: applied {', '.join(ALL)}" in said.text
    assert "hunter2" not in said.text


async def test_a_tier_alone_is_migrated_beside_a_bot(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --tier the journal is left alone, so a bot may hold it."""
    path = await journal_of(tmp_path / "data" / "local.db")
    store = journal(path)
    await store.open()
    monkeypatch.setenv("HOLDFAST_TIERS", tiers_setting(here=database.dsn))
    said = await typed("migrate", "--tier", "here")
    await store.close()

    assert (said.status, said.text) == (0, f"here: applied {', '.join(ALL)}\n")


async def test_an_administrators_address_makes_the_bots_login(place: Database, given_to_the_bot: str) -> None:
    """The login in the tier's address is made with its password, and can use the tier but not change what it holds."""
    said = await typed("migrate", "--tier", "neon", "--admin-dsn-env", "ADMIN")
    [one] = await reports(neon=given_to_the_bot)
    tier = PostgresTier("neon", given_to_the_bot)
    facts = await tier.open(BOT, 10)
    await tier.close()

    assert said.status == 0, said.text
    assert "holdfast_bot may add to the log, and can't change it" in said.text
    assert (one.verdict, one.role, one.owner) == ("ok", "holdfast_bot", False), whats(one.problems)
    assert (facts.bot_id, facts.owner) == (BOT, False)


async def test_a_second_time_changes_nothing(place: Database, given_to_the_bot: str) -> None:
    """A login that is there keeps its password, and the command succeeds again."""
    first = await typed("migrate", "--tier", "neon", "--admin-dsn-env", "ADMIN")
    again = await typed("migrate", "--tier", "neon", "--admin-dsn-env", "ADMIN", "--json")

    assert (first.status, again.status) == (0, 0)
    assert again.read()["tiers"] == [
        {"name": "neon", "applied": [], "login": "holdfast_bot", "problem": "", "advice": ""}
    ]


async def test_no_password_is_printed(place: Database, given_to_the_bot: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the administrator's password nor the bot's stands in what a failing command prints."""
    await typed("migrate", "--tier", "neon", "--admin-dsn-env", "ADMIN")
    monkeypatch.setenv("HOLDFAST_TIERS", tiers_setting(neon=as_bot(place, "another1")))
    said = await typed("migrate", "--tier", "neon", "--admin-dsn-env", "ADMIN")

    assert said.status == 1
    assert "password authentication failed" in said.text
    assert "another1" not in said.text
    assert place.server.password not in said.text


async def test_without_the_right_a_tier_says_who_has_it(
    place: Database, given_to_the_bot: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A login that may not migrate is told to ask its administrator, by the command to type."""
    await typed("migrate", "--tier", "neon", "--admin-dsn-env", "ADMIN")
    await run(place, "DELETE FROM schema_migrations WHERE number = (SELECT max(number) FROM schema_migrations)")
    said = await typed("migrate", "--tier", "neon")

    assert said.status == 1
    assert f"its role holdfast_bot may not apply {ALL[-1]}" in said.text
    assert "--admin-dsn-env VARIABLE" in said.text


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--tier", "mars"), "there is no tier 'mars'; there are: neon, supabase"),
        (("--admin-dsn-env", "ADMIN"), "--admin-dsn-env is for one tier"),
        (("--tier", "neon", "--admin-dsn-env", "NOTHING"), "there is nothing in NOTHING"),
    ],
)
async def test_a_wrong_call_is_refused_before_anything_is_done(
    monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], complaint: str
) -> None:
    """What can't be meant is said in one sentence, and no journal has been made."""
    nowhere = "postgresql://a:b@127.0.0.1:1/x"
    monkeypatch.setenv("HOLDFAST_TIERS", tiers_setting(neon=nowhere, supabase=nowhere))
    with pytest.raises(SettingsError, match=complaint):
        await typed("migrate", *words)

    assert not Settings().holdfast_journal.exists()


@pytest.mark.parametrize(
    ("admin", "complaint"),
    [
        ("postgresql://admin:c@127.0.0.1:1/other", "the administrator's address leads to the database 'other'"),
        ("postgresql://bot:b@127.0.0.1:2/x", "names the administrator itself"),
    ],
)
async def test_an_administrator_of_something_else_is_refused(
    monkeypatch: pytest.MonkeyPatch, admin: str, complaint: str
) -> None:
    """The administrator's address must lead to the tier's database, and be another user's."""
    monkeypatch.setenv("HOLDFAST_TIERS", tiers_setting(neon="postgresql://bot:b@127.0.0.1:1/x"))
    monkeypatch.setenv("ADMIN", admin)
    said = await typed("migrate", "--tier", "neon", "--admin-dsn-env", "ADMIN")

    assert said.status == 1
    assert complaint in said.text


@pytest.mark.parametrize(
    ("dsn", "login"),
    [
        ("postgresql://bot:p%40ss@db.example.org/x", Login("bot", "p@ss")),
        ("postgresql://bot.abc:p@aws-0-eu.pooler.supabase.com:6543/x", Login("bot", "p")),
        ("postgresql://bot.abc:p@db.example.org/x", Login("bot.abc", "p")),
    ],
)
def test_the_login_is_read_from_the_address(dsn: str, login: Login) -> None:
    """A name behind which a pooler wants the project's is a role's name without it."""
    assert login_of(dsn) == login


async def test_a_journal_in_use_is_refused_and_no_tier_touched(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without --tier the journal comes first, and a running bot keeps it."""
    path = await journal_of(tmp_path / "data" / "local.db")
    store = journal(path)
    await store.open()
    await store.commit([MetaWrite("held", "yes")])
    monkeypatch.setenv("HOLDFAST_TIERS", tiers_setting(here=database.dsn))
    with pytest.raises(Exception, match="another process works with"):
        await typed("migrate")
    await store.close()

    assert await run(database, "SELECT to_regclass('schema_migrations')") is None

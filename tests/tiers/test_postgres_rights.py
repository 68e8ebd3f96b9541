import asyncio
from collections.abc import AsyncIterator
from typing import TypeAlias

import asyncpg
import pytest

from holdfast.domain.ids import OriginId
from holdfast.infrastructure.tiers.postgres import PostgresTier
from holdfast.infrastructure.tiers.store import Place
from tests.conformance.scribe import BOT, Scribe, inbound, thread
from tests.conformance.tiers import LONG, RESTRICTED, look_into, restricted_dsn
from tests.conformance.turns import appended, push, turn_of
from tests.servers.database import Database
from tests.servers.seed import OWNER, SUPERUSER

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
CHANGES = [
    "UPDATE {0} SET kind = 'another'",
    "UPDATE {0} SET payload = NULL",
    "UPDATE {0} SET payload = 'other words'",
    "UPDATE {0} SET payload = NULL, facts = '{{}}'",
    "UPDATE {0} SET xid = pg_current_xact_id()",
    "DELETE FROM {0}",
    "TRUNCATE {0}",
]
WHO = [OWNER, RESTRICTED, SUPERUSER]


@pytest.fixture
async def written(database: Database) -> AsyncIterator[Database]:
    """A tier with one event and one delivery, written by the restricted role."""
    tier = PostgresTier("neon", await restricted_dsn(database))
    await tier.open(BOT, LONG)
    scribe = Scribe()
    write = scribe.append(inbound(1))
    await appended(tier, turn_of(write))
    await push(tier, [], [scribe.delivery(write.record).record])
    yield database
    await tier.close()


@pytest.fixture
async def owner(written: Database) -> AsyncIterator[Connection]:
    """The owner's connection, with identities as sixteen bytes."""
    connection = await look_into(written)
    yield connection
    await connection.close()


@pytest.mark.parametrize("table", ["events", "deliveries"])
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("who", WHO)
async def test_what_was_written_cannot_be_changed(written: Database, who: str, change: str, table: str) -> None:
    """Neither the bot's role nor the owner nor an administrator changes a row of the log in passing."""
    connection = await written.connect(who)
    try:
        before = await connection.fetch(f"SELECT * FROM {table}")  # noqa: S608 - one of two names
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(change.format(table))

        assert await connection.fetch(f"SELECT * FROM {table}") == before  # noqa: S608
    finally:
        await connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM erasures",
        "DELETE FROM quarantine",
        "DELETE FROM tier_meta",
        "DELETE FROM heads",
        "DROP TABLE events",
        "ALTER TABLE events DISABLE TRIGGER ALL",
        "UPDATE schema_migrations SET checksum = ''",
        "CREATE TABLE mine (n integer)",
    ],
)
async def test_the_bots_role_has_no_more_than_it_needs(written: Database, statement: str) -> None:
    """What the port does not ask for the role may not do."""
    connection = await written.connect(RESTRICTED)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    finally:
        await connection.close()


async def test_the_facts_tell_who_could_change_the_log(written: Database) -> None:
    """The restricted role is no owner, and the owner is told that it is one."""
    owners = {}
    for who in (RESTRICTED, OWNER):
        tier = PostgresTier("neon", written.server.dsn(written.name, who))
        facts = await tier.open(BOT, LONG)
        owners[facts.role] = facts.owner
        await tier.close()

    assert owners == {RESTRICTED: False, OWNER: True}


async def test_the_facts_tell_how_old_the_oldest_transaction_is(written: Database) -> None:
    """A transaction that stays open anywhere on the server is seen, also by the restricted role."""
    tier = PostgresTier("neon", written.server.dsn(written.name, RESTRICTED))
    before = await tier.open(BOT, LONG)
    async with written.server.idle_transaction(written.name, "SELECT pg_current_xact_id()"):
        during = await tier.facts(LONG)
    await tier.close()

    assert during.xmin_age > 0
    assert before.xmin_age >= 0


async def test_a_transaction_in_another_database_holds_the_tail_back(written: Database) -> None:
    """While it is open nothing more is read, and that is told; afterwards all of it is."""
    tier = PostgresTier("neon", written.server.dsn(written.name, RESTRICTED))
    await tier.open(BOT, LONG)
    elsewhere = await written.server.create_database()
    async with written.server.idle_transaction(elsewhere, "SELECT pg_current_xact_id()"):
        place = (await tier.pull(Place(), OriginId(bytes(16)), 100, LONG)).place
        record = Scribe(seed=77).append(inbound(77, person=77)).record
        await tier.push([record], (), LONG)
        during = await tier.pull(place, OriginId(bytes(16)), 100, LONG)
    async with asyncio.timeout(LONG):
        while record not in (after := await tier.pull(place, OriginId(bytes(16)), 100, LONG)).events:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await tier.close()

    assert (during.events, during.held_back) == ((), True)
    assert not after.held_back


async def test_words_go_only_for_somebody_who_asked(written: Database, owner: Connection) -> None:
    """The bot's role takes words away by the one function there is, and only where an erasure stands."""
    ids = [row[0] for row in await owner.fetch("SELECT event_id FROM events UNION ALL SELECT event_id FROM deliveries")]
    bot = await written.connect(RESTRICTED)
    await bot.set_type_codec("uuid", schema="pg_catalog", encoder=bytes, decoder=bytes, format="binary")
    left = "SELECT count(payload) FROM (SELECT payload FROM events UNION ALL SELECT payload FROM deliveries) AS log"
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await bot.fetchval("SELECT erase_words($1, $2)", thread(), ids)
        assert await owner.fetchval(left) == 2
        await bot.execute("INSERT INTO erasures VALUES ($1, 1, 1)", thread())

        assert await bot.fetchval("SELECT erase_words($1, $2)", thread(), ids) == 2
        assert await owner.fetchval(left) == 0
        assert await bot.fetchval("SELECT erase_words($1, $2)", thread(), ids) == 0
    finally:
        await bot.close()


@pytest.mark.parametrize("call", ["raise_canary()", "be_durable()"])
@pytest.mark.parametrize(
    ("default", "used"), [("off", "on"), ("local", "on"), ("on", "on"), ("remote_apply", "remote_apply")]
)
async def test_the_servers_default_does_not_weaken_a_write(
    written: Database, owner: Connection, default: str, used: str, call: str
) -> None:
    """Whatever a session's default for commits is, a write waits for the disk, and the session keeps its default."""
    await owner.execute(f"SET synchronous_commit = {default}")
    async with owner.transaction():
        await owner.fetchval(f"SELECT {call}")
        within = await owner.fetchval("SHOW synchronous_commit")

    assert (within, await owner.fetchval("SHOW synchronous_commit")) == (used, default)

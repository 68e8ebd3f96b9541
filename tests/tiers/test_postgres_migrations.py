import asyncio
from collections.abc import AsyncIterator
from typing import TypeAlias

import asyncpg
import pytest

from holdfast.domain.errors import ChangedMigration, NewerJournal, NotExecuted, NotMigrated
from holdfast.infrastructure.log.envelope import Record
from holdfast.infrastructure.migrations import migrations
from holdfast.infrastructure.tiers.postgres import PostgresTier
from holdfast.infrastructure.tiers.postgres_migrations import migrate
from tests.conformance.scribe import BOT
from tests.conformance.tiers import LONG
from tests.infrastructure import test_migrations as journal
from tests.servers.database import Database
from tests.servers.seed import SUPERUSER

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

ALL = [f"{one.number:04d}_{one.name}" for one in migrations("postgres")]
"""Migrations are added all the time, and what is tested here is that none is left out."""

BIGINT, BYTES, TEXT, TIME, UUID, UUIDS = "bigint", "bytea", "text", "timestamp with time zone", "uuid", "ARRAY"
NUMBER, YES_OR_NO, TRANSACTION = "integer", "boolean", "xid8"
ENVELOPE = {
    "pos": BIGINT,
    "xid": TRANSACTION,
    "event_id": UUID,
    "thread_id": UUID,
    "conversation_id": UUID,
    "kind": TEXT,
    "kind_version": NUMBER,
    "version": BIGINT,
    "ots": BIGINT,
    "parents": UUIDS,
    "origin": UUID,
    "origin_seq": BIGINT,
    "dedup_key": TEXT,
    "occurred_at": BIGINT,
    "received_at": BIGINT,
    "facts": TEXT,
    "payload": BYTES,
    "commitment": BYTES,
    "hash": BYTES,
}
DECLARED = {
    "events": ENVELOPE,
    "deliveries": {**ENVELOPE, "answers": UUID},
    "heads": {
        "thread_id": UUID,
        "rev": BIGINT,
        "version": BIGINT,
        "ots": BIGINT,
        "head_ids": UUIDS,
        "last_conversation_id": UUID,
        "hint_valid": YES_OR_NO,
        "undelivered": NUMBER,
        "owed": UUIDS,
        "settled": YES_OR_NO,
    },
    "erasures": {"thread_id": UUID, "upto": BIGINT, "requested_at": BIGINT},
    "quarantine": {
        "pos": BIGINT,
        "dedup_key": TEXT,
        "thread_id": UUID,
        "raw": BYTES,
        "error": TEXT,
        "received_at": BIGINT,
        "replayed_at": BIGINT,
    },
    "tier_meta": {"name": TEXT, "value": TEXT},
    "leases": {"origin": "uuid", "holder": "uuid", "until": "timestamp with time zone"},
    "conversation_states": {
        "user_id": BIGINT,
        "chat_id": BIGINT,
        "conversation_type": TEXT,
        "current_step": TEXT,
        "state_data": TEXT,
        "started_at": TIME,
        "updated_at": TIME,
        "expires_at": TIME,
    },
    "user_machines": {
        "machine_id": UUID,
        "user_id": BIGINT,
        "nickname": TEXT,
        "manufacturer": TEXT,
        "model_number": TEXT,
        "serial_number": TEXT,
        "location": TEXT,
        "notes": TEXT,
        "photo_file_id": TEXT,
        "ocr_data": TEXT,
        "created_at": TIME,
        "updated_at": TIME,
    },
    "photos_wanted": {"event_id": UUID, "user_id": BIGINT, "chat_id": BIGINT, "file_id": TEXT, "file_size": BIGINT},
    "blobs": {"thread_id": UUID, "digest": BYTES, "content": BYTES, "stored_at": BIGINT},
    "schema_migrations": {"number": NUMBER, "name": TEXT, "checksum": TEXT, "applied_at": BIGINT},
}
"""The tables a tier has when all migrations are applied, and their columns' types."""

JOURNAL_ONLY = {"journal_state", "cursors"}
"""Where the journal's events have got to, and what each tier was given: nothing that a tier could know."""

TIER_ONLY = {"xid", "settled"}
"""The transaction that wrote a row: with it the tail is read without missing one. And whether a thread was settled: a
journal folds a thread anew in the very transaction that needs it."""

UNIQUE = """
    SELECT indrelid::regclass::text || ' (' || string_agg(attname, ', ' ORDER BY attnum) || ')'
    FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)
    WHERE indisunique AND indrelid IN ('events'::regclass, 'deliveries'::regclass)
    GROUP BY indexrelid, indrelid ORDER BY 1
"""


@pytest.fixture
async def owner(database: Database) -> AsyncIterator[Connection]:
    connection = await database.connect()
    yield connection
    await connection.close()


async def schema(connection: Connection) -> dict[str, dict[str, str]]:
    rows = await connection.fetch(
        "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public'"
    )
    found: dict[str, dict[str, str]] = {}
    for table, column, data_type in rows:
        found.setdefault(table, {})[column] = data_type
    return found


async def test_a_tier_made_by_all_migrations_is_the_declared_one(database: Database, owner: Connection) -> None:
    """All migrations together make the tables that are declared here, and no others."""
    applied = await migrate(database.dsn, LONG)

    assert applied == ALL
    assert await schema(owner) == DECLARED


async def test_the_event_id_alone_is_unique(database: Database, owner: Connection) -> None:
    """A fork's second side is never dropped: no other key of the log is unique."""
    await migrate(database.dsn, LONG)

    assert [row[0] for row in await owner.fetch(UNIQUE)] == ["deliveries (event_id)", "events (event_id)"]


def test_both_dialects_have_the_same_numbers_and_names() -> None:
    """A migration of the journal has a migration of the tier beside it, and the other way round."""
    sqlite, postgres = ([(one.number, one.name) for one in migrations(dialect)] for dialect in ("sqlite", "postgres"))

    assert sqlite == postgres


def test_both_dialects_have_the_same_tables_and_columns() -> None:
    """What is declared of a journal and of a tier differs in what is named here, and in nothing else."""
    tier = {table: set(columns) - TIER_ONLY for table, columns in DECLARED.items() if table != "leases"}
    own = {table: columns for table, columns in journal.DECLARED.items() if table not in JOURNAL_ONLY}

    assert tier == own
    assert set(Record._fields) <= tier["events"]


async def test_nothing_is_applied_twice(database: Database) -> None:
    """A second run finds nothing to do."""
    await migrate(database.dsn, LONG)

    assert await migrate(database.dsn, LONG) == []


async def test_of_several_at_once_each_migration_is_applied_by_one(database: Database, owner: Connection) -> None:
    """Programs that start together wait for each other and share the work."""
    shares = await asyncio.gather(*(migrate(database.dsn, LONG) for _ in range(4)))

    assert sorted(name for share in shares for name in share) == [
        f"{one.number:04d}_{one.name}" for one in migrations("postgres")
    ]
    assert await schema(owner) == DECLARED


async def test_a_migration_that_fails_leaves_nothing(database: Database, owner: Connection) -> None:
    """A table in the way stops its migration whole, the ones before it stand, and the next run goes on."""
    await owner.execute("CREATE TABLE user_machines (n integer)")

    with pytest.raises(NotExecuted):
        await migrate(database.dsn, LONG)
    assert "conversation_states" not in await schema(owner)
    await owner.execute("DROP TABLE user_machines")

    assert await migrate(database.dsn, LONG) == ALL[1:]


async def test_an_edited_migration_is_refused(database: Database, owner: Connection) -> None:
    """A tier made with another text than this program's is not touched, by either way in."""
    await migrate(database.dsn, LONG)
    await owner.execute("UPDATE schema_migrations SET checksum = 'another' WHERE number = 2")

    with pytest.raises(ChangedMigration, match="migration 2"):
        await migrate(database.dsn, LONG)
    with pytest.raises(ChangedMigration, match="migration 2"):
        await PostgresTier("neon", database.dsn).open(BOT, LONG)


async def test_a_newer_tier_is_refused(database: Database, owner: Connection) -> None:
    """A tier that a newer program has migrated is not touched, by either way in."""
    await migrate(database.dsn, LONG)
    await owner.execute("INSERT INTO schema_migrations VALUES (9999, 'later', 'checksum', 0)")

    with pytest.raises(NewerJournal, match="the tier has migration 9999"):
        await migrate(database.dsn, LONG)
    with pytest.raises(NewerJournal, match="the tier has migration 9999"):
        await PostgresTier("neon", database.dsn).open(BOT, LONG)


async def test_a_role_that_may_not_migrate_says_what_is_missing(database: Database, owner: Connection) -> None:
    """The numbers that are missing and the command that brings them are named."""
    name, numbers = f"plain_{database.name}", ", ".join(one[:4] for one in ALL)
    root = await database.connect(SUPERUSER)
    await root.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{database.server.password}'")
    try:
        with pytest.raises(NotMigrated, match=f"{numbers}: run holdfast migrate") as missing:
            await PostgresTier("neon", database.server.dsn(database.name, name)).open(BOT, LONG)
    finally:
        await root.execute(f"DROP ROLE {name}")
        await root.close()

    assert database.server.password not in str(missing.value)
    assert await schema(owner) == {}


async def test_an_owner_that_may_make_no_roles_migrates_all_the_same(database: Database, owner: Connection) -> None:
    """Where no role can be made the tables are made nevertheless, and the owner works with them."""
    name = f"owner_{database.name}"
    root = await database.connect(SUPERUSER)
    await root.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{database.server.password}'")
    await root.execute(f"GRANT CREATE, USAGE ON SCHEMA public TO {name}")
    tier = PostgresTier("neon", database.server.dsn(database.name, name))
    try:
        facts = await tier.open(BOT, LONG)
    finally:
        await tier.close()
        await root.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")
        await root.close()

    assert facts.owner
    assert facts.role == name
    assert await schema(owner) == {}

import sqlite3
from collections.abc import Iterator

import pytest

from holdfast.domain.errors import ChangedMigration, NewerJournal
from holdfast.infrastructure import migrations
from holdfast.infrastructure.log.envelope import Record
from holdfast.infrastructure.migrations import Migration
from holdfast.infrastructure.sql import statements

ENVELOPE = {"pos", *Record._fields}
DECLARED = {
    "events": ENVELOPE,
    "deliveries": {*ENVELOPE, "answers"},
    "heads": {
        *("thread_id", "rev", "version", "ots", "head_ids", "last_conversation_id", "hint_valid"),
        *("undelivered", "owed"),
    },
    "erasures": {"thread_id", "upto", "requested_at"},
    "quarantine": {"pos", "dedup_key", "thread_id", "raw", "error", "received_at", "replayed_at"},
    "tier_meta": {"name", "value"},
    "journal_state": {"event_id", "state"},
    "conversation_states": {
        *("user_id", "chat_id", "conversation_type", "current_step", "state_data"),
        *("started_at", "updated_at", "expires_at"),
    },
    "user_machines": {
        *("machine_id", "user_id", "nickname", "manufacturer", "model_number", "serial_number", "location", "notes"),
        *("photo_file_id", "ocr_data", "created_at", "updated_at"),
    },
    "cursors": {
        *("tier", "events", "deliveries", "canary"),
        *("events_xid", "events_pos", "deliveries_xid", "deliveries_pos"),
    },
    "photos_wanted": {"event_id", "user_id", "chat_id", "file_id", "file_size"},
    "blobs": {"thread_id", "digest", "content", "stored_at"},
    "schema_migrations": {"number", "name", "checksum", "applied_at"},
}
"""The tables a journal has when all migrations are applied, and their columns."""


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    yield connection
    connection.close()


def apply_all(connection: sqlite3.Connection) -> None:
    for migration in migrations.pending(connection):
        migrations.apply(connection, migration, 7)


def schema(connection: sqlite3.Connection) -> dict[str, set[str]]:
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return {
        name: {row[1] for row in connection.execute(f"PRAGMA table_info({name})")}
        for (name,) in tables
        if not name.startswith("sqlite_")
    }


def unique_keys(connection: sqlite3.Connection, table: str) -> set[tuple[str, ...]]:
    keys = [row[1] for row in connection.execute(f"PRAGMA index_list({table})") if row[2]]
    return {tuple(row[2] for row in connection.execute(f"PRAGMA index_info({key})")) for key in keys}


def test_all_migrations_make_the_declared_schema(connection: sqlite3.Connection) -> None:
    """An empty file, taken through every migration, has the declared tables with their columns and no other."""
    apply_all(connection)

    assert schema(connection) == DECLARED
    [(strict,)] = connection.execute("SELECT DISTINCT strict FROM pragma_table_list WHERE name IN ('events', 'heads')")
    assert strict == 1


def test_only_an_events_identity_is_unique(connection: sqlite3.Connection) -> None:
    """Forks and copies of one input must be storable, so nothing but the event's id may clash."""
    apply_all(connection)

    assert unique_keys(connection, "events") == {("event_id",)}
    assert unique_keys(connection, "deliveries") == {("event_id",)}


def test_the_rules_of_the_tables_people_look_into(connection: sqlite3.Connection) -> None:
    """A person has one open conversation of a kind in a chat, and one machine of a name."""
    apply_all(connection)

    assert ("user_id", "chat_id", "conversation_type") in unique_keys(connection, "conversation_states")
    assert ("user_id", "nickname") in unique_keys(connection, "user_machines")


def test_what_is_applied_is_remembered(connection: sqlite3.Connection) -> None:
    """Each migration is applied once, with its checksum and time, and the file's version is the last one's number."""
    apply_all(connection)
    again = migrations.pending(connection)
    applied = connection.execute("SELECT number, name, checksum, applied_at FROM schema_migrations").fetchall()

    assert again == []
    assert applied == [(one.number, one.name, one.checksum, 7) for one in migrations.migrations("sqlite")]
    assert connection.execute("PRAGMA user_version").fetchone() == (migrations.newest("sqlite"),)


def test_migrations_are_numbered_without_a_gap() -> None:
    """The numbers run from one on, and each file has a name of its own."""
    carried = migrations.migrations("sqlite")

    assert [one.number for one in carried] == list(range(1, len(carried) + 1))
    assert len({one.name for one in carried}) == len(carried)


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE half (x INTEGER);\nCREATE NONSENSE;\n",
        "CREATE TABLE half (x INTEGER);\nINSERT INTO half VALUES (1);\nINSERT INTO events (pos) VALUES (1);\n",
        "CREATE TABLE half (x INTEGER);\nDROP TABLE user_machines;\nSELECT * FROM user_machines;\n",
    ],
)
def test_a_migration_that_fails_leaves_nothing(connection: sqlite3.Connection, sql: str) -> None:
    """When one statement of a migration cannot be done, none of it was."""
    apply_all(connection)
    before = connection.execute("SELECT * FROM sqlite_master").fetchall()

    with pytest.raises(sqlite3.Error):
        migrations.apply(connection, Migration(99, "half", sql), 8)

    assert connection.execute("SELECT * FROM sqlite_master").fetchall() == before
    assert connection.execute("SELECT max(number) FROM schema_migrations").fetchone() == (migrations.newest("sqlite"),)
    assert connection.execute("PRAGMA user_version").fetchone() == (migrations.newest("sqlite"),)
    assert connection.in_transaction is False


def test_a_migration_can_be_tried_again(connection: sqlite3.Connection) -> None:
    """After a failure the mended file is applied as if nothing had been."""
    with pytest.raises(sqlite3.Error):
        migrations.apply(connection, Migration(1, "log", "CREATE TABLE half (x INTEGER);\nNONSENSE;\n"), 8)

    apply_all(connection)

    assert schema(connection) == DECLARED


def test_the_last_statement_counts_without_its_semicolon(connection: sqlite3.Connection) -> None:
    """A file that does not end in a semicolon is applied to its end, or not at all."""
    apply_all(connection)
    migrations.apply(connection, Migration(99, "later", "CREATE TABLE one (x);\nCREATE TABLE two (x)\n"), 8)

    assert {"one", "two"} <= schema(connection).keys()


def test_a_trigger_is_one_statement(connection: sqlite3.Connection) -> None:
    """The semicolons inside a trigger do not end it, and comments between statements do not matter."""
    sql = (
        "-- A table; with a comment.\nCREATE TABLE one (x);\n\n-- And its trigger; too.\n"
        "CREATE TRIGGER grow AFTER INSERT ON one\nBEGIN\n    INSERT INTO one VALUES (2);\n    SELECT 1;\nEND;\n"
        "-- done\n"
    )
    apply_all(connection)
    migrations.apply(connection, Migration(99, "later", sql), 8)
    connection.execute("INSERT INTO one VALUES (1)")

    assert connection.execute("SELECT x FROM one").fetchall() == [(1,), (2,)]


def test_an_edited_migration_is_refused(connection: sqlite3.Connection) -> None:
    """A journal made with another text of a migration is not taken for one made with this."""
    apply_all(connection)
    connection.execute("UPDATE schema_migrations SET checksum = 'abc' WHERE number = 1")

    with pytest.raises(ChangedMigration, match="migration 1 is not the one"):
        migrations.pending(connection)


def test_a_later_migration_is_refused(connection: sqlite3.Connection) -> None:
    """A journal that has more migrations than this program is left to the program that made it."""
    apply_all(connection)
    connection.execute("INSERT INTO schema_migrations VALUES (3000, 'later', 'abc', 9)")

    with pytest.raises(NewerJournal, match="has migration 3000"):
        migrations.pending(connection)


def test_every_statement_of_the_journal_fits_its_schema(connection: sqlite3.Connection) -> None:
    """Each named statement can be prepared on the tables that the migrations make."""
    apply_all(connection)
    for name, sql in statements("journal.sql").items():
        plan = connection.execute(f"EXPLAIN {sql}", (None,) * highest_parameter(sql)).fetchall()
        assert plan, name


def highest_parameter(sql: str) -> int:
    numbered = [int(part[:1]) for part in sql.split("?")[1:] if part[:1].isdigit()]
    return max(numbered, default=sql.count("?"))

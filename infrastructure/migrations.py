"""Numbered migrations with checksums: each is applied once, in order, and never edited afterwards."""

import sqlite3
from collections.abc import Iterator, Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files

from msgspec import Struct

from holdfast.domain.errors import ChangedMigration, NewerJournal
from holdfast.infrastructure.sql import statements


class Migration(Struct, frozen=True):
    """One numbered file: `0001_log.sql` has number 1 and name `log`."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the file's text, as hexadecimal digits."""
        return sha256(self.sql.encode()).hexdigest()


@cache
def migrations(dialect: str) -> tuple[Migration, ...]:
    """Read all migrations of a dialect (`sqlite`, `postgres`), in order."""
    folder = files("holdfast.migrations").joinpath(dialect)
    found = [
        Migration(int(entry.name[:4]), entry.name[5:-4], entry.read_text(encoding="utf-8"))
        for entry in folder.iterdir()
        if entry.name.endswith(".sql")
    ]
    return tuple(sorted(found, key=lambda migration: migration.number))


def newest(dialect: str) -> int:
    """Give the number of the newest migration this program carries."""
    return migrations(dialect)[-1].number


def lacking(dialect: str, applied: Mapping[int, str], place: str = "journal") -> list[Migration]:
    """Name what is missing where these numbers, with these checksums, have been applied.

    `place` is what a message calls it. NewerJournal and ChangedMigration when that is not a past of this program.
    """
    carried = {migration.number: migration for migration in migrations(dialect)}
    for number, checksum in applied.items():
        if number not in carried:
            raise NewerJournal(f"the {place} has migration {number}, this program ends at {max(carried)}")
        if carried[number].checksum != checksum:
            raise ChangedMigration(f"migration {number} is not the one this {place} was made with")
    return [migration for number, migration in carried.items() if number not in applied]


def pending(connection: sqlite3.Connection) -> list[Migration]:
    """Name what this journal lacks; the errors of `lacking`."""
    sql = statements("migrations.sql")
    connection.execute(sql["create_table"])
    return lacking("sqlite", dict(connection.execute(sql["read_applied"]).fetchall()))


def apply(connection: sqlite3.Connection, migration: Migration, at: int) -> None:
    """Apply one migration and remember it, in one transaction; `at` in microseconds since 1970."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in _statements(migration.sql):
            connection.execute(statement)
        sql = statements("migrations.sql")
        connection.execute(sql["insert_applied"], (migration.number, migration.name, migration.checksum, at))
        connection.execute(f"PRAGMA user_version = {migration.number:d}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _statements(sql: str) -> Iterator[str]:
    """Split a file into its statements; a trigger's inner semicolons do not end one."""
    statement = ""
    for line in sql.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip():
        yield statement

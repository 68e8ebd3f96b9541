"""How a journal's file is made ready to be written, whoever is going to write it."""

import sqlite3
from contextlib import suppress
from pathlib import Path

from holdfast.domain.errors import LogUnavailable
from holdfast.domain.ports import Clock
from holdfast.infrastructure import migrations
from holdfast.infrastructure.log import journal_file
from holdfast.infrastructure.log.mint import Randomness
from holdfast.infrastructure.sql import statements


def take(path: Path, lock: journal_file.FileLock) -> None:
    """Look whether the file is ours and take its lock; the errors of `journal_file`, LogUnavailable."""
    journal_file.check_header(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except OSError as error:
        raise LogUnavailable(f"{path} cannot be used: {error.strerror}") from None


def prepare(connection: sqlite3.Connection, path: Path, clock: Clock, randomness: Randomness) -> list[str]:
    """Set a connection up to write durably, migrate, name the origin; the names of what was applied: `0001_log`."""
    connection.execute("PRAGMA busy_timeout = 5000")
    fresh = connection.execute("PRAGMA user_version").fetchone() == (0,)
    if fresh:
        connection.execute(f"PRAGMA application_id = {journal_file.APPLICATION_ID:d}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA recursive_triggers = ON")
    applied = []
    for migration in migrations.pending(connection):
        migrations.apply(connection, migration, clock.now())
        applied.append(f"{migration.number:04d}_{migration.name}")
    if fresh:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    _name_origin(connection, path, randomness)
    return applied


def _name_origin(connection: sqlite3.Connection, path: Path, randomness: Randomness) -> None:
    """Give a new origin to a new file, to a copy of one, and to one that was put back from a backup.

    Two files never number the same events. The mark is written into the journal first: whoever dies between the two
    finds that they differ, and takes the journal for a copy.
    """
    sql = statements("journal.sql")
    meta = dict(connection.execute(sql["read_meta"]).fetchall())
    here = journal_file.incarnation(path)
    beside = journal_file.mark_beside(path)
    if meta.get("incarnation") != here or (beside and beside != meta.get("mark")):
        origin = randomness(16).hex()
        for name, value in (("incarnation", here), ("origin", origin)):
            connection.execute(sql["write_meta"], (name, value))
    mark = randomness(16).hex()
    with suppress(sqlite3.OperationalError):  # a full disk: journal and file still bear the mark they bore before
        connection.execute(sql["write_meta"], ("mark", mark))
        journal_file.put_mark_beside(path, mark)

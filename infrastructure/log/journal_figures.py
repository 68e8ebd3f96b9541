"""Figures of a journal for its operator, read beside the bot that writes it, and cheap while little waits."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from msgspec import Struct

from holdfast.domain.errors import LogUnavailable
from holdfast.infrastructure.log.journal_look import Backlog, backlog_behind
from holdfast.infrastructure.log.stores import Cursor
from holdfast.infrastructure.sql import statements

_PATIENCE = 1.0


class JournalFigures(Struct, frozen=True, kw_only=True):
    """Replies owed, inputs that wait in quarantine, what tiers lack by their names, and bytes by file."""

    owed: int
    quarantined: int
    backlogs: Mapping[str, Backlog]
    bytes: Mapping[str, int]


def figures(path: Path, cursors: Mapping[str, Cursor]) -> JournalFigures:
    """Read them, with how far each tier was given the journal; LogUnavailable when the file can't be read now."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_PATIENCE)) as journal:
            journal.execute("BEGIN")
            owed, quarantined = journal.execute(statements("journal.sql")["read_figures"]).fetchone()
            return JournalFigures(
                owed=owed,
                quarantined=quarantined,
                backlogs={name: backlog_behind(journal, cursor) for name, cursor in cursors.items()},
                bytes=_sizes(path),
            )
    except sqlite3.Error as error:
        raise LogUnavailable(f"{path} cannot be read: {error}") from None


def _sizes(path: Path) -> dict[str, int]:
    wal = path.with_name(f"{path.name}-wal")
    return {name: file.stat().st_size for name, file in (("journal", path), ("wal", wal)) if file.exists()}

"""A look into a journal for its operator, beside a bot that may be writing it: nothing is made and nothing locked."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from msgspec import Struct

from holdfast.domain.errors import CorruptJournal, LogUnavailable
from holdfast.domain.ports import RowChange
from holdfast.infrastructure import migrations
from holdfast.infrastructure.log.journal_file import check_header
from holdfast.infrastructure.log.journal_writer import row_change
from holdfast.infrastructure.log.keys import NO_KEY
from holdfast.infrastructure.log.stores import Cursor, cursor_of
from holdfast.infrastructure.sql import statements

_PATIENCE = 2.0
_STATES = "conversation_states"


class Backlog(Struct, frozen=True):
    """What a tier has not been given yet; `since` is when the oldest of it came (microseconds since 1970), or None."""

    events: int
    deliveries: int
    since: int | None


class JournalLook(Struct, frozen=True, kw_only=True):
    """What a journal says of itself. `missing` are the migrations it lacks; while there are any, it tells no more.

    `key` names the master key its words are under, `none` where there is none; `facts` is all it keeps of itself.
    `states` are the rows of open conversations. `backlogs` are by the tiers' identities, `whole` is what a tier lacks
    that was never given anything.
    """

    bot_id: int | None
    key: str
    facts: Mapping[str, str]
    missing: tuple[str, ...]
    events: int
    deliveries: int
    quarantined: int
    states: tuple[RowChange, ...]
    cursors: Mapping[str, Cursor]
    backlogs: Mapping[str, Backlog]

    @property
    def whole(self) -> Backlog:
        """All there is."""
        return self.backlogs[""]


def look_into(path: Path) -> JournalLook | None:
    """Read a journal; None where there is no file. The errors of `check_header`; CorruptJournal, LogUnavailable."""
    check_header(path)
    if not path.exists() or path.stat().st_size == 0:
        return None
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_PATIENCE)) as journal:
            journal.execute("BEGIN")
            return _look(journal)
    except sqlite3.OperationalError as error:
        raise LogUnavailable(f"{path} cannot be read: {error}") from None
    except sqlite3.DatabaseError as error:
        raise CorruptJournal(f"{path} is damaged ({error})") from None


def _look(journal: sqlite3.Connection) -> JournalLook:
    sql = statements("journal.sql")
    applied = dict(journal.execute(statements("migrations.sql")["read_applied"]).fetchall())
    missing = tuple(f"{one.number:04d}_{one.name}" for one in migrations.lacking("sqlite", applied))
    meta = dict(journal.execute(sql["read_meta"]).fetchall())
    counts = (0, 0, 0) if missing else journal.execute(sql["read_counts"]).fetchone()
    rows = [] if missing else journal.execute(sql[f"all_{_STATES}"]).fetchall()
    cursors = {} if missing else _cursors(journal)
    return JournalLook(
        bot_id=int(meta["bot_id"]) if "bot_id" in meta else None,
        key=meta.get("key", NO_KEY),
        facts=meta,
        missing=missing,
        events=counts[0],
        deliveries=counts[1],
        quarantined=counts[2],
        states=tuple(row_change(_STATES, row) for row in rows),
        cursors=cursors,
        backlogs={
            tier: backlog_behind(journal, cursor) for tier, cursor in {"": Cursor(), **cursors}.items() if not missing
        },
    )


def _cursors(journal: sqlite3.Connection) -> dict[str, Cursor]:
    rows: list[tuple[Any, ...]] = journal.execute(statements("journal.sql")["read_cursors"]).fetchall()
    return {tier: cursor_of(*values) for tier, *values in rows}


def backlog_behind(journal: sqlite3.Connection, cursor: Cursor) -> Backlog:
    """Read what stands behind a tier's cursor."""
    sql = statements("journal.sql")["read_backlog"]
    return Backlog(*journal.execute(sql, (cursor.events, cursor.deliveries)).fetchone())

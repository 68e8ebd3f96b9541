"""How turns, records and rows travel to PostgreSQL, and how its rows are read back."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from holdfast.domain.ids import ThreadId
from holdfast.domain.ports import RowChange
from holdfast.infrastructure.log.envelope import ID_BYTES, Record
from holdfast.infrastructure.tiers.store import Mark, Settlement, TierTurn

_STATES = "conversation_states"
_NO_STATE = (None,) * 8
_STATE_VALUES = 5
_AT = {name: place for place, name in enumerate(Record._fields)}
_PARENTS = _AT["parents"]
_IDENTITIES = ("event_id", "thread_id", "origin")
_NUMBERS = ("kind_version", "version", "ots", "origin_seq", "occurred_at", "received_at")
_HASHES = ("commitment", "hash")


def array(joined: bytes) -> str:
    """Write identities, sixteen bytes each, as the text of an array of them."""
    return "{" + joined.hex(",", ID_BYTES) + "}"


def changes(rows: Sequence[RowChange]) -> str | None:
    """Write rows as JSON, or None when there are none; ValueError, OverflowError for what JSON cannot hold."""
    if not rows:
        return None
    return msgspec.json.encode([(row.table, row.key, row.values) for row in rows]).decode()


def record_values(record: Record) -> tuple[Any, ...]:
    """Give a record's columns as they travel."""
    return (*record[:_PARENTS], array(record.parents), *record[_PARENTS + 1 :])


def pushed(events: Sequence[Record], deliveries: Sequence[Record]) -> list[Any]:
    """Give the parameters of a push, column by column.

    The driver looks at each value of an array twice and thrice, so arrays of identities, numbers and hashes, which
    need no quoting, travel as the text of them: that takes the event loop a third of the time.
    """
    columns: list[Any] = list(zip(*events, *deliveries, strict=True))
    for name in _IDENTITIES:
        columns[_AT[name]] = array(b"".join(columns[_AT[name]]))
    columns[_AT["conversation_id"]] = _some(columns[_AT["conversation_id"]])
    columns[_PARENTS] = [array(parents) for parents in columns[_PARENTS]]
    for name in _NUMBERS:
        columns[_AT[name]] = f"{{{str(list(columns[_AT[name]]))[1:-1]}}}"
    for name in _HASHES:
        columns[_AT[name]] = _hashes(columns[_AT[name]])
    return [*columns, [False] * len(events) + [True] * len(deliveries)]


def _some(identities: Sequence[bytes | None]) -> str:
    return f"{{{','.join(['NULL' if one is None else one.hex() for one in identities])}}}"


def _hashes(hashes: Sequence[bytes]) -> str:
    r"""Write hashes as the text of an array; each begins with \x, whose backslash is doubled in an array."""
    return "{" + ",".join(["\\\\x" + one.hex() for one in hashes]) + "}"


def turn_values(turn: TierTurn) -> tuple[Any, ...]:
    """Give a turn's parameters: the first row of an open conversation column by column, the others as JSON."""
    state, others = _NO_STATE, turn.rows
    for row in turn.rows:
        if row.table == _STATES:
            state = (*row.key, *(row.values or (None,) * _STATE_VALUES))
            others = [other for other in turn.rows if other is not row]
            break
    return (
        *record_values(turn.record),
        turn.expected.rev,
        array(b"".join(turn.expected.head_ids)),
        int(turn.owes_reply),
        turn.last_conversation_id,
        *state,
        changes(others),
    )


def settlement_values(settlement: Settlement) -> tuple[Any, ...]:
    """Give a settlement's parameters."""
    return (
        settlement.thread_id,
        array(b"".join(sorted(settlement.head_ids))),
        settlement.version,
        settlement.ots,
        settlement.last_conversation_id,
        array(b"".join(settlement.owed)),
        settlement.user_id,
        changes(settlement.rows) or "[]",
    )


def columns(rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Turn rows into columns."""
    return list(zip(*rows, strict=True))


def as_record(row: Sequence[Any]) -> Record:
    """Read a record's columns."""
    return Record._make((*row[:_PARENTS], b"".join(row[_PARENTS]), *row[_PARENTS + 1 :]))


def as_marks(rows: Iterable[Sequence[Any]]) -> dict[ThreadId, Mark]:
    """Read where threads stand; each row begins with the thread."""
    return {thread_id: Mark(rev, tuple(head_ids), closed) for thread_id, rev, head_ids, closed in rows}


def last_place(rows: Sequence[Sequence[Any]], before: tuple[int, int]) -> tuple[int, int]:
    """Read the place of the last row of a tail; without rows it is where the tail began."""
    return (rows[-1][0], rows[-1][1]) if rows else before


def others(rows: Iterable[Sequence[Any]]) -> tuple[Record, ...]:
    """Read the records of a tail that other origins wrote."""
    return tuple(as_record(row[3:]) for row in rows if row[2])

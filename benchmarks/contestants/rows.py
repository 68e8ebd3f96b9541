"""The statements of one turn, for those who write the same rows in the same tables without the engine."""

from collections.abc import Iterator

from holdfast.infrastructure.log.journal_writer import as_iso
from holdfast.infrastructure.log.stores import AppendWrite
from holdfast.infrastructure.sql import statements

_TIMES = (2, 3, 4)


def event_of(turn: AppendWrite) -> Iterator[tuple[str, tuple[object, ...]]]:
    """Give the statement that writes the event alone, and its values."""
    yield statements("journal.sql")["insert_event"], turn.record


def rows_of(turn: AppendWrite) -> Iterator[tuple[str, tuple[object, ...]]]:
    """Give the statements that write the head, the event and the projections' rows, and their values."""
    sql = statements("journal.sql")
    yield sql["write_head"], _head_values(turn)
    yield from event_of(turn)
    for row in turn.rows:
        change = "drop" if row.values is None else "put"
        values = [as_iso(one) if at in _TIMES else one for at, one in enumerate(row.values or ())]
        yield sql[f"{change}_{row.table}"], (*row.key, *values)


def _head_values(turn: AppendWrite) -> tuple[object, ...]:
    head, expected = turn.head, turn.expected
    place = (head.rev, head.version, head.ots, b"".join(head.head_ids), head.last_conversation_id)
    return (turn.record.thread_id, *place, int(turn.owes_reply), expected.rev, b"".join(expected.head_ids))

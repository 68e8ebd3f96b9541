"""A database of dictionaries, which row changes are applied to."""

from collections.abc import Iterable

from holdfast.domain.event import Event
from holdfast.domain.evolve import EMPTY, evolve
from holdfast.domain.flow import Flows
from holdfast.domain.ports import RowChange
from holdfast.domain.state import ThreadState
from holdfast.projections import machines, states
from holdfast.projections.fold import fold_of
from holdfast.projections.fold import rows_of as folded

Rows = dict[tuple[str, tuple[object, ...]], tuple[object, ...]]


def applied(rows: Rows, changes: Iterable[RowChange]) -> Rows:
    """Give the rows after some changes."""
    after = dict(rows)
    for change in changes:
        if change.values is None:
            after.pop((change.table, change.key), None)
        else:
            after[change.table, change.key] = change.values
    return after


def rows_of(flows: Flows, events: Iterable[Event]) -> Rows:
    """Give the rows folded from everything."""
    return {name: row.values or () for name, row in folded(flows, events).items()}


def rows_turn_by_turn(flows: Flows, events: Iterable[Event]) -> Rows:
    """Give the rows that stand when each event's changes are applied after the other's."""
    fold, rows, state = fold_of(flows), Rows(), EMPTY
    for event in events:
        after = evolve(state, event)
        rows = applied(rows, fold(state, after, event))
        state = after
    return rows


def changes_of_state(flows: Flows, before: ThreadState, after: ThreadState) -> list[RowChange]:
    """Give the changes of those tables that follow from the state alone."""
    return [*states.changes(flows, before, after), *machines.changes(before, after)]


def table(rows: Rows, name: str) -> dict[tuple[object, ...], tuple[object, ...]]:
    """Give the rows of one table."""
    return {key: values for (table, key), values in rows.items() if table == name}

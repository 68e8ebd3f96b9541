"""All projections of a thread at once: the rows an event changes, and the rows a whole thread amounts to."""

from collections.abc import Iterable

from holdfast.domain.event import Event
from holdfast.domain.evolve import EMPTY, evolve
from holdfast.domain.flow import Flows
from holdfast.domain.order import counted
from holdfast.domain.ports import Fold, RowChange
from holdfast.domain.state import ThreadState
from holdfast.projections import machines, photos, states

TABLES = (states.TABLE, machines.TABLE, photos.TABLE)
"""Every table that is folded from the events."""

RowName = tuple[str, tuple[object, ...]]
"""A row's table and key."""


def fold_of(flows: Flows) -> Fold:
    """Make the fold for a bot's flows."""

    def fold(before: ThreadState, after: ThreadState, event: Event) -> list[RowChange]:
        return [*states.changes(flows, before, after), *machines.changes(before, after), *photos.changes(event)]

    return fold


def rows_of(flows: Flows, events: Iterable[Event]) -> dict[RowName, RowChange]:
    """Fold a whole thread from nothing, and give the rows that then stand.

    What is open and what is registered depends on the last state alone: no row is made that a later event changes.
    """
    state, wanted = EMPTY, list[RowChange]()
    for event in counted(events):
        state = evolve(state, event)
        wanted += photos.changes(event)
    rows: dict[RowName, RowChange] = {}
    for row in (*states.changes(flows, EMPTY, state), *machines.changes(EMPTY, state), *wanted):
        if row.values is None:
            rows.pop((row.table, row.key), None)
        else:
            rows[row.table, row.key] = row
    return rows

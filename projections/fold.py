"""All projections of a thread at once: the row changes that lead from one state to a later one."""

from holdfast.domain.flow import Flows
from holdfast.domain.ports import Fold, RowChange
from holdfast.domain.state import ThreadState
from holdfast.projections import machines, states

TABLES = (states.TABLE, machines.TABLE)
"""Every table that is folded from the events."""


def fold_of(flows: Flows) -> Fold:
    """Make the fold for a bot's flows."""

    def fold(before: ThreadState, after: ThreadState) -> list[RowChange]:
        return states.changes(flows, before, after) + machines.changes(before, after)

    return fold

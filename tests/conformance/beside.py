"""How tiers are put beside a journal, for tests."""

from collections.abc import Sequence

from holdfast.domain.event import Event
from holdfast.domain.flow import Flows
from holdfast.domain.machine_flows import MACHINE_FLOWS
from holdfast.domain.ports import RowChange
from holdfast.infrastructure.clock import SystemClock
from holdfast.infrastructure.log.event_log import MakeTiers
from holdfast.infrastructure.log.union import Refolding
from holdfast.infrastructure.tiers.leases import LEASE
from holdfast.infrastructure.tiers.service import TierService
from holdfast.infrastructure.tiers.store import TierStore
from holdfast.projections.fold import rows_of
from tests.conformance.scribe import codec

FLOWS = Flows(MACHINE_FLOWS)


def tiers_beside(
    stores: Sequence[TierStore], copies: int = 1, lease: float = LEASE, *, lasting: bool = True
) -> MakeTiers:
    """Put these tiers beside a journal, which lasts or goes with its worker; no pause depends on chance."""
    return lambda journal, commits: TierService(
        stores,
        journal,
        commits,
        refolding=Refolding(codec(), _rows),
        clock=SystemClock(),
        chance=lambda: 0.0,
        copies=copies,
        lease=lease,
        lasting=lasting,
    )


def _rows(events: Sequence[Event]) -> list[RowChange]:
    return list(rows_of(FLOWS, events).values())

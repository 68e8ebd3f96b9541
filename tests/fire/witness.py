"""A tier in PostgreSQL that writes down how each call ended."""

from collections.abc import Awaitable, Sequence
from typing import TypeVar

from holdfast.domain.errors import LogUnavailable
from holdfast.domain.ids import ThreadId
from holdfast.infrastructure.log.envelope import Record
from holdfast.infrastructure.tiers.postgres import PostgresTier
from holdfast.infrastructure.tiers.store import Mark, Stale, TierFacts, TierTurn, Verdict

T = TypeVar("T")
Outcome = LogUnavailable | Stale
"""How a call did not go through."""


class Witness(PostgresTier):
    """Writes to a list how calls ended: what was raised, and turns that were overtaken."""

    def __init__(self, name: str, dsn: str, outcomes: list[Outcome]) -> None:
        """Write to this list."""
        super().__init__(name, dsn)
        self._outcomes = outcomes

    async def open(self, bot_id: int, within: float) -> TierFacts:
        """Open, and write down when that failed."""
        return await self._seen(super().open(bot_id, within))

    async def append(self, batch: Sequence[TierTurn], within: float) -> Sequence[Verdict]:
        """Append, and write down what did not go through."""
        verdicts = await self._seen(super().append(batch, within))
        self._outcomes += [one for one in verdicts if isinstance(one, Stale | LogUnavailable)]
        return verdicts

    async def marks(self, thread_ids: Sequence[ThreadId], within: float) -> Sequence[Mark]:
        """Read marks, and write down when that failed."""
        return await self._seen(super().marks(thread_ids, within))

    async def push(self, events: Sequence[Record], deliveries: Sequence[Record], within: float) -> dict[ThreadId, Mark]:
        """Push, and write down when that failed."""
        return await self._seen(super().push(events, deliveries, within))

    async def probe(self, within: float) -> int:
        """Probe, and write down when that failed."""
        return await self._seen(super().probe(within))

    async def _seen(self, call: Awaitable[T]) -> T:
        try:
            return await call
        except LogUnavailable as error:
            self._outcomes.append(error)
            raise

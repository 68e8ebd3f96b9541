"""Leases: which worker answers for which, written on the first tier that serves, by that tier's clock."""

import logging
from collections import OrderedDict
from collections.abc import Iterable

from holdfast.domain.errors import Ambiguous, NotExecuted
from holdfast.domain.ids import OriginId, ThreadId
from holdfast.domain.ports import Clock, Held
from holdfast.infrastructure.tiers.lineup import Lineup
from holdfast.infrastructure.tiers.store import Holding

logger = logging.getLogger("holdfast.tiers")
LEASE = 10.0
"""Seconds a worker may be silent before another one sends what it owes."""
_SECOND = 1_000_000
_KNOWN = 1_000
_REMEMBERED = 10_000


class TierLeases:
    """What this worker holds. Where no tier is in reach it runs out, and everybody answers for themselves alone."""

    def __init__(self, lineup: Lineup, clock: Clock, seconds: float = LEASE) -> None:
        """Hold leases of so many seconds on these tiers; `own` is to be set when it is known."""
        self.own = OriginId(b"")
        self.seconds = seconds
        self._lineup = lineup
        self._clock = clock
        self._origins: frozenset[OriginId] = frozenset()
        self._until = 0
        self._workers = 1
        self._heard_of: set[OriginId] = set()

    @property
    def are_sure(self) -> bool:
        """Whether a tier has confirmed them, not too long ago."""
        return self._clock.now() < self._until

    def answers_for(self, origin: OriginId) -> bool:
        """Whether it is this worker's own, or one whose lease it has."""
        return origin == self.own or (origin in self._origins and self.are_sure)

    def hear_of(self, origin: OriginId) -> None:
        """Remember an origin to which replies are owed: if it has no lease, it gets one that can run out."""
        if len(self._heard_of) < _KNOWN:
            self._heard_of.add(origin)

    async def hold(self) -> Held:
        """Hold what there is, and take what has run out."""
        before = self._held()
        asked = self._clock.now()
        holding = await self._ask()
        if holding is not None:
            self._origins, self._until = holding.origins, asked + round(self.seconds * _SECOND)
        held = self._held()
        if holding is None:
            return Held(held - before, before - held, workers=self._workers)
        self._workers = holding.alive
        return Held(held - before, before - held, was_away=holding.was_away, workers=holding.alive)

    def _held(self) -> frozenset[OriginId]:
        return self._origins | {self.own} if self.are_sure else frozenset((self.own,))

    async def _ask(self) -> Holding | None:
        """Ask the first tier that answers. What was held on another one before is held on this one too."""
        others = sorted((self._heard_of | self._origins) - {self.own})
        for tier in self._lineup.tiers:
            if not tier.serves:
                continue
            try:
                return await tier.hold(self.own, others, self.seconds)
            except (NotExecuted, Ambiguous) as error:
                logger.info("leases are not held on %s: %s", tier.name, error)
        return None


class Debtors:
    """Threads in which something is owed for what other workers wrote. Bounded: the oldest are forgotten."""

    def __init__(self, leases: TierLeases) -> None:
        """Begin with none; what this worker answers for is nobody else's."""
        self._leases = leases
        self._threads: OrderedDict[ThreadId, frozenset[OriginId]] = OrderedDict()

    def __contains__(self, thread_id: ThreadId) -> bool:
        origins = self._threads.get(thread_id)
        return origins is not None and not all(map(self._leases.answers_for, origins))

    def tell(self, thread_id: ThreadId, origins: Iterable[OriginId]) -> None:
        """A thread is owed replies for the events of just these origins."""
        found = frozenset(origins) - {self._leases.own}
        if not found:
            self._threads.pop(thread_id, None)
            return
        for origin in found:
            self._leases.hear_of(origin)
        self._threads[thread_id] = found
        self._threads.move_to_end(thread_id)
        if len(self._threads) > _REMEMBERED:
            self._threads.popitem(last=False)

"""Repair: what a tier and the journal hold is compared hour by hour, and each is given what it lacks."""

import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence

from holdfast.domain.ids import EventId
from holdfast.infrastructure.log.envelope import Record
from holdfast.infrastructure.log.stores import JournalStore
from holdfast.infrastructure.tiers.flights import Flights
from holdfast.infrastructure.tiers.learning import Learning
from holdfast.infrastructure.tiers.store import HOUR, Table
from holdfast.infrastructure.tiers.tier import Tier

logger = logging.getLogger("holdfast.tiers")
_BATCH = 1000
_PIECE = HOUR // 12
"""Microseconds whose records are compared one by one at a time; under live traffic the last always are."""
_TABLES: tuple[Table, ...] = ("events", "deliveries")
Push = Callable[[Sequence[Record], Sequence[Record]], Awaitable[None]]


class Repair:
    """Finds what cursors can't: a tier that came back with old data, a row that was lost or changed."""

    def __init__(self, tier: Tier, journal: JournalStore, *, learning: Learning, flights: Flights, push: Push) -> None:
        """Compare this tier with this journal; `push` gives the tier records, and lets its rows follow."""
        self._push = push
        self._tier = tier
        self._journal = journal
        self._learning = learning
        self._flights = flights

    async def all(self) -> None:
        """Compare all there is. NotExecuted, Ambiguous, LogUnavailable."""
        await self.since(0)

    async def since(self, hour: int) -> None:
        """Compare what was received in an hour (since 1970) and after: events first, deliveries answer them."""
        for of in _TABLES:
            here, there = await self._journal.digest(of, hour), await self._tier.digest(of, hour)
            for one in sorted(hour for hour in here.keys() | there.keys() if here.get(hour) != there.get(hour)):
                await self._hour(of, one)

    async def _hour(self, of: Table, hour: int) -> None:
        """Compare an hour piece by piece: what lies in memory is bounded, also when much is said in an hour."""
        for since in range(hour * HOUR, (hour + 1) * HOUR, _PIECE):
            await self._between(of, since, since + _PIECE)

    async def _between(self, of: Table, since: int, until: int) -> None:
        with self._flights.watched() as unsure:
            here = await self._journal.hashes(of, since, until)
        there = await self._tier.hashes(of, since, until)
        twins = {event_id for event_id in here.keys() & there.keys() if here[event_id] != there[event_id]}
        await self._give(of, [one for one in here if one not in unsure and (one not in there or one in twins)])
        await self._take(of, [one for one in there if one not in here or one in twins])

    async def _give(self, of: Table, event_ids: list[EventId]) -> None:
        if event_ids:
            logger.info("%s lacked %d %s", self._tier.name, len(event_ids), of)
        for some in _batches(event_ids):
            records = await self._journal.records(of, some)
            await self._push(*((records, ()) if of == "events" else ((), records)))

    async def _take(self, of: Table, event_ids: list[EventId]) -> None:
        for some in _batches(event_ids):
            records = await self._tier.records(of, some)
            await self._learning.learn(*((records, ()) if of == "events" else ((), records)))


def _batches(event_ids: Sequence[EventId]) -> Iterator[Sequence[EventId]]:
    return (event_ids[at : at + _BATCH] for at in range(0, len(event_ids), _BATCH))

"""Settling: the heads and rows of what a tier was given follow, where it knows just what is known here."""

import logging
from collections.abc import Iterable, Sequence

from holdfast.domain.errors import RowRefused
from holdfast.domain.ids import ThreadId
from holdfast.infrastructure.log.envelope import Record
from holdfast.infrastructure.log.stores import JournalStore
from holdfast.infrastructure.tiers.store import Settlement
from holdfast.infrastructure.tiers.tier import Tier

logger = logging.getLogger("holdfast.tiers")
_AT_ONCE = 200
"""Threads in one transaction: the event loop stands still while they are put together."""
_TOUCHED = 2000
"""Threads that may wait while a tier is given more: one that gets a little with each batch is settled once."""
_UNSETTLED = 10_000
_PAGE = 1000
_FIRST = ThreadId(bytes(16))


class Settling:
    """Remembers which threads a tier was given something of; the tier knows it too, should this worker die."""

    def __init__(self, tier: Tier, journal: JournalStore) -> None:
        """Let this tier follow this journal."""
        self._tier = tier
        self._journal = journal
        self._touched: dict[ThreadId, None] = {}
        self._behind: dict[ThreadId, None] = {}
        self._left = _FIRST

    @property
    def behind(self) -> bool:
        """Whether there are threads that could not follow yet."""
        return bool(self._behind)

    async def push(self, events: Sequence[Record], deliveries: Sequence[Record]) -> None:
        """Give records; their threads follow when they are many, or with `follow`. NotExecuted, Ambiguous."""
        if events or deliveries:
            self._touched.update(dict.fromkeys(await self._tier.push(events, deliveries)))
        if len(self._touched) >= _TOUCHED:
            await self._follow(list(self._touched))

    async def follow(self) -> None:
        """Let every thread follow that was given something, and those that could not before."""
        await self._follow(list(self._behind | self._touched))

    async def left(self) -> None:
        """Settle what is known here of the next threads whose events somebody brought, and then was no more."""
        left = await self._tier.unsettled(self._left, _PAGE)
        self._left = left[-1] if len(left) == _PAGE else _FIRST
        await self._follow(left)

    async def _follow(self, threads: Sequence[ThreadId]) -> None:
        for at in range(0, len(threads), _AT_ONCE):
            some = threads[at : at + _AT_ONCE]
            followed = await self._settle(await self._journal.settlements(some, self._tier.cursor))
            for one in some:
                self._touched.pop(one, None)
                self._behind.pop(one, None)
            self._remember(one for one in some if one not in followed)

    def _remember(self, threads: Iterable[ThreadId]) -> None:
        """Try these again; of too many the oldest are left to what the tier itself knows."""
        self._behind.update(dict.fromkeys(threads))
        for one in list(self._behind)[:-_UNSETTLED]:
            del self._behind[one]

    async def _settle(self, settlements: Sequence[Settlement]) -> set[ThreadId]:
        """Settle what can be; a row that a tier refuses keeps only its own thread from it."""
        if not settlements:
            return set()
        try:
            done = await self._tier.settle(settlements)
        except RowRefused as error:
            if len(settlements) == 1:
                logger.error("%s refuses the rows of a thread: %s", self._tier.name, error)
                return {settlements[0].thread_id}
            return set().union(*[await self._settle([one]) for one in settlements])
        return {one.thread_id for one, was in zip(settlements, done, strict=True) if was}

"""The keeper of one tier: it probes it, gives it what it lacks, and lets it serve when it has all."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from itertools import takewhile

from msgspec.structs import replace

from holdfast.domain.errors import HoldfastError, NotExecuted, RowRefused
from holdfast.domain.ids import EventId, ThreadId
from holdfast.domain.ports import Clock
from holdfast.infrastructure.log.envelope import Record
from holdfast.infrastructure.log.group_commit import GroupCommit
from holdfast.infrastructure.log.stores import Cursor, CursorWrite, JournalStore, Write
from holdfast.infrastructure.tiers.breaker import Standing
from holdfast.infrastructure.tiers.flights import Flights
from holdfast.infrastructure.tiers.store import Settlement
from holdfast.infrastructure.tiers.tier import Tier

logger = logging.getLogger("holdfast.tiers")
_BATCH = 1000
_PROBE, _OPEN = 0.25, 3.0
"""Seconds a probe and a fresh connection may take."""
_GATHER = 0.03
"""Seconds in which what comes is gathered before it is given to a tier that serves."""
_AWAKE = 120.0
"""Seconds after which a silent tier is probed all the same: free plans fall asleep."""
_JITTER = 0.5
_SAVE_EVERY = 1_000_000
_SETTLED = 1.0
"""Seconds without news after which it is saved how far the tier was given the journal: operators read that."""
_UNSETTLED = 10_000
_SECOND = 1_000_000


class Keeper:
    """Runs for as long as the log is open. `flights` are the events whose append has not come to its end."""

    def __init__(  # noqa: PLR0913 - what a keeper is wired to
        self,
        tier: Tier,
        journal: JournalStore,
        commits: GroupCommit[Write, None],
        *,
        clock: Clock,
        chance: Callable[[], float],
        flights: Flights,
    ) -> None:
        """Keep this tier beside this journal; `chance` gives a number from 0 to 1."""
        self.tier = tier
        self._journal = journal
        self._commits = commits
        self._clock = clock
        self._chance = chance
        self._flights = flights
        self._unsettled: dict[ThreadId, None] = {}
        self._tier_id = ""
        self._saved = Cursor()
        self._saved_at = 0

    async def open(self, bot_id: int) -> None:
        """Connect, and go on where this tier was left; OtherBot and the like; NotExecuted when it is out of reach."""
        facts = await self.tier.open(bot_id, _OPEN)
        known = self._tier_id == facts.tier_id
        cursor = self.tier.cursor if known else (await self._journal.cursors()).get(facts.tier_id, Cursor())
        self._tier_id = facts.tier_id
        if facts.canary < cursor.canary or await self._has_lost(cursor):
            logger.warning("%s has come back with old data: it is given everything anew", self.tier.name)
            cursor = Cursor()
        self.tier.cursor = replace(cursor, canary=facts.canary)
        self.tier.whole.clear()

    async def _has_lost(self, cursor: Cursor) -> bool:
        """Whether the last event or delivery it was given is gone: a tier that went back in time lost those first."""
        last = await self._journal.tail(Cursor(cursor.events - 1, cursor.deliveries - 1), 1)
        events = [one for at, one in last.events if at == cursor.events]
        deliveries = [one for at, one in last.deliveries if at == cursor.deliveries]
        for one in (*events, *deliveries):
            there = await self.tier.remembered(one.thread_id)
            if one.event_id not in there:
                return True
        return False

    async def run(self, bot_id: int) -> None:
        """Keep the tier until cancelled."""
        while True:
            try:
                await self._step(bot_id)
            except HoldfastError as error:
                self.tier.failed(error)
            except Exception as error:
                logger.exception("keeping %s failed; it is tried again", self.tier.name)
                self.tier.failed(error)

    async def _step(self, bot_id: int) -> None:
        match self.tier.breaker.standing:
            case Standing.BROKEN:
                await self._clock.sleep(self.tier.breaker.pause)
                await self._prove(bot_id)
            case Standing.CATCHING_UP:
                if await self.give() < _BATCH:
                    await self._clock.sleep(self._chance() * _JITTER)
                    await self._serve()
            case Standing.SERVING:
                await self._wait()
                await self._give_most()

    async def _prove(self, bot_id: int) -> None:
        """Connect anew first: only a tier that is still the one it was may prove more."""
        if self.tier.breaker.proofs == 0:
            await self.open(bot_id)
        else:
            self._compare(await self.tier.probe(_PROBE))
        self.tier.breaker.prove(self._clock.now())

    def _compare(self, canary: int) -> None:
        if canary <= self.tier.cursor.canary:
            raise NotExecuted(f"{self.tier.name} shows older data than before")
        self.tier.cursor = replace(self.tier.cursor, canary=canary)

    async def _serve(self) -> None:
        """Let turns reach the tier. What came during the pause is given first, and there is no end to what comes.

        Of what comes after that, a turn brings the past of its own thread.
        """
        await self._give_most()
        self.tier.breaker.serve(self._clock.now())
        logger.info("%s serves", self.tier.name)

    async def _wait(self) -> None:
        """Wait for news, and gather for a moment; a silent tier is probed, and before that what it has is saved."""
        unsaved = self._saved != self.tier.cursor
        try:
            async with asyncio.timeout(_SETTLED if unsaved else _AWAKE):
                await self.tier.news.wait()
        except TimeoutError:
            if unsaved:
                return await self.save()
            self._compare(await self.tier.probe(_PROBE))
        else:
            await self._clock.sleep(_GATHER)
        self.tier.news.clear()
        return None

    async def _give_most(self) -> None:
        """Give until little is left. Threads that moved on meanwhile are settled when some more was gathered."""
        while (given := await self.give()) >= _BATCH:
            pass
        if given and self._unsettled:
            self.tier.news.set()

    async def give(self) -> int:
        """Give the tier the next of what it lacks; say how much that was. NotExecuted, Ambiguous."""
        begun = self._clock.now()
        with self._flights.watched() as unsure:
            tail = await self._journal.tail(self.tier.cursor, _BATCH)
        settled = _settled(tail.events, unsure)
        events = [one for _, one in settled if one.event_id not in self.tier.whole]
        deliveries = [one for _, one in tail.deliveries]
        await self._push(events, deliveries)
        self.tier.cursor = Cursor(
            events=settled[-1][0] if settled else self.tier.cursor.events,
            deliveries=tail.deliveries[-1][0] if tail.deliveries else self.tier.cursor.deliveries,
            canary=self.tier.cursor.canary,
        )
        self.tier.whole.difference_update(one.event_id for _, one in settled)
        await self._save(begun)
        if len(events) + len(deliveries) >= _BATCH and self._flights:
            await self._clock.sleep((self._clock.now() - begun) / _SECOND)  # people's turns come first
        return len(settled) + len(deliveries)

    async def _push(self, events: Sequence[Record], deliveries: Sequence[Record]) -> None:
        """Give, then let the touched threads' heads and rows follow where the tier knows just what is known here."""
        touched = await self.tier.push(events, deliveries) if events or deliveries else {}
        threads = list(dict.fromkeys([*self._unsettled, *touched]))
        if not threads:
            return
        followed = await self._settle(await self._journal.settlements(threads))
        self._unsettled = dict.fromkeys([one for one in threads if one not in followed][-_UNSETTLED:])

    async def _settle(self, settlements: Sequence[Settlement]) -> set[ThreadId]:
        """Settle what can be; a row that a tier refuses keeps only its own thread from it."""
        if not settlements:
            return set()
        try:
            done = await self.tier.settle(settlements)
        except RowRefused as error:
            if len(settlements) == 1:
                logger.error("%s refuses the rows of a thread: %s", self.tier.name, error)
                return {settlements[0].thread_id}
            return set().union(*[await self._settle([one]) for one in settlements])
        return {one.thread_id for one, was in zip(settlements, done, strict=True) if was}

    async def _save(self, now: int) -> None:
        if self._saved != self.tier.cursor and now - self._saved_at >= _SAVE_EVERY:
            await self.save()

    async def save(self) -> None:
        """Remember how far the tier has been given the journal."""
        if self._tier_id and self._saved != self.tier.cursor:
            self._saved, self._saved_at = self.tier.cursor, self._clock.now()
            await self._commits.write(CursorWrite(self._tier_id, self._saved))


def _settled(events: Sequence[tuple[int, Record]], unsure: AbstractSet[EventId]) -> list[tuple[int, Record]]:
    """Take what comes before the first event that may have been taken back since it was read, or may still be."""
    return list(takewhile(lambda placed: placed[1].event_id not in unsure, events))

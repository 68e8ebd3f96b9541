"""The keeper of one tier: it probes it, gives it what it lacks, and lets it serve when it has all."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from itertools import takewhile

from msgspec.structs import replace

from holdfast.domain.errors import Ambiguous, HoldfastError, LogUnavailable, NotExecuted
from holdfast.domain.ids import EventId, OriginId
from holdfast.domain.ports import Clock
from holdfast.infrastructure.log.envelope import Record
from holdfast.infrastructure.log.group_commit import GroupCommit
from holdfast.infrastructure.log.stores import Cursor, CursorWrite, JournalStore, Tail, Write
from holdfast.infrastructure.tiers.breaker import Standing
from holdfast.infrastructure.tiers.flights import Flights
from holdfast.infrastructure.tiers.learning import Learning
from holdfast.infrastructure.tiers.repair import Repair
from holdfast.infrastructure.tiers.settling import Settling
from holdfast.infrastructure.tiers.store import HOUR, Place
from holdfast.infrastructure.tiers.tier import Tier

logger = logging.getLogger("holdfast.tiers")
_BATCH, _SMALL = 1000, 200
"""Records that are given at once, and while people write: the event loop stands still while they are put together."""
_IN_A_ROW = 10
_PROBE, _OPEN = 0.25, 3.0
"""Seconds a probe and a fresh connection may take."""
_GATHER = 0.03
"""Seconds in which what comes is gathered before it is given to a tier that serves."""
LOOK_EVERY = 1.0
"""Seconds after which a tier is asked what others brought there, and it is saved how far both sides are."""
_AWAKE = 120 * 1_000_000
"""Microseconds after which a silent tier is probed all the same: free plans fall asleep."""
_JITTER = 0.5
_SAVE_EVERY = 1_000_000
_JOURNAL_REST = 5.0
"""Seconds until the journal is asked again when it can't be read or written."""
_LEFT_EVERY = 5_000_000
"""Microseconds after which a tier is asked which of its threads nobody has settled."""
_SECOND = 1_000_000
_OFTEN = 600 * _SECOND
HELD_BACK = 60 * _SECOND
"""After so long without its tail a tier is compared as often as this, until the tail can be read on."""
_WHOLE = 100_000
"""Events of which it is remembered that a tier has them, ahead of what it was given."""
_DAY = 24 * HOUR


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
        learning: Learning,
        key: str,
    ) -> None:
        """Keep this tier beside this journal; `chance` gives a number from 0 to 1."""
        self.tier = tier
        self._journal = journal
        self._commits = commits
        self._clock = clock
        self._chance = chance
        self._flights = flights
        self._learning = learning
        self._key = key
        self._generation = 0
        self._settling = Settling(tier, journal)
        self._size = _BATCH
        self._early: list[Record] = []
        self._tier_id = ""
        self._origin = OriginId(b"")
        self._probed_at = clock.now()
        self._compared_at = self._repaired_at = self._settled_at = 0
        self._repair = Repair(tier, journal, learning=learning, flights=flights, push=self._settling.push)
        self._saved = Cursor()
        self._saved_at = 0

    async def open(self, bot_id: int, origin: OriginId) -> None:
        """Connect, and go on where this tier was left; OtherBot and the like; NotExecuted when it is out of reach."""
        facts = await self.tier.open(bot_id, self._key, _OPEN)
        known = self._tier_id == facts.tier_id
        cursor = self.tier.cursor if known else (await self._journal.cursors()).get(facts.tier_id, Cursor())
        self._tier_id, self._origin = facts.tier_id, origin
        if facts.canary < cursor.canary:
            # Its transactions are numbered anew from where the copy was taken: the tail is read from its beginning.
            logger.warning("%s has come back with old data: it is compared with the journal", self.tier.name)
            cursor = replace(cursor, place=Place())
        self.tier.cursor = replace(cursor, canary=facts.canary)
        self.tier.whole.clear()
        self._compared_at = self._settled_at = 0

    def suspect(self) -> None:
        """Compare the last day at the next look: the tier may hold what this journal failed to."""
        self._repaired_at = 0

    async def run(self, bot_id: int, origin: OriginId) -> None:
        """Keep the tier until cancelled."""
        while True:
            try:
                await self._step(bot_id, origin)
            except HoldfastError as error:
                await self._blame(error)
            except Exception as error:
                logger.exception("keeping %s failed; it is tried again", self.tier.name)
                self.tier.failed(error)

    async def _blame(self, error: HoldfastError) -> None:
        """Take the tier out of service, unless it is the journal that failed: that is no fault of a tier's."""
        if isinstance(error, LogUnavailable) and not isinstance(error, NotExecuted | Ambiguous):
            logger.info("%s waits: %s", self.tier.name, error)
            await self._clock.sleep(_JOURNAL_REST)
        else:
            self.tier.failed(error)

    async def _step(self, bot_id: int, origin: OriginId) -> None:
        match self.tier.breaker.standing:
            case Standing.BROKEN:
                await self._clock.sleep(self.tier.breaker.pause)
                await self._prove(bot_id, origin)
            case Standing.CATCHING_UP:
                await self._exchange()
                await self._repair_when_due()
                await self._settle_what_was_left()
                await self._clock.sleep(self._chance() * _JITTER)
                await self._serve()
            case Standing.SERVING:
                await self._wait()
                await self._exchange()
                await self._repair_when_due()
                await self._settle_what_was_left()

    async def _exchange(self) -> None:
        """Give and take until little is left: there is no end to what comes while people write.

        Threads that moved on meanwhile are settled when some more was gathered.
        """
        while (moved := await self._give_on() + await self.take()) >= _SMALL:
            pass
        await self._settling.follow()
        if moved and self._settling.behind:
            self.tier.news.set()

    async def _prove(self, bot_id: int, origin: OriginId) -> None:
        """Connect anew first: only a tier that is still the one it was may prove more."""
        if self.tier.breaker.proofs == 0:
            await self.open(bot_id, origin)
        else:
            self._compare(await self.tier.probe(_PROBE))
        self.tier.breaker.prove(self._clock.now())

    def _compare(self, canary: int) -> None:
        if canary <= self.tier.cursor.canary:
            raise NotExecuted(f"{self.tier.name} shows older data than before")
        self.tier.cursor = replace(self.tier.cursor, canary=canary)

    async def _serve(self) -> None:
        """Let turns reach the tier. Of what comes after this last exchange, a turn brings the past of its thread."""
        await self._exchange()
        self.tier.breaker.serve(self._clock.now())
        logger.info("%s serves", self.tier.name)

    async def _wait(self) -> None:
        """Wait for news, and gather for a moment; look all the same after a while, and probe a silent tier."""
        try:
            async with asyncio.timeout(LOOK_EVERY):
                await self.tier.news.wait()
        except TimeoutError:
            if self._clock.now() - self._probed_at > _AWAKE:
                self._probed_at = self._clock.now()
                self._compare(await self.tier.probe(_PROBE))
        else:
            await self._clock.sleep(_GATHER)
        self.tier.news.clear()

    async def _give_on(self) -> int:
        """Give a few times in a row: to look each time what others brought would take as long again."""
        given = 0
        for _ in range(_IN_A_ROW):
            given += (last := await self.give())
            if last < _SMALL:
                break
        return given

    async def give(self) -> int:
        """Give the tier the next of what it lacks; say how much that was. NotExecuted, Ambiguous."""
        begun, size = self._clock.now(), self._size
        with self._flights.watched() as unsure:
            tail = await self._journal.tail(self.tier.cursor, size)
            settled = _settled(tail.events, unsure)
            events = [one for _, one in settled if one.event_id not in self.tier.whole]
            met = _behind_their_events(tail, len(settled), size)
            await self._settling.push(events, [one for _, one in met])
            self._size = _SMALL if unsure else _BATCH
        self.tier.cursor = replace(
            self.tier.cursor,
            events=settled[-1][0] if settled else self.tier.cursor.events,
            deliveries=met[-1][0] if met else self.tier.cursor.deliveries,
        )
        self.tier.whole.difference_update(one.event_id for _, one in settled)
        await self._save(begun)
        moved = len(settled) + len(met)
        if moved >= size and self._size == _SMALL:
            await self._clock.sleep((self._clock.now() - begun) / _SECOND)  # people's turns come first
        return moved

    async def take(self) -> int:
        """Take the next of what others brought to the tier; say how much that was. NotExecuted, LogUnavailable."""
        pulled = await self.tier.pull(self._origin, _BATCH)
        self._hold(held_back=pulled.held_back)
        self.tier.whole.update(one.event_id for one in pulled.events)
        if len(self.tier.whole) > _WHOLE:
            self.tier.whole.clear()  # they are given again, and found to be there
        early = await self._learning.learn(pulled.events, (*self._early, *pulled.deliveries))
        self._early = early[-_BATCH:]
        self.tier.cursor = replace(self.tier.cursor, place=pulled.place)
        await self._save(self._clock.now())
        return len(pulled.events) + len(pulled.deliveries)

    async def _repair_when_due(self) -> None:
        """Compare everything when a tier has come back and once a day, and the last day every ten minutes."""
        now = self._clock.now()
        if self.tier.generation != self._generation:
            # Whoever answers on a new connection may be a server that was restored from a copy in the meantime.
            self._generation, self._compared_at = self.tier.generation, 0
        if now - self._compared_at >= _DAY:
            await self._repair.all()
            self._compared_at = self._repaired_at = now
        elif now - self._repaired_at >= (HELD_BACK if self._is_held_back(now) else _OFTEN):
            await self._repair.since((now - _DAY) // HOUR)
            self._repaired_at = now
        await self._settling.follow()

    def _hold(self, *, held_back: bool) -> None:
        """Remember since when the tier's tail can't be read on."""
        if not held_back:
            self.tier.held_since = None
        elif self.tier.held_since is None:
            self.tier.held_since = self._clock.now()
            logger.info("%s: a transaction that is open on the server holds its tail back", self.tier.name)

    def _is_held_back(self, now: int) -> bool:
        return self.tier.held_since is not None and now - self.tier.held_since >= HELD_BACK

    async def _settle_what_was_left(self) -> None:
        now = self._clock.now()
        if not 0 <= now - self._settled_at < _LEFT_EVERY:  # also when the clock was set back
            self._settled_at = now
            await self._settling.left()

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


def _behind_their_events(tail: Tail, given: int, at_most: int) -> list[tuple[int, Record]]:
    """Take the deliveries that come before the first whose event is not among those that are given now, or were.

    Where there are more events than were read, the deliveries wait until all events are there.
    """
    if len(tail.events) >= at_most:
        return []
    left = {one.event_id for _, one in tail.events[given:]}
    return list(takewhile(lambda placed: placed[1].parents not in left, tail.deliveries))

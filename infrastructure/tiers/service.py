"""The tiers at work beside one journal: every turn goes to both at once, and both must be done before its reply."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from holdfast.domain.errors import Conflict, HoldfastError, KeyMissing, LogUnavailable, NoTier, OtherBot, RowRefused
from holdfast.domain.ids import EventId, OriginId, ThreadId
from holdfast.domain.kinds import TIMERS
from holdfast.domain.ports import Clock
from holdfast.infrastructure.log.envelope import Record
from holdfast.infrastructure.log.group_commit import GroupCommit
from holdfast.infrastructure.log.keys import NO_KEY
from holdfast.infrastructure.log.stores import AppendWrite, JournalStore, Write
from holdfast.infrastructure.log.union import Refolding
from holdfast.infrastructure.tiers.breaker import Standing
from holdfast.infrastructure.tiers.flights import Flights
from holdfast.infrastructure.tiers.keeper import Keeper
from holdfast.infrastructure.tiers.learning import Learning
from holdfast.infrastructure.tiers.leases import LEASE, Debtors, TierLeases
from holdfast.infrastructure.tiers.lineup import Lineup
from holdfast.infrastructure.tiers.store import TierStore
from holdfast.infrastructure.tiers.tier import Tier

logger = logging.getLogger("holdfast.tiers")
T = TypeVar("T")
COPIES_WITHOUT_A_JOURNAL = 2
_START = 5.0
"""Seconds to give the tiers what a crash left behind, before replies go out."""
_END = 1.0
"""Seconds to give a tier what was written last, before the end."""
_SECOND = 1_000_000


class TierService:
    """Appends to tiers and journal together, and owns the tiers' keepers. Open it after the journal."""

    def __init__(  # noqa: PLR0913 - what the service is wired to
        self,
        stores: Sequence[TierStore],
        journal: JournalStore,
        commits: GroupCommit[Write, None],
        *,
        refolding: Refolding,
        clock: Clock,
        chance: Callable[[], float],
        key: str = NO_KEY,
        copies: int = 1,
        lease: float = LEASE,
        lasting: bool = True,
    ) -> None:
        """Use these tiers in this order, and call a turn safe with so many copies on them; leases last so long.

        `lasting`: the journal is still there when the process is not. Where it isn't, nothing is acknowledged that
        does not stand on two tiers, and nothing is begun unless two answer.
        """
        self._needed = 0 if lasting else COPIES_WITHOUT_A_JOURNAL
        copies = max(copies, self._needed)
        self._commits = commits
        self._clock = clock
        self._copies = min(copies, len(stores))
        self._flights = Flights()
        self.lineup = Lineup([Tier(store, clock) for store in stores], journal, self._copies)
        self.leases = TierLeases(self.lineup, clock, lease)
        self.debtors = Debtors(self.leases)
        self._learning = Learning(
            journal, commits, refolding=refolding, flights=self._flights, clock=clock, debtors=self.debtors
        )
        self.keepers = [
            Keeper(
                tier,
                journal,
                commits,
                clock=clock,
                chance=chance,
                flights=self._flights,
                learning=self._learning,
                key=key,
            )
            for tier in self.lineup.tiers
        ]
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self, bot_id: int, origin: OriginId) -> None:
        """Connect to all; OtherBot, KeyMissing when one is another bot's or has words under another key.

        One that can't be reached is named, and tried again.
        """
        self.leases.own = origin
        tried = await asyncio.gather(*(keeper.open(bot_id, origin) for keeper in self.keepers), return_exceptions=True)
        for keeper, error in zip(self.keepers, tried, strict=True):
            if isinstance(error, OtherBot | KeyMissing):
                raise error
            if isinstance(error, Exception):
                logger.warning("%s can't be used yet: %s", keeper.tier.name, error)
                keeper.tier.breaker.reason = str(error)
                keeper.tier.failed(error)
            elif isinstance(error, BaseException):
                raise error
            else:
                keeper.tier.breaker.trust(self._clock.now())
        self._tasks = [asyncio.create_task(keeper.run(bot_id, origin), name="tier keeper") for keeper in self.keepers]
        await self._until_they_serve()

    async def _until_they_serve(self) -> None:
        """What a crash left on the journal alone is on the tiers before anybody is answered, if they can be had."""
        until = self._clock.now() + _START * _SECOND
        while any(tier.breaker.standing is Standing.CATCHING_UP for tier in self.lineup.tiers):
            if self._clock.now() > until:
                break
            await self._clock.sleep(0.02)
        if self.lineup.first is None:
            logger.warning("no tier can be used yet: everything is kept in the journal until then")

    async def close(self) -> None:
        """Stop the keepers, give what was written last, remember how far they got, let go of the tiers.

        The journal must still be open.
        """
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(_give_the_rest(keeper) for keeper in self.keepers if keeper.tier.serves))
        for keeper in self.keepers:
            try:
                await keeper.save()
            except LogUnavailable as error:
                logger.warning("%s is given some of the journal again next time: %s", keeper.tier.name, error)
            await keeper.tier.close()

    def in_flight(self, event_id: EventId) -> bool:
        """Whether an event may still be taken back."""
        return event_id in self._flights

    def wake(self) -> None:
        """Something new stands in the journal."""
        for keeper in self.keepers:
            keeper.tier.news.set()

    async def append(self, write: AppendWrite) -> bool:
        """Make a turn durable on the journal and on as many tiers as asked; say whether the tiers all have it.

        Conflict, RowRefused: it counts nowhere. LogUnavailable: the journal can't keep it, so it must come again.
        NoTier: it is a timer, which the journal alone may not know; or the journal does not last, and too few tiers
        serve or have it. It may stand on one of them then, and has to come again.
        """
        self._demand(self.lineup.serving())
        self._learning.check(write)
        event_id, thread_id = write.record.event_id, write.record.thread_id
        self._flights.begin(event_id, thread_id)
        try:
            return await (self._after_a_tier(write) if write.record.kind in TIMERS else self._at_once(write))
        except NoTier:
            if self._needed:
                # It may stand all the same, on too few tiers for now; a timer or a fact never comes again by itself.
                self._learning.news.set()
            raise
        finally:
            self._flights.end(event_id, thread_id)
            self.wake()

    async def _at_once(self, write: AppendWrite) -> bool:
        kept = self._commits.begin(write)
        try:
            held = await _outcome(self.lineup.append(write))
            return await self._settle(write, await _outcome(kept), held)
        finally:
            kept.cancel()  # nobody hears of it any more when this was broken off

    async def _after_a_tier(self, write: AppendWrite) -> bool:
        held = await self.lineup.append(write)
        if not held:
            self._suspect()
            raise NoTier
        try:
            await self._commits.write(write)
        except LogUnavailable:
            self._suspect()
            raise
        return self._kept(held)

    def _suspect(self) -> None:
        """Compare soon: what a tier took all the same is this worker's own, and so not in the tail it reads."""
        for keeper in self.keepers:
            keeper.suspect()

    def _kept(self, held: int) -> bool:
        self._demand(held)
        return held >= self._copies

    def _demand(self, tiers: int) -> None:
        """NoTier when so few tiers are not enough to acknowledge anything."""
        if tiers < self._needed:
            raise NoTier(f"no journal lasts here, and {tiers} of the {self._needed} tiers needed can be had")

    async def _settle(self, write: AppendWrite, kept: Exception | None, held: int | Exception) -> bool:
        if isinstance(kept, Exception):
            self._suspect()
            raise kept
        if isinstance(held, Conflict | RowRefused):
            await self._learning.take_back(write)
        if isinstance(held, Exception):
            raise held
        return self._kept(held)

    async def catch_up(self, thread_id: ThreadId) -> None:
        """Bring what a tier knows of a thread, and this journal doesn't, into the journal. LogUnavailable."""
        await self._learning.done(thread_id)
        found = await self.lineup.news(thread_id, max(1, self._needed))
        self._demand(found.answered)
        for events, deliveries in found.known:
            await self._learning.learn_thread(thread_id, events, deliveries)
            self.wake()

    async def learned(self) -> None:
        """Wait until something was learned since this was asked last."""
        await self._learning.news.wait()
        self._learning.news.clear()

    async def seen(self, at: int) -> int:
        """Say on every tier that serves that this worker was there; give the latest that any said before. NoTier."""
        serving = [tier for tier in self.lineup.tiers if tier.serves]
        told = await asyncio.gather(*(tier.seen(at) for tier in serving), return_exceptions=True)
        before = [one for one in told if isinstance(one, int)]
        if not before:
            raise NoTier
        return max(before)

    def forked(self) -> frozenset[ThreadId]:
        """Name the threads in which something was learned that a fork left untold, since this was asked last."""
        found = frozenset(self._learning.forked)
        self._learning.forked.clear()
        return found

    async def secure(self, thread_id: ThreadId) -> bool:
        """Restore the promise for what the journal holds of a thread: on a tier too; say whether one answered.

        NoTier: the journal does not last, and too few answered.
        """
        held = await self.lineup.secure(thread_id, self._flights, max(1, self._needed))
        self._demand(held)
        return held > 0

    async def share(self, delivery: Record) -> None:
        """Bring the fate of a reply to the tiers: soon, or at once where the journal does not last."""
        if self._needed:
            await self.lineup.share(delivery, self._needed)
        self.wake()


async def _give_the_rest(keeper: Keeper) -> None:
    """Leave a tier that serves without a lag, as far as that goes in a moment; the rest is given at the next start."""
    try:
        async with asyncio.timeout(_END):
            while await keeper.give():
                pass
    except (HoldfastError, TimeoutError) as error:
        logger.info("%s is given the rest at the next start: %s", keeper.tier.name, type(error).__name__)


async def _outcome(work: Awaitable[T]) -> T | Exception:
    """Wait for one half of an append; the other half goes on whatever becomes of it."""
    try:
        return await work
    except (LogUnavailable, Conflict, RowRefused) as error:
        return error

"""One tier in service: its store behind a breaker, its patience, and turns gathered into batches."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from msgspec import Struct

from holdfast.domain.errors import Ambiguous, NotExecuted
from holdfast.domain.ids import EventId, OriginId, ThreadId
from holdfast.domain.ports import Clock
from holdfast.infrastructure.log.envelope import Record
from holdfast.infrastructure.log.group_commit import GroupCommit
from holdfast.infrastructure.log.stores import AppendWrite, Cursor
from holdfast.infrastructure.tiers.breaker import Breaker
from holdfast.infrastructure.tiers.patience import Patience
from holdfast.infrastructure.tiers.store import (
    Appended,
    Digest,
    Holding,
    Mark,
    Pulled,
    Settlement,
    Stale,
    Table,
    TierFacts,
    TierStore,
    TierTurn,
    Verdict,
    lane_of,
)

logger = logging.getLogger("holdfast.tiers")
T = TypeVar("T")
_MARKS = 10_000
_UNHURRIED = 10.0
"""Seconds for what no person waits for."""
_PROMPT = 3.0
"""Seconds for what must be done again soon."""
_PATIENT = 60.0
"""Seconds for a look at all that is there."""


class _Queued(Struct, frozen=True, gc=False):
    turn: TierTurn
    until: float


class Tier:
    """Where this worker stands with one tier. `cursor` is how far the tier has been given the journal."""

    def __init__(self, store: TierStore, clock: Clock) -> None:
        """Begin out of service: a tier serves once it has proved itself."""
        self._store = store
        self._clock = clock
        self._marks: OrderedDict[ThreadId, Mark] = OrderedDict()
        self._lanes: list[GroupCommit[_Queued, Verdict]] = [GroupCommit(self._append) for _ in range(store.lanes)]
        self.news = asyncio.Event()
        """Set when its keeper has something to do: the journal went on, or the tier failed somebody."""
        self.breaker = Breaker(since=clock.now())
        self.patience = Patience()
        self.cursor = Cursor()
        self.facts: TierFacts | None = None
        self.held_since: int | None = None
        """Since when its tail can't be read on, for a transaction that is open on the server."""
        self.whole: set[EventId] = set()
        """Events behind the cursor that stand on the tier with their rows: they need not be given to it again."""

    @property
    def name(self) -> str:
        """The tier's name."""
        return self._store.name

    @property
    def serves(self) -> bool:
        """Whether people's turns may go to it."""
        return self.breaker.serves

    @property
    def waiting(self) -> int:
        """How many turns wait for their batch."""
        return sum(map(len, self._lanes))

    def mark(self, thread_id: ThreadId) -> Mark | None:
        """Give where a thread was last seen to stand."""
        return self._marks.get(thread_id)

    def _remember(self, thread_id: ThreadId, mark: Mark) -> Mark:
        self._marks[thread_id] = mark
        self._marks.move_to_end(thread_id)
        if len(self._marks) > _MARKS:
            self._marks.popitem(last=False)
        return mark

    async def append(self, write: AppendWrite, expected: Mark, until: float) -> Appended | Stale:
        """Write a turn where its thread still stands at a mark; NotExecuted, Ambiguous, RowRefused.

        `until` is when its person has waited long enough, in seconds of the loop's own time.
        """
        record = write.record
        turn = TierTurn(record, expected, write.rows, write.owes_reply, write.head.last_conversation_id)
        lane = self._lanes[lane_of(record.thread_id, len(self._lanes))]
        verdict = await lane.write(_Queued(turn, until))
        if isinstance(verdict, Exception):
            raise verdict
        self._remember(record.thread_id, verdict.mark)
        return verdict

    async def _append(self, batch: Sequence[_Queued]) -> Sequence[Verdict]:
        turns = [queued.turn for queued in batch]
        until = min(queued.until for queued in batch)
        return await self._hurried(until, lambda within: self._store.append(turns, within))

    async def look_up(self, thread_id: ThreadId, until: float) -> Mark:
        """Ask where a thread stands; NotExecuted, Ambiguous."""
        marks = await self._hurried(until, lambda within: self._store.marks([thread_id], within))
        return self._remember(thread_id, marks[0])

    async def thread(self, thread_id: ThreadId, until: float) -> tuple[tuple[Record, ...], tuple[Record, ...]]:
        """Read a whole thread: events and deliveries; NotExecuted, Ambiguous."""
        return await self._hurried(until, lambda within: self._store.thread(thread_id, within))

    async def give(
        self, events: Sequence[Record], until: float, deliveries: Sequence[Record] = ()
    ) -> dict[ThreadId, Mark]:
        """Give events and deliveries while a person waits; NotExecuted, Ambiguous."""
        return self._seen(await self._hurried(until, lambda within: self._store.push(events, deliveries, within)))

    async def push(self, events: Sequence[Record], deliveries: Sequence[Record]) -> dict[ThreadId, Mark]:
        """Give events and deliveries while nobody waits; NotExecuted, Ambiguous."""
        return self._seen(await self._call(_UNHURRIED, lambda within: self._store.push(events, deliveries, within)))

    def _seen(self, marks: dict[ThreadId, Mark]) -> dict[ThreadId, Mark]:
        for thread_id, mark in marks.items():
            self._remember(thread_id, mark)
        return marks

    async def settle(self, settlements: Sequence[Settlement]) -> Sequence[bool]:
        """Write what threads amount to; NotExecuted, Ambiguous."""
        return await self._call(_UNHURRIED, lambda within: self._store.settle(settlements, within))

    async def unsettled(self, after: ThreadId, at_most: int) -> Sequence[ThreadId]:
        """Name the next threads that nobody has settled; NotExecuted."""
        return await self._call(_UNHURRIED, lambda within: self._store.unsettled(after, at_most, within))

    async def open(self, bot_id: int, key: str, within: float) -> TierFacts:
        """Connect and check; OtherBot, KeyMissing and the like, NotExecuted."""
        self._marks.clear()
        self.facts = await self._store.open(bot_id, within)
        await self._store.keep_to_key(key, within)
        return self.facts

    @property
    def generation(self) -> int:
        """A number that grows with each connection made."""
        return self._store.generation

    async def pull(self, but: OriginId, at_most: int) -> Pulled:
        """Read on in the tier's tail, without one origin's own; NotExecuted."""
        return await self._call(_UNHURRIED, lambda within: self._store.pull(self.cursor.place, but, at_most, within))

    async def digest(self, of: Table, since: int) -> Digest:
        """Sum up what the tier received in an hour (since 1970) and after; NotExecuted."""
        return await self._call(_PATIENT, lambda within: self._store.digest(of, since, within))

    async def hashes(self, of: Table, since: int, until: int) -> dict[EventId, bytes]:
        """Read what was received in one hour; NotExecuted."""
        return await self._call(_UNHURRIED, lambda within: self._store.hashes(of, since, until, within))

    async def records(self, of: Table, event_ids: Sequence[EventId]) -> tuple[Record, ...]:
        """Read some events or deliveries; NotExecuted."""
        return await self._call(_UNHURRIED, lambda within: self._store.records(of, event_ids, within))

    async def seen(self, at: int) -> int:
        """Say that this worker was there, and give the latest moment said before; NotExecuted, Ambiguous."""
        return await self._call(_UNHURRIED, lambda within: self._store.seen(at, within))

    async def hold(self, worker: OriginId, others: Sequence[OriginId], seconds: float) -> Holding:
        """Hold a worker's leases; NotExecuted, Ambiguous."""
        return await self._call(_PROMPT, lambda within: self._store.hold(worker, others, seconds, within))

    async def probe(self, within: float) -> int:
        """Write the canary and read it back; NotExecuted, Ambiguous."""
        return await self._store.probe(within)

    async def close(self) -> None:
        """Finish the batches under way and let go."""
        await asyncio.gather(*(lane.close() for lane in self._lanes))
        await self._store.close()

    def failed(self, error: Exception) -> None:
        """Take the tier out of service."""
        self.news.set()
        if self.breaker.fail(str(error), self._clock.now()):
            logger.warning("%s is out of service: %s", self.name, error)

    async def _hurried(self, until: float, ask: Callable[[float], Awaitable[T]]) -> T:
        """Ask within the tier's patience, and no longer than the person may wait; learn how long it took."""
        if not self.serves:
            raise NotExecuted(f"{self.name} is out of service: {self.breaker.reason}")
        now = asyncio.get_running_loop().time
        begun = now()
        left = until - begun
        if left <= 0:
            raise NotExecuted(f"there was no time left to ask {self.name}")
        answer = await self._call(min(self.patience.seconds, left), ask)
        self.patience.learn(now() - begun)
        return answer

    async def _call(self, within: float, ask: Callable[[float], Awaitable[T]]) -> T:
        try:
            return await ask(within)
        except (NotExecuted, Ambiguous) as error:
            self.failed(error)
            raise

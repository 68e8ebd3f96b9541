"""Learning: what a tier knows of a thread comes into the journal, and the thread is folded anew."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from holdfast.domain.errors import Conflict
from holdfast.domain.ids import EventId, ThreadId, as_text
from holdfast.domain.ports import Clock, Quarantined
from holdfast.infrastructure.log.envelope import Record
from holdfast.infrastructure.log.group_commit import GroupCommit
from holdfast.infrastructure.log.stores import (
    AppendWrite,
    JournalStore,
    QuarantineWrite,
    Standing,
    UnionWrite,
    Write,
)
from holdfast.infrastructure.log.union import Refolding
from holdfast.infrastructure.tiers.flights import Flights
from holdfast.infrastructure.tiers.leases import Debtors
from holdfast.infrastructure.tiers.store import Table

logger = logging.getLogger("holdfast.tiers")
_REMEMBERED = 10_000
_TOGETHER = 200
"""Records whose threads are folded together, and written in one commit."""
_Records = Mapping[ThreadId, Sequence[Record]]


class Learning:
    """Folds threads anew, each while no turn of it is in flight; a turn that was decided before is decided again."""

    def __init__(  # noqa: PLR0913 - what it is wired to
        self,
        journal: JournalStore,
        commits: GroupCommit[Write, None],
        *,
        refolding: Refolding,
        flights: Flights,
        clock: Clock,
        debtors: Debtors,
    ) -> None:
        """Learn into this journal."""
        self._debtors = debtors
        self._journal = journal
        self._commits = commits
        self._refolding = refolding
        self._flights = flights
        self._clock = clock
        self._under_way: dict[ThreadId, asyncio.Event] = {}
        self.news = asyncio.Event()
        """Set when something was learned."""
        self.forked: set[ThreadId] = set()
        """Threads in which what was learned leaves something to tell."""
        self._revs: OrderedDict[ThreadId, int] = OrderedDict()

    def check(self, write: AppendWrite) -> None:
        """Conflict when a turn was decided on a thread that is, or has since been, folded anew."""
        thread_id = write.record.thread_id
        if thread_id in self._under_way or write.expected.rev < self._revs.get(thread_id, 0):
            raise Conflict

    async def done(self, thread_id: ThreadId) -> None:
        """Wait until a thread is not being folded anew."""
        while under_way := self._under_way.get(thread_id):
            await under_way.wait()

    async def learn(self, events: Sequence[Record], deliveries: Sequence[Record]) -> list[Record]:
        """Bring records into the journal, thread by thread; what is there already is not new. LogUnavailable.

        Gives the deliveries that came too early: their events are not known here yet.
        """
        news = await self._unknown("events", events), await self._unknown("deliveries", deliveries)
        brought, fates = _by_thread(news[0]), _by_thread(news[1])
        early: list[Record] = []
        for some in _groups(brought, fates):
            free = [one for one in some if not self._busy(one)]
            early += await self._learn_free(free, brought, fates)
            for one in some:
                if one not in free:
                    early += await self.learn_thread(one, brought.get(one, ()), fates.get(one, ()))
        return early

    async def _unknown(self, of: Table, records: Sequence[Record]) -> list[Record]:
        """Leave out what stands here: most of what a tier shows was given to it from here."""
        known = await self._journal.records(of, [one.event_id for one in records]) if records else ()
        hashes = {one.event_id: one.hash for one in known}
        return [one for one in records if hashes.get(one.event_id) != one.hash]

    async def learn_thread(
        self, thread_id: ThreadId, events: Sequence[Record], deliveries: Sequence[Record]
    ) -> list[Record]:
        """Bring what is known elsewhere of one thread into the journal. LogUnavailable."""
        while other := self._busy(thread_id):
            await other.wait()
        return await self._learn_free([thread_id], {thread_id: events}, {thread_id: deliveries})

    def _busy(self, thread_id: ThreadId) -> asyncio.Event | None:
        return self._under_way.get(thread_id) or self._flights.of(thread_id)

    async def _learn_free(self, threads: Sequence[ThreadId], events: _Records, deliveries: _Records) -> list[Record]:
        """Fold threads of which no turn is in flight, and that nobody else folds.

        Nothing is awaited between the last look and this mark: two that waited for the same end do not both go on.
        """
        finished = asyncio.Event()
        self._under_way.update(dict.fromkeys(threads, finished))
        try:
            return await self._unite(threads, events, deliveries)
        finally:
            for one in threads:
                del self._under_way[one]
            finished.set()

    async def _unite(self, threads: Sequence[ThreadId], events: _Records, deliveries: _Records) -> list[Record]:
        early: list[Record] = []
        unions: list[tuple[Standing, UnionWrite]] = []
        for known in await self._journal.standing(threads):
            brought, fates = events.get(known.thread_id, ()), deliveries.get(known.thread_id, ())
            union = await self._union(known, brought, fates, early)
            if union is not None:
                unions.append((known, union))
            await asyncio.sleep(0)  # a person's turn need not wait for all of these
        written = await asyncio.gather(*(self._commits.begin(union) for _, union in unions), return_exceptions=True)
        for (known, union), outcome in zip(unions, written, strict=True):
            if isinstance(outcome, BaseException):
                raise outcome
            self._tell(known, union)
        return early

    def _tell(self, known: Standing, union: UnionWrite) -> None:
        """Say what is new of a thread now that it is written."""
        thread_id = known.thread_id
        self._remember(thread_id, union.head.rev)
        owing = set(union.owing) - {*known.answered.values(), *(EventId(one.parents) for one in union.deliveries)}
        records = (*known.records, *union.learned)
        self._debtors.tell(thread_id, {one.origin for one in records if one.event_id in owing})
        if union.untold:
            self.forked.add(thread_id)
        self.news.set()

    async def _union(
        self, known: Standing, events: Sequence[Record], deliveries: Sequence[Record], early: list[Record]
    ) -> UnionWrite | None:
        """Fold a thread with what is new of it; None when nothing is. What came too early is put there."""
        hashes = {one.event_id: one.hash for one in known.records}
        await self._set_aside(one for one in events if hashes.get(one.event_id, one.hash) != one.hash)
        learned = [one for one in events if one.event_id not in hashes]
        here = hashes.keys() | {one.event_id for one in learned}
        early += [one for one in deliveries if one.parents not in here]
        fates = [one for one in deliveries if one.event_id not in known.answered and one.parents in here]
        if not learned and not fates:
            return None
        return self._refolding.union(known.thread_id, known.head, known.records, learned=learned, deliveries=fates)

    async def _set_aside(self, twins: Iterable[Record]) -> None:
        """Keep a record that bears another's identity, and raise the alarm: one of the two was forged or damaged."""
        for one in twins:
            identity = as_text(one.event_id)
            logger.error("two different records have the identity %s: one is in quarantine", identity)
            item = Quarantined(
                dedup_key=f"twin:{identity}:{one.hash.hex()}",
                thread_id=one.thread_id,
                raw=repr(one).encode(),
                error="another record has this identity",
                received_at=self._clock.now(),
            )
            await self._commits.write(QuarantineWrite(item))

    async def take_back(self, write: AppendWrite) -> None:
        """Let a turn that a tier refused count no longer: its thread is folded again without it."""
        thread_id = write.record.thread_id
        kept = await self._journal.thread(thread_id)
        aborted: list[EventId] = [write.record.event_id]
        union = self._refolding.union(thread_id, write.head, kept, aborted=aborted)
        await self._commits.write(union)
        self._remember(thread_id, union.head.rev)

    def _remember(self, thread_id: ThreadId, rev: int) -> None:
        self._revs[thread_id] = rev
        self._revs.move_to_end(thread_id)
        if len(self._revs) > _REMEMBERED:
            self._revs.popitem(last=False)


def _by_thread(records: Sequence[Record]) -> _Records:
    found: dict[ThreadId, list[Record]] = {}
    for one in records:
        found.setdefault(one.thread_id, []).append(one)
    return found


def _groups(events: _Records, deliveries: _Records) -> Iterator[list[ThreadId]]:
    """Gather threads with so many records together: while a group is folded, its people wait."""
    group, size = list[ThreadId](), 0
    for thread_id in dict.fromkeys([*events, *deliveries]):
        group.append(thread_id)
        size += len(events.get(thread_id, ())) + len(deliveries.get(thread_id, ()))
        if size >= _TOGETHER:
            yield group
            group, size = [], 0
    if group:
        yield group

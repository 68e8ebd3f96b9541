"""Learning: what a tier knows of a thread comes into the journal, and the thread is folded anew."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Iterable, Sequence

from holdfast.domain.errors import Conflict
from holdfast.domain.ids import EventId, ThreadId, as_text
from holdfast.domain.ports import Clock, Quarantined
from holdfast.infrastructure.log.envelope import Record
from holdfast.infrastructure.log.group_commit import GroupCommit
from holdfast.infrastructure.log.stores import AppendWrite, JournalStore, QuarantineWrite, Write
from holdfast.infrastructure.log.union import Refolding
from holdfast.infrastructure.tiers.flights import Flights
from holdfast.infrastructure.tiers.leases import Debtors

logger = logging.getLogger("holdfast.tiers")
_REMEMBERED = 10_000


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
        early: list[Record] = []
        for thread_id in dict.fromkeys(one.thread_id for one in (*events, *deliveries)):
            early += await self.learn_thread(thread_id, _of(thread_id, events), _of(thread_id, deliveries))
        return early

    async def learn_thread(
        self, thread_id: ThreadId, events: Sequence[Record], deliveries: Sequence[Record]
    ) -> list[Record]:
        """Bring what is known elsewhere of one thread into the journal. LogUnavailable."""
        while other := self._under_way.get(thread_id) or self._flights.of(thread_id):
            await other.wait()
        # Nothing is awaited between the last look and this mark: two that waited for the same end do not both go on.
        self._under_way[thread_id] = finished = asyncio.Event()
        try:
            return await self._unite(thread_id, events, deliveries)
        finally:
            del self._under_way[thread_id]
            finished.set()

    async def _unite(self, thread_id: ThreadId, events: Sequence[Record], deliveries: Sequence[Record]) -> list[Record]:
        kept = await self._journal.thread(thread_id)
        hashes = {one.event_id: one.hash for one in kept}
        await self._set_aside(one for one in events if hashes.get(one.event_id, one.hash) != one.hash)
        learned = [one for one in events if one.event_id not in hashes]
        delivered = await self._journal.deliveries(thread_id)
        known = {one.event_id for one in delivered}
        here = hashes.keys() | {one.event_id for one in learned}
        fates = [one for one in deliveries if one.event_id not in known and one.parents in here]
        if learned or fates:
            head = await self._journal.head(thread_id)
            union = self._refolding.union(thread_id, head, kept, learned=learned, deliveries=fates)
            await self._commits.write(union)
            self._remember(thread_id, union.head.rev)
            owing = set(union.owing) - {one.parents for one in (*delivered, *fates)}
            self._debtors.tell(thread_id, {one.origin for one in (*kept, *learned) if one.event_id in owing})
            if union.untold:
                self.forked.add(thread_id)
            self.news.set()
        return [one for one in deliveries if one.parents not in here]

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


def _of(thread_id: ThreadId, records: Sequence[Record]) -> list[Record]:
    return [one for one in records if one.thread_id == thread_id]

"""Proof that nothing was changed: every hash, every commitment and every parent link of a journal."""

from collections.abc import Sequence
from hashlib import sha256

from msgspec import Struct

from holdfast.domain.debts import owed
from holdfast.domain.errors import BrokenLog, KeyMissing, UnreadableEvent
from holdfast.domain.ids import EventId, ThreadId, as_text
from holdfast.infrastructure.log.codec import Codec
from holdfast.infrastructure.log.envelope import Record, hash_of, split_ids
from holdfast.infrastructure.log.stores import JournalStore


class Verdict(Struct, kw_only=True):
    """What was checked, and each thing that does not hold."""

    events: int = 0
    deliveries: int = 0
    erased: int = 0
    sealed: int = 0
    problems: list[str] = []


class Verifier:
    """Checks a journal thread by thread, in memory bounded by the longest thread."""

    def __init__(self, journal: JournalStore, codec: Codec) -> None:
        """Check this journal; payloads that no key here opens are counted as sealed."""
        self._journal = journal
        self._codec = codec
        self.verdict = Verdict(problems=[])

    async def verify(self) -> Verdict:
        """Check all there is, and that the heads name every thread and count every event."""
        async for thread_id in self._journal.threads():
            await self._thread(thread_id)
        events, deliveries, _ = await self._journal.counts()
        if (events, deliveries) != (self.verdict.events, self.verdict.deliveries):
            self._problem(f"{events} events and {deliveries} deliveries stand in the tables, but not all in a thread")
        return self.verdict

    async def _thread(self, thread_id: ThreadId) -> None:
        records = await self._journal.thread(thread_id)
        deliveries = await self._journal.deliveries(thread_id)
        by_id = {record.event_id: record for record in records}
        for record in records:
            self._record(record, by_id)
        for delivery in deliveries:
            self._record(delivery, by_id)
        self.verdict.events += len(records)
        self.verdict.deliveries += len(deliveries)
        await self._head(thread_id, by_id)
        await self._replies(thread_id, records, deliveries)
        if any(record.payload is None for record in (*records, *deliveries)):
            await self._erasure(thread_id)

    def _record(self, record: Record, by_id: dict[EventId, Record]) -> None:
        parents = split_ids(record.parents)
        missing = [parent for parent in parents if parent not in by_id]
        for parent in missing:
            self._problem(f"{as_text(record.event_id)} names a parent that is not there: {as_text(parent)}")
        if not missing:
            self._hash(record, [by_id[parent] for parent in parents])
        self._commitment(record)

    def _hash(self, record: Record, parents: list[Record]) -> None:
        if hash_of(record, [parent.hash for parent in parents]) != record.hash:
            self._problem(f"{as_text(record.event_id)} is not what its hash says")
        is_event = not record.kind.startswith("delivery.")
        if is_event and record.version != 1 + max((parent.version for parent in parents), default=0):
            self._problem(f"{as_text(record.event_id)} does not follow its parents' versions")

    def _commitment(self, record: Record) -> None:
        try:
            opened = self._codec.open(record)
        except KeyMissing:
            self.verdict.sealed += 1
            return
        except BrokenLog as error:
            self._problem(f"{as_text(record.event_id)}: {error}")
            return
        if opened is None:
            self.verdict.erased += 1
        elif sha256(opened[0] + opened[1]).digest() != record.commitment:
            self._problem(f"the words of {as_text(record.event_id)} are not those it was committed to")

    async def _head(self, thread_id: ThreadId, by_id: dict[EventId, Record]) -> None:
        """The head names exactly the events that are nobody's parent: an event cut off the end is missed here."""
        named = {parent for record in by_id.values() for parent in split_ids(record.parents)}
        ends = set(by_id) - named
        if ends != set(await self._journal.head_ids(thread_id)):
            self._problem(f"the thread {as_text(thread_id)} does not end where its head says")

    async def _replies(self, thread_id: ThreadId, records: Sequence[Record], deliveries: Sequence[Record]) -> None:
        """Every reply that was owed has its fate, or is owed still: a delivery that was taken away is missed here."""
        answered = {delivery.parents for delivery in deliveries}
        try:
            replies = len(owed([self._codec.bare(record) for record in records], answered))
        except (BrokenLog, UnreadableEvent) as error:
            self._problem(f"what the thread {as_text(thread_id)} is owed cannot be told: {error}")
            return
        if replies != await self._journal.debt(thread_id):
            self._problem(f"the thread {as_text(thread_id)} is owed {replies} replies, which its head does not say")

    async def _erasure(self, thread_id: ThreadId) -> None:
        if not await self._journal.is_erased(thread_id):
            self._problem(f"words of the thread {as_text(thread_id)} are gone, and nobody asked for it")

    def _problem(self, text: str) -> None:
        self.verdict.problems.append(text)

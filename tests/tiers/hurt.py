"""A tier in memory: what a tier does, in dictionaries, and ways to hurt it; for tests of the protocol."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from holdfast.domain.errors import Ambiguous, NotExecuted, OtherBot
from holdfast.domain.ids import EventId, ThreadId
from holdfast.domain.ports import RowChange
from holdfast.infrastructure.log.envelope import Record, split_ids
from holdfast.infrastructure.tiers.store import Appended, Mark, Settlement, Stale, TierFacts, TierTurn, Verdict

T = TypeVar("T")
RowName = tuple[str, tuple[object, ...]]


class MemoryTier:
    """Rows in dictionaries. `trouble` is called before each call and may raise; `answer_lost` after each."""

    def __init__(self, name: str = "memory", lanes: int = 1) -> None:
        """Begin empty, and whole."""
        self._name = name
        self._lanes = lanes
        self.trouble: Callable[[], None] = lambda: None
        self.answer_lost: Callable[[], bool] = lambda: False
        self.bot_id: int | None = None
        self.canary = 0
        self.events: dict[EventId, Record] = {}
        self.deliveries: dict[EventId, Record] = {}
        self.twins: list[Record] = []
        self.rows: dict[RowName, RowChange] = {}
        self.settled: dict[ThreadId, Settlement] = {}
        self._marks: dict[ThreadId, Mark] = {}
        self.undelivered: dict[ThreadId, int] = {}

    @property
    def name(self) -> str:
        """The tier's name."""
        return self._name

    @property
    def lanes(self) -> int:
        """How many batches it takes at once."""
        return self._lanes

    def down(self) -> None:
        """From now on nothing is done, for certain."""
        self.trouble = self._refuse

    def up(self) -> None:
        """From now on all is well."""
        self.trouble, self.answer_lost = lambda: None, lambda: False

    def _refuse(self) -> None:
        raise NotExecuted(f"{self._name}: connection refused")

    def _do(self, within: float, work: Callable[[], T]) -> T:
        if within <= 0:
            raise NotExecuted(f"{self._name}: there is no time to ask")
        self.trouble()
        answer = work()
        if self.answer_lost():
            raise Ambiguous(f"{self._name}: the connection was lost")
        return answer

    async def open(self, bot_id: int, within: float) -> TierFacts:
        """Belong to the first bot that comes."""

        def belong() -> TierFacts:
            self.bot_id = bot_id if self.bot_id is None else self.bot_id
            if self.bot_id != bot_id:
                raise OtherBot(f"{self._name} belongs to the bot {self.bot_id}, not to {bot_id}")
            return self._facts()

        return self._do(within, belong)

    async def close(self) -> None:
        """Nothing is held."""

    async def append(self, batch: Sequence[TierTurn], within: float) -> Sequence[Verdict]:
        """Write each turn of a batch by itself."""
        return self._do(within, lambda: [self._append(turn) for turn in batch])

    def _append(self, turn: TierTurn) -> Verdict:
        record = turn.record
        stands = self._marks.get(record.thread_id, Mark())
        if (stands.rev, stands.head_ids) != (turn.expected.rev, turn.expected.head_ids):
            return Stale(stands)
        alike = stands.closed and set(stands.head_ids) == set(split_ids(record.parents))
        mark = self._insert([record])[record.thread_id]
        owed = self.undelivered.get(record.thread_id, 0)
        self.undelivered[record.thread_id] = owed + turn.owes_reply
        for row in turn.rows if alike else ():
            self._put(row)
        return Appended(mark, alike)

    def _put(self, row: RowChange) -> None:
        if row.values is None:
            self.rows.pop((row.table, row.key), None)
        else:
            self.rows[row.table, row.key] = row

    async def marks(self, thread_ids: Sequence[ThreadId], within: float) -> Sequence[Mark]:
        """Read where threads stand."""
        return self._do(within, lambda: [self._marks.get(one, Mark()) for one in thread_ids])

    async def thread(self, thread_id: ThreadId, within: float) -> tuple[tuple[Record, ...], tuple[Record, ...]]:
        """Read a whole thread."""

        def read() -> tuple[tuple[Record, ...], tuple[Record, ...]]:
            both = (self.events.values(), self.deliveries.values())
            events, deliveries = (tuple(one for one in some if one.thread_id == thread_id) for some in both)
            return events, deliveries

        return self._do(within, read)

    async def push(self, events: Sequence[Record], deliveries: Sequence[Record], within: float) -> dict[ThreadId, Mark]:
        """Insert what is not there."""

        def insert() -> dict[ThreadId, Mark]:
            marks = self._insert(events)
            for one in deliveries:
                self._deliver(one)
            return marks

        return self._do(within, insert)

    def _insert(self, records: Sequence[Record]) -> dict[ThreadId, Mark]:
        new = {one.event_id: one for one in records if one.event_id not in self.events}
        self.twins += [one for one in records if self.events.get(one.event_id, one).hash != one.hash]
        self.events |= new
        for thread_id in {one.thread_id for one in new.values()}:
            self._marks[thread_id] = self._found(thread_id)
        return {one.thread_id: self._marks[one.thread_id] for one in records}

    def _found(self, thread_id: ThreadId) -> Mark:
        here = [one for one in self.events.values() if one.thread_id == thread_id]
        ids = {one.event_id for one in here}
        named = {parent for one in here for parent in split_ids(one.parents)}
        rev = self._marks.get(thread_id, Mark()).rev + 1
        return Mark(rev, tuple(sorted(ids - named)), closed=named <= ids)

    def _deliver(self, delivery: Record) -> None:
        if delivery.event_id in self.deliveries:
            return
        first = all(one.parents != delivery.parents for one in self.deliveries.values())
        self.deliveries[delivery.event_id] = delivery
        owed = self.undelivered.get(delivery.thread_id, 0)
        self.undelivered[delivery.thread_id] = max(owed - first, 0)

    async def settle(self, settlements: Sequence[Settlement], within: float) -> Sequence[bool]:
        """Replace a person's rows where the heads are the same."""
        return self._do(within, lambda: [self._settle(one) for one in settlements])

    def _settle(self, one: Settlement) -> bool:
        stands = self._marks.get(one.thread_id, Mark())
        if not stands.closed or set(stands.head_ids) != set(one.head_ids):
            return False
        self.settled[one.thread_id] = one
        self.undelivered[one.thread_id] = one.undelivered
        if one.user_id:
            self.rows = {name: row for name, row in self.rows.items() if person_of(row) != one.user_id}
            for row in one.rows:
                self._put(row)
        return True

    async def probe(self, within: float) -> int:
        """Raise the canary."""

        def chirp() -> int:
            self.canary += 1
            return self.canary

        return self._do(within, chirp)

    async def facts(self, within: float) -> TierFacts:
        """Say what there is."""
        return self._do(within, self._facts)

    def _facts(self) -> TierFacts:
        return TierFacts(
            tier_id=f"memory {self._name}",
            bot_id=self.bot_id,
            canary=self.canary,
            server_version="memory",
            role="memory",
            owner=False,
            writable=True,
            encrypted=False,
            migrations=(),
            xmin_age=0.0,
            events=len(self.events),
            deliveries=len(self.deliveries),
        )

    def go_back_to(self, older: "MemoryTier") -> None:
        """Come back with the data of an earlier moment."""
        self.canary, self.events, self.deliveries = older.canary, dict(older.events), dict(older.deliveries)
        self.rows, self._marks = dict(older.rows), dict(older._marks)  # noqa: SLF001 - of its own kind
        self.undelivered = dict(older.undelivered)

    def copy(self) -> "MemoryTier":
        """Keep this moment."""
        kept = MemoryTier(self._name, self._lanes)
        kept.go_back_to(self)
        return kept


def person_of(row: RowChange) -> object:
    """Name the person a row is about; conversation_states has them in its key, the others behind it."""
    return row.key[0] if row.table == "conversation_states" else (row.values or (None,))[0]

"""A tier in memory: the protocol's own code runs over it, and faults are one switch away. For tests."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from holdfast.domain.errors import Ambiguous, KeyMissing, NotExecuted, OtherBot, RowRefused
from holdfast.domain.ids import ConversationId, EventId, OriginId, ThreadId
from holdfast.domain.ports import RowChange
from holdfast.infrastructure.log.envelope import Record, split_ids
from holdfast.infrastructure.log.keys import NO_KEY
from holdfast.infrastructure.migrations import migrations
from holdfast.infrastructure.tiers.store import (
    HOUR,
    OTHER_KEY,
    Appended,
    Digest,
    Holding,
    Mark,
    Place,
    Pulled,
    Settlement,
    Stale,
    Table,
    TierFacts,
    TierTurn,
    Verdict,
    digest_of,
)

_KEYED_BY_USER = frozenset({"conversation_states"})


@dataclass
class _Thread:
    """A thread's row of `heads`."""

    mark: Mark = field(default_factory=Mark)
    version: int = 0
    ots: int = -1
    last_conversation_id: ConversationId | None = None
    owed: frozenset[EventId] = frozenset()
    settled: bool = True


class MemoryTier:
    """Rows in dictionaries. It survives `close`, as a server would; two of them over one `tier_id` do not exist.

    `down`: nothing gets there. `held_back`: its tail can't be read on. `fail_next`: so many calls are refused at once.
    `lose_answer_next`: so many calls are done, and nobody hears of it.
    """

    def __init__(self, name: str, *, lanes: int = 3, tier_id: str = "") -> None:
        """Begin empty."""
        self.name = name
        self.lanes = lanes
        self.down = False
        self.held_back = False
        self.fail_next = 0
        self.lose_answer_next = 0
        self.quarantine: dict[tuple[EventId, bytes], Record] = {}
        self._tier_id = tier_id or f"memory {name}"
        self.bot_id: int | None = None
        self.key = NO_KEY
        self._canary = 0
        self._seen = 0
        self.events: dict[EventId, Record] = {}
        self.deliveries: dict[EventId, Record] = {}
        self._threads: dict[ThreadId, _Thread] = {}
        self._tables: dict[tuple[str, tuple[object, ...]], RowChange] = {}
        self.leases: dict[OriginId, tuple[OriginId, float]] = {}
        self._is_open = False

    async def open(self, bot_id: int, within: float) -> TierFacts:  # noqa: ARG002 - memory needs no time
        """Make sure that this is a tier for this bot."""
        self._check_reachable()
        if self.bot_id not in {None, bot_id}:
            raise OtherBot(f"the tier {self.name} belongs to the bot {self.bot_id}, this is {bot_id}")
        self.bot_id = bot_id
        self._is_open = True
        return self._facts()

    async def keep_to_key(self, key: str, within: float) -> None:  # noqa: ARG002
        """Go on under the first key."""
        self._begin()
        self.key = key if self.key == NO_KEY else self.key
        if self.key != key:
            raise KeyMissing(OTHER_KEY.format(name=self.name))

    @property
    def generation(self) -> int:
        """Memory needs no connection."""
        return 0

    async def close(self) -> None:
        """Accept no more."""
        self._is_open = False

    async def append(self, batch: Sequence[TierTurn], within: float) -> Sequence[Verdict]:  # noqa: ARG002
        """Take each turn of a batch by itself."""
        self._begin()
        verdicts = [self._append(turn) for turn in batch]
        self._answer()
        return verdicts

    async def marks(self, thread_ids: Sequence[ThreadId], within: float) -> Sequence[Mark]:  # noqa: ARG002
        """Read where threads stand."""
        self._begin()
        return [self._mark(thread_id) for thread_id in thread_ids]

    async def thread(
        self,
        thread_id: ThreadId,
        within: float,  # noqa: ARG002
    ) -> tuple[tuple[Record, ...], tuple[Record, ...]]:
        """Read a whole thread."""
        self._begin()
        return _of(thread_id, self.events.values()), _of(thread_id, self.deliveries.values())

    async def push(
        self,
        events: Sequence[Record],
        deliveries: Sequence[Record],
        within: float,  # noqa: ARG002
    ) -> dict[ThreadId, Mark]:
        """Insert what is not there."""
        self._begin()
        for thread_id in {one.thread_id for one in events if self._insert(self.events, one)}:
            self._find_heads(thread_id)
        for one in deliveries:
            if self._insert(self.deliveries, one) and one.thread_id in self._threads:
                self._threads[one.thread_id].owed -= self._alike(EventId(one.parents))
        self._answer()
        return {one.thread_id: self._mark(one.thread_id) for one in events}

    async def settle(self, settlements: Sequence[Settlement], within: float) -> Sequence[bool]:  # noqa: ARG002
        """Put threads right."""
        self._begin()
        settled = [self._settle(one) for one in settlements]
        self._answer()
        return settled

    async def unsettled(self, after: ThreadId, at_most: int, within: float) -> Sequence[ThreadId]:  # noqa: ARG002
        """Name the next threads that nobody has settled."""
        self._begin()
        return [one for one in sorted(self._threads) if one > after and not self._threads[one].settled][:at_most]

    async def probe(self, within: float) -> int:  # noqa: ARG002
        """Raise the canary."""
        self._begin()
        self._canary += 1
        self._answer()
        return self._canary

    async def seen(self, at: int, within: float) -> int:  # noqa: ARG002
        """Keep the latest moment."""
        self._begin()
        before, self._seen = self._seen, max(self._seen, at)
        self._answer()
        return before

    async def hold(
        self,
        worker: OriginId,
        others: Sequence[OriginId],
        seconds: float,
        within: float,  # noqa: ARG002
    ) -> Holding:
        """Hold leases, by the event loop's clock."""
        self._begin()
        now = asyncio.get_running_loop().time()
        holder, until = self.leases.get(worker, (worker, 0.0))
        self.leases[worker] = (worker, now + seconds)
        for origin in others:
            self.leases.setdefault(origin, (origin, now + seconds))
        for origin, (one, ends) in self.leases.items():
            if one == worker or ends <= now:
                self.leases[origin] = (worker, now + seconds)
        self._answer()
        held = frozenset(origin for origin, (one, _) in self.leases.items() if one == worker)
        alive = len({one for one, _ in self.leases.values()})
        return Holding(held, was_away=holder != worker and until > now, alive=alive)

    async def facts(self, within: float) -> TierFacts:  # noqa: ARG002
        """Read what the tier says of itself."""
        self._begin()
        return self._facts()

    async def pull(self, after: Place, but: OriginId, at_most: int, within: float) -> Pulled:  # noqa: ARG002
        """Read the tail behind a place; rows are numbered as they came."""
        self._begin()
        if self.held_back:
            return Pulled((), (), after, held_back=after.events[1] < len(self.events))
        events, at = _behind(self.events, after.events[1], at_most)
        deliveries, delivered = _behind(self.deliveries, after.deliveries[1], at_most)
        return Pulled(
            tuple(one for one in events if one.origin != but),
            tuple(one for one in deliveries if one.origin != but),
            Place((0, at), (0, delivered)),
        )

    async def digest(self, of: Table, since: int, within: float) -> Digest:  # noqa: ARG002
        """Sum up what was received in an hour and after."""
        self._begin()
        return digest_of((one.received_at, one.hash) for one in self._kept(of) if one.received_at >= since * HOUR)

    async def hashes(self, of: Table, since: int, until: int, within: float) -> dict[EventId, bytes]:  # noqa: ARG002
        """Read what was received from a moment on up to another."""
        self._begin()
        return {one.event_id: one.hash for one in self._kept(of) if since <= one.received_at < until}

    async def records(self, of: Table, event_ids: Sequence[EventId], within: float) -> tuple[Record, ...]:  # noqa: ARG002
        """Read some events or deliveries."""
        self._begin()
        wanted = set(event_ids)
        return tuple(one for one in self._kept(of) if one.event_id in wanted)

    def _kept(self, of: Table) -> Iterable[Record]:
        return (self.events if of == "events" else self.deliveries).values()

    def rows(self, table: str) -> list[RowChange]:
        """Give a projection's rows, in the order of their keys."""
        return [row for (name, _), row in sorted(self._tables.items()) if name == table]

    def copy(self) -> "MemoryTier":
        """Keep this moment."""
        kept = MemoryTier(self.name, lanes=self.lanes, tier_id=self._tier_id)
        kept.go_back_to(self)
        return kept

    def go_back_to(self, moment: "MemoryTier") -> None:
        """Hold what was held at another moment, as a server restored from a copy does."""
        self._canary, self.bot_id = moment._canary, moment.bot_id  # noqa: SLF001 - of its own kind
        self.events, self.deliveries = dict(moment.events), dict(moment.deliveries)
        self._threads = {key: replace(one) for key, one in moment._threads.items()}  # noqa: SLF001
        self._tables = dict(moment._tables)  # noqa: SLF001

    def debt(self, thread_id: ThreadId) -> int:
        """Say how many replies a thread is owed."""
        return len(self._threads.get(thread_id, _Thread()).owed)

    def _check_reachable(self) -> None:
        if self.down:
            raise NotExecuted(f"the tier {self.name} is down")
        if self.fail_next:
            self.fail_next -= 1
            raise NotExecuted(f"the tier {self.name} refused")

    def _begin(self) -> None:
        if not self._is_open:
            raise NotExecuted(f"the tier {self.name} is closed")
        self._check_reachable()

    def _answer(self) -> None:
        if self.lose_answer_next:
            self.lose_answer_next -= 1
            raise Ambiguous(f"the tier {self.name} did not answer")

    def _facts(self) -> TierFacts:
        return TierFacts(
            tier_id=self._tier_id,
            bot_id=self.bot_id,
            canary=self._canary,
            server_version="memory",
            role="memory",
            owner=True,
            writable=True,
            encrypted=True,
            migrations=tuple(one.number for one in migrations("postgres")),
            xmin_age=0.0,
            events=len(self.events),
            deliveries=len(self.deliveries),
        )

    def _mark(self, thread_id: ThreadId) -> Mark:
        return self._threads[thread_id].mark if thread_id in self._threads else Mark()

    def _append(self, turn: TierTurn) -> Verdict:
        record = turn.record
        before = self._mark(record.thread_id)
        if (before.rev, before.head_ids) != (turn.expected.rev, turn.expected.head_ids):
            return Stale(before)
        if record.event_id in self.events:
            return RowRefused("a row breaks a rule of its table: this event is there already")
        parents = set(split_ids(record.parents))
        on_top = before.closed and parents == set(before.head_ids)
        if on_top and (clash := self._clash(turn.rows)):
            return RowRefused(f"a row breaks a rule of its table: {clash}")
        self.events[record.event_id] = record
        thread = self._threads.setdefault(record.thread_id, _Thread())
        thread.mark = Mark(
            before.rev + 1,
            tuple(sorted({*before.head_ids, record.event_id} - parents)),
            before.closed and parents <= self.events.keys(),
        )
        thread.version = max(thread.version, record.version)
        thread.ots = max(thread.ots, record.ots)
        thread.last_conversation_id = turn.last_conversation_id
        if turn.owes_reply:
            thread.owed |= {record.event_id}
        thread.settled = thread.settled and thread.mark.closed and on_top
        if thread.settled:
            self._put(turn.rows)
        return Appended(thread.mark, thread.settled)

    def _insert(self, kept: dict[EventId, Record], record: Record) -> bool:
        """Keep a record, or put its twin aside; say whether it is new."""
        there = kept.get(record.event_id)
        if there is None:
            kept[record.event_id] = record
        elif there.hash != record.hash:
            self.quarantine[record.event_id, record.hash] = record
        return there is None

    def _find_heads(self, thread_id: ThreadId) -> None:
        thread = self._threads.setdefault(thread_id, _Thread())
        events = _of(thread_id, self.events.values())
        named = {parent for one in events for parent in split_ids(one.parents)}
        heads = sorted({one.event_id for one in events} - named)
        thread.mark = Mark(thread.mark.rev + 1, tuple(heads), named <= self.events.keys())
        thread.version = max(one.version for one in events)
        thread.ots = max(one.ots for one in events)
        thread.settled = False

    def _alike(self, event_id: EventId) -> set[EventId]:
        """Name the copies of an event's input in which the same was decided, and itself."""
        event = self.events.get(event_id)
        events = _of(event.thread_id, self.events.values()) if event else ()
        return {one.event_id for one in events if event and _decided(one) == _decided(event)} | {event_id}

    def _settle(self, one: Settlement) -> bool:
        thread = self._threads.get(one.thread_id)
        if thread is None or not thread.mark.closed or thread.mark.head_ids != tuple(sorted(one.head_ids)):
            return False
        thread.version, thread.ots = one.version, one.ots
        thread.last_conversation_id, thread.settled = one.last_conversation_id, True
        answered = {delivery.parents for delivery in _of(one.thread_id, self.deliveries.values())}
        thread.owed = frozenset(debt for debt in one.owed if answered.isdisjoint(self._alike(debt)))
        if one.user_id:
            gone = [at for at, row in self._tables.items() if _user_of(row) == one.user_id]
            for at in gone:
                del self._tables[at]
            self._put(one.rows)
        return True

    def _put(self, rows: Sequence[RowChange]) -> None:
        for row in rows:
            at = (row.table, row.key)
            self._tables.pop(at, None) if row.values is None else self._tables.update({at: row})

    def _clash(self, rows: Sequence[RowChange]) -> str:
        machines = {at: row for at, row in self._tables.items() if row.table == "user_machines"}
        for row in rows:
            machines.pop((row.table, row.key), None)
            if row.table == "user_machines" and row.values is not None:
                if any(row.values[:2] == (other.values or ())[:2] for other in machines.values()):
                    return "two machines of one person would share a nickname"
                machines[row.table, row.key] = row
        return ""


def _behind(kept: dict[EventId, Record], at: int, at_most: int) -> tuple[list[Record], int]:
    found = list(kept.values())[at : at + at_most]
    return found, at + len(found)


def _of(thread_id: ThreadId, records: Iterable[Record]) -> tuple[Record, ...]:
    return tuple(one for one in records if one.thread_id == thread_id)


def _decided(record: Record) -> tuple[str, str, str]:
    return record.dedup_key, record.kind, record.facts


def _user_of(row: RowChange) -> object:
    """Say whose row it is: the person is the first of its key or of its other columns."""
    return row.key[0] if row.table in _KEYED_BY_USER else (row.values or (None,))[0]

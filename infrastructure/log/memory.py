"""A journal in memory: the same protocol code runs over it. It forgets everything when it goes; for tests."""

import json
from collections.abc import AsyncIterator, Sequence
from operator import attrgetter

from msgspec.structs import replace

from holdfast.domain.errors import Conflict, LogUnavailable, RowRefused
from holdfast.domain.ids import ConversationId, EventId, OriginId, ThreadId, from_text
from holdfast.domain.kinds import BROUGHT
from holdfast.domain.ports import Due, Head, Quarantined, RowChange, Waiting
from holdfast.domain.state import Machine
from holdfast.infrastructure.log.envelope import Record
from holdfast.infrastructure.log.stores import (
    AppendWrite,
    BlobWrite,
    Cursor,
    CursorWrite,
    Debt,
    DeliveryWrite,
    MetaWrite,
    Opened,
    Outcome,
    QuarantineWrite,
    ReplayedWrite,
    Snapshot,
    Standing,
    Tail,
    UnionWrite,
    Write,
    owner_of,
)
from holdfast.infrastructure.tiers.store import HOUR, Digest, Settlement, Table, digest_of

_MOVED_AT = 3
"""Where a row of `conversation_states` says when its person moved it on last."""

_UPDATED_AT = 3
"""Where a row of `conversation_states` says when its conversation moved on last."""


class MemoryJournal:
    """Rows in dictionaries."""

    def __init__(self, origin: OriginId = OriginId(bytes(16))) -> None:  # noqa: B008 - an immutable value
        """Begin empty."""
        self._origin = origin
        self._heads: dict[ThreadId, Head] = {}
        self._owed: dict[ThreadId, set[EventId]] = {}
        self._threads: dict[ThreadId, list[Record]] = {}
        self._events: dict[EventId, Record] = {}
        self._deliveries: dict[EventId, Record] = {}
        self._tables: dict[str, dict[tuple[object, ...], RowChange]] = {}
        self._meta: dict[str, str] = {}
        self._quarantine: dict[str, Quarantined] = {}
        self._blobs: dict[tuple[ThreadId, bytes], bytes] = {}
        self._erased: set[ThreadId] = set()
        self._aborted: set[EventId] = set()
        self._learned: set[EventId] = set()
        self._open_threads: set[ThreadId] = set()
        self._cursors: dict[str, Cursor] = {}
        self._last: Record | None = None
        self._open = False

    async def open(self) -> Opened:
        """Make ready; what was committed before is still here."""
        self._open = True
        records = [*self._events.values(), *self._deliveries.values()]
        return Opened(
            origin=self._origin,
            origin_seq=max((record.origin_seq for record in records), default=0),
            meta=dict(self._meta),
            last_ots=self._last.ots if self._last else -1,
            last_received_at=self._last.received_at if self._last else 0,
        )

    async def close(self) -> None:
        """Accept no more."""
        self._open = False

    async def commit(self, batch: Sequence[Write]) -> Sequence[Outcome]:
        """Apply each write of a batch by itself."""
        if not self._open:
            raise LogUnavailable("the journal is closed")
        return [self._apply(write) for write in batch]

    def _apply(self, write: Write) -> Outcome:
        match write:
            case AppendWrite():
                return self._append(write)
            case DeliveryWrite():
                return self._deliver(write)
            case QuarantineWrite():
                self._quarantine.setdefault(write.item.dedup_key, write.item)
            case ReplayedWrite():
                if item := self._quarantine.get(write.dedup_key):
                    self._quarantine[write.dedup_key] = replace(item, replayed_at=write.at)
            case BlobWrite():
                self._blobs[write.thread_id, write.digest] = write.content
            case MetaWrite():
                self._meta[write.name] = write.value
                self._meta = {name: value for name, value in self._meta.items() if value}
            case CursorWrite(tier_id, cursor):
                self._cursors[tier_id] = cursor
            case UnionWrite():
                return self._unite(write)
        return None

    def _append(self, write: AppendWrite) -> Outcome:
        record = write.record
        stands = self._heads.get(record.thread_id, Head())
        if (stands.rev, stands.head_ids) != (write.expected.rev, write.expected.head_ids):
            return Conflict()
        if record.event_id in self._events:
            return RowRefused("this event is in the log already")
        if clash := self._clash(write.rows):
            return RowRefused(clash)
        self._heads[record.thread_id] = write.head
        self._threads.setdefault(record.thread_id, []).append(record)
        self._events[record.event_id] = record
        self._last = self._last if record.kind in BROUGHT else record
        if write.owes_reply:
            self._owed.setdefault(record.thread_id, set()).add(record.event_id)
        self._owed.setdefault(record.thread_id, set()).difference_update(write.voids)
        for row in write.rows:
            table = self._tables.setdefault(row.table, {})
            table.pop(row.key, None) if row.values is None else table.update({row.key: row})
        return None

    def _unite(self, write: UnionWrite) -> Outcome:
        stands = self._heads.get(write.thread_id, Head())
        if (stands.rev, stands.head_ids) != (write.expected.rev, write.expected.head_ids):
            return Conflict()
        self._heads[write.thread_id] = write.head
        thread = self._threads.setdefault(write.thread_id, [])
        for record in write.learned:
            if record.event_id not in self._events:
                thread.append(record)
                self._events[record.event_id] = record
                if record.origin != self._origin:
                    self._learned.add(record.event_id)
        for record in write.deliveries:
            self._deliveries.setdefault(record.event_id, record)
        self._aborted.update(write.aborted)
        answered = {record.parents for record in self._deliveries.values() if record.thread_id == write.thread_id}
        self._owed[write.thread_id] = {one for one in write.owing if answered.isdisjoint(self._alike(one))}
        (self._open_threads.discard if write.closed else self._open_threads.add)(write.thread_id)
        if write.user_id:
            self._replace_rows(write.user_id, write.rows)
        return None

    def _replace_rows(self, user_id: int, rows: Sequence[RowChange]) -> None:
        for table in self._tables.values():
            for key in [key for key, row in table.items() if _person_of(row) == user_id]:
                del table[key]
        for row in rows:
            self._tables.setdefault(row.table, {})[row.key] = row

    def _clash(self, rows: Sequence[RowChange]) -> str:
        machines = dict(self._tables.get("user_machines", {}))
        for row in rows:
            if row.table != "user_machines":
                continue
            machines.pop(row.key, None)
            if row.values is not None:
                if any(row.values[:2] == (other.values or ())[:2] for other in machines.values()):
                    return "two machines of one person would share a nickname"
                machines[row.key] = row
        return ""

    def _deliver(self, write: DeliveryWrite) -> Outcome:
        if owed := self._owed.get(write.record.thread_id):
            owed -= {write.answers} if write.answers in owed else self._alike(write.answers)
        self._deliveries[write.record.event_id] = write.record
        return None

    def _alike(self, event_id: EventId) -> set[EventId]:
        """Name the copies of an event's input in which the same was decided."""
        event = self._events[event_id]
        same = event.dedup_key, event.kind, event.facts
        thread = self._threads[event.thread_id]
        return {one.event_id for one in thread if (one.dedup_key, one.kind, one.facts) == same}

    async def snapshot(self, thread_id: ThreadId, dedup_key: str, user_id: int) -> Snapshot:
        """Read what a cold load needs."""
        head = self._heads.get(thread_id, Head())
        last = head.last_conversation_id
        return Snapshot(
            head=head,
            records=await self.conversation(thread_id, last) if last else (),
            copies=await self.copies(thread_id, dedup_key),
            machines=tuple(
                Machine(ConversationId(from_text(str(key[0]))), *(row.values or ())[1:])
                for key, row in self._tables.get("user_machines", {}).items()
                if (row.values or (0,))[0] == user_id
            ),
            zone=max(filter(_names_zone, await self.thread(thread_id)), key=_place, default=None),
            touched={
                str(key[2]): (row.values or ())[_UPDATED_AT]
                for key, row in self._tables.get("conversation_states", {}).items()
                if key[0] == user_id
            },
        )

    async def conversation(self, thread_id: ThreadId, conversation_id: ConversationId) -> tuple[Record, ...]:
        """Read one conversation, and other copies of its inputs."""
        thread = await self.thread(thread_id)
        inputs = {one.dedup_key for one in thread if one.conversation_id == conversation_id}
        return tuple(one for one in thread if one.dedup_key in inputs)

    async def copies(self, thread_id: ThreadId, dedup_key: str) -> tuple[Record, ...]:
        """Read what one input became."""
        return tuple(one for one in await self.thread(thread_id) if one.dedup_key == dedup_key)

    async def thread(self, thread_id: ThreadId) -> tuple[Record, ...]:
        """Read a whole thread."""
        return tuple(one for one in self._threads.get(thread_id, ()) if one.event_id not in self._aborted)

    async def record(self, event_id: EventId) -> Record | None:
        """Read one event."""
        return self._events.get(event_id)

    async def delivered(self, event_id: EventId) -> bool:
        """Whether a reply to this event has met its fate."""
        return any(record.parents == event_id for record in self._deliveries.values())

    async def deliveries(self, thread_id: ThreadId) -> tuple[Record, ...]:
        """Read the fates of a thread's replies."""
        return tuple(one for one in self._deliveries.values() if one.thread_id == thread_id)

    async def owed(self) -> AsyncIterator[tuple[ThreadId, tuple[Debt, ...]]]:
        """Give the threads that are owed replies."""
        for thread_id in [thread for thread, owed in self._owed.items() if owed]:
            yield thread_id, await self.owed_in(thread_id)

    async def owed_in(self, thread_id: ThreadId) -> tuple[Debt, ...]:
        """Give the events of one thread that have none, oldest first."""
        answered = {record.parents for record in await self.deliveries(thread_id)}
        events = sorted(self._threads.get(thread_id, ()), key=_place)
        others = {one.event_id: one.origin for one in events if one.event_id in self._learned}
        done = answered | self._aborted | (others.keys() - self._owed.get(thread_id, set()))
        return tuple((one.event_id, others.get(one.event_id)) for one in events if one.event_id not in done)

    async def threads(self) -> AsyncIterator[ThreadId]:
        """Give every thread there is."""
        for thread_id in sorted(self._threads):
            yield thread_id

    async def thread_of(self, conversation_id: ConversationId) -> ThreadId | None:
        """Find the thread of a conversation."""
        found = (one.thread_id for one in self._events.values() if one.conversation_id == conversation_id)
        return next(found, None)

    async def forked(self) -> tuple[ThreadId, ...]:
        """Name the threads that have several ends."""
        return tuple(thread_id for thread_id, head in self._heads.items() if len(head.head_ids) > 1)

    async def head(self, thread_id: ThreadId) -> Head:
        """Read a thread's head."""
        return self._heads.get(thread_id, Head())

    async def head_ids(self, thread_id: ThreadId) -> tuple[EventId, ...]:
        """Read which events a thread's head names."""
        return self._heads.get(thread_id, Head()).head_ids

    async def debt(self, thread_id: ThreadId) -> int:
        """Read how many replies a thread is owed."""
        return len(self._owed.get(thread_id, ()))

    async def is_erased(self, thread_id: ThreadId) -> bool:
        """Whether the person of this thread asked to be forgotten."""
        return thread_id in self._erased

    async def counts(self) -> tuple[int, int, int]:
        """Count events, deliveries and what stands in quarantine."""
        return len(self._events) - len(self._aborted), len(self._deliveries), len(self._quarantine)

    async def quarantine(self) -> list[Quarantined]:
        """Read what stands in quarantine."""
        return list(self._quarantine.values())

    async def blob(self, thread_id: ThreadId, digest: bytes) -> bytes | None:
        """Read a photo's bytes."""
        return self._blobs.get((thread_id, digest))

    async def rows(self, table: str) -> list[RowChange]:
        """Read a projection's table."""
        return sorted(self._tables.get(table, {}).values(), key=lambda row: row.key)

    async def waiting(self, since: int, after: Waiting, at_most: int) -> list[Waiting]:
        """Read so many open conversations behind one that have not moved on after a moment."""
        rows = self._tables.get("conversation_states", {}).values()
        behind = (after.user_id, after.chat_id, after.flow)
        found = [row for row in rows if row.values and row.values[_MOVED_AT] <= since and row.key > behind]
        return [_waiting(row) for row in sorted(found, key=lambda row: row.key)][:at_most]

    async def threads_between(self, since: int, until: int, after: ThreadId, at_most: int) -> list[ThreadId]:
        """Read so many threads behind one of which something was received between two moments."""
        found = {one.thread_id for one in self._events.values() if since <= one.received_at <= until}
        return sorted(one for one in found if one > after)[:at_most]

    async def row(self, table: str, key: tuple[object, ...]) -> RowChange | None:
        """Read one row."""
        return self._tables.get(table, {}).get(key)

    async def due(self, until: int, after: Due | None, at_most: int) -> list[Due]:
        """Read what is due next until a moment."""
        everything = sorted(map(_due, self._tables.get("conversation_states", {}).values()))
        return [one for one in everything if one.at <= until and (after is None or one > after)][:at_most]

    async def covers(self, thread_id: ThreadId, event_ids: Sequence[EventId]) -> bool:
        """Whether all these events are here, and every parent named in the thread."""
        here = {one.event_id for one in await self.thread(thread_id)}
        return thread_id not in self._open_threads and here.issuperset(event_ids)

    async def unsent(self, thread_id: ThreadId, after: Cursor) -> tuple[Record, ...]:
        """Read a thread's events behind a cursor."""
        return tuple(one for _, one in self._placed(after) if one.thread_id == thread_id)

    def _placed(self, after: Cursor) -> list[tuple[int, Record]]:
        placed = enumerate(self._events.values(), start=1)
        return [(at, one) for at, one in placed if at > after.events and one.event_id not in self._aborted]

    async def tail(self, after: Cursor, at_most: int) -> Tail:
        """Read what stands behind a cursor."""
        deliveries = list(enumerate(self._deliveries.values(), start=1))[after.deliveries :]
        return Tail(tuple(self._placed(after)[:at_most]), tuple(deliveries[:at_most]))

    async def standing(self, thread_ids: Sequence[ThreadId]) -> list[Standing]:
        """Read all of some threads."""
        return [await self._standing(one) for one in thread_ids]

    async def _standing(self, thread_id: ThreadId) -> Standing:
        answered = {one.event_id: EventId(one.parents) for one in await self.deliveries(thread_id)}
        return Standing(thread_id, await self.head(thread_id), await self.thread(thread_id), answered)

    async def settlements(self, thread_ids: Sequence[ThreadId], after: Cursor) -> list[Settlement]:
        """Read what threads amount to."""
        known = [one for one in thread_ids if one in self._heads and one not in self._open_threads]
        return [self._settlement(one, after) for one in known]

    def _settlement(self, thread_id: ThreadId, after: Cursor) -> Settlement:
        head = self._heads[thread_id]
        user_id = next(filter(None, (owner_of(one.dedup_key) for one in self._threads[thread_id])), 0)
        rows = [row for table in self._tables.values() for row in table.values()]
        unsent = [one for one in list(self._deliveries.values())[after.deliveries :] if one.thread_id == thread_id]
        kept = {one.event_id for one in self.kept("events")}
        owed = self._owed.get(thread_id, set()) | {EventId(one.parents) for one in unsent if one.parents in kept}
        return Settlement(
            thread_id=thread_id,
            head_ids=head.head_ids,
            version=head.version,
            ots=head.ots,
            last_conversation_id=head.last_conversation_id,
            owed=tuple(sorted(owed)),
            user_id=user_id,
            rows=[row for row in rows if user_id and _person_of(row) == user_id],
        )

    async def digest(self, of: Table, since: int) -> Digest:
        """Sum up what counts here and was received in an hour and after."""
        return digest_of((one.received_at, one.hash) for one in self.kept(of) if one.received_at >= since * HOUR)

    async def hashes(self, of: Table, since: int, until: int) -> dict[EventId, bytes]:
        """Read what counts here and was received from a moment on up to another."""
        return {one.event_id: one.hash for one in self.kept(of) if since <= one.received_at < until}

    async def records(self, of: Table, event_ids: Sequence[EventId]) -> tuple[Record, ...]:
        """Read some events or deliveries."""
        wanted = set(event_ids)
        return tuple(one for one in self.kept(of) if one.event_id in wanted)

    def kept(self, of: Table) -> list[Record]:
        """Give every event that counts, or every delivery, as they came."""
        if of == "deliveries":
            return list(self._deliveries.values())
        return [one for one in self._events.values() if one.event_id not in self._aborted]

    async def cursors(self) -> dict[str, Cursor]:
        """Read every tier's cursor."""
        return dict(self._cursors)


def _waiting(row: RowChange) -> Waiting:
    data = json.loads((row.values or ("", "{}"))[1])
    user_id, chat_id, flow = row.key
    return Waiting(user_id, chat_id, flow, ConversationId(from_text(data["conversation_id"])))


_place = attrgetter("ots", "version", "event_id")


def _names_zone(record: Record) -> bool:
    return record.kind == "thread.noted" and json.loads(record.facts).get("rule") == "timezone"


def _due(row: RowChange) -> Due:
    _, data, _, _, expires_at = row.values or ("", "{}", 0, 0, 0)
    return Due(json.loads(data).get("due_at", expires_at), *row.key)


def _person_of(row: RowChange) -> object:
    """Name the person a row is about; conversation_states has them in its key, the others behind it."""
    return row.key[0] if row.table == "conversation_states" else (row.values or (None,))[0]

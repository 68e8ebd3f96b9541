"""The small port below the log: a journal commits a batch of writes and reads rows back. Drivers are leaves."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from msgspec import Struct

from holdfast.domain.ids import ConversationId, EventId, OriginId, ThreadId
from holdfast.domain.ports import Due, Head, Quarantined, RowChange, Waiting
from holdfast.domain.state import Machine
from holdfast.infrastructure.log.envelope import Record
from holdfast.infrastructure.tiers.store import Digest, Place, Settlement, Table


class AppendWrite(Struct, frozen=True, gc=False):
    """One turn: the record, the head it was decided on, the head it leads to, rows, whether a reply is owed.

    `voids` are earlier events that owe no reply any more, since this one counts.
    """

    record: Record
    expected: Head
    head: Head
    rows: Sequence[RowChange]
    owes_reply: bool
    voids: Sequence[EventId] = ()


class DeliveryWrite(Struct, frozen=True, gc=False):
    """The fate of one reply."""

    record: Record
    answers: EventId


class QuarantineWrite(Struct, frozen=True, gc=False):
    """One input that could not be taken in."""

    item: Quarantined


class ReplayedWrite(Struct, frozen=True, gc=False):
    """An input in quarantine that was taken in after all."""

    dedup_key: str
    at: int


class BlobWrite(Struct, frozen=True, gc=False):
    """A photo's bytes."""

    thread_id: ThreadId
    digest: bytes
    content: bytes
    at: int


class MetaWrite(Struct, frozen=True, gc=False):
    """One fact the journal keeps of itself; an empty one is kept no more."""

    name: str
    value: str


class UnionWrite(Struct, frozen=True, kw_only=True, gc=False):
    """A thread folded anew: events learned from a tier come in, events that a tier refused count no longer.

    `expected` and `head` are compared and written as in an append; `closed` says that every parent named in the
    thread is there, and `untold` (never written) that a fork left something its person was not told; `owing` are the
    events that count and owe a reply, whether it has met its fate or not; `user_id` is the person whose rows `rows`
    replaces (0: nobody's).
    """

    thread_id: ThreadId
    expected: Head
    head: Head
    closed: bool
    untold: bool = False
    learned: Sequence[Record]
    deliveries: Sequence[Record]
    aborted: Sequence[EventId]
    owing: Sequence[EventId]
    user_id: int
    rows: Sequence[RowChange]


class Cursor(Struct, frozen=True, gc=False):
    """How far a tier has been given this journal, the greatest canary seen there, and how far its tail was read."""

    events: int = 0
    deliveries: int = 0
    canary: int = 0
    place: Place = Place()


class CursorWrite(Struct, frozen=True, gc=False):
    """Where one tier's cursor stands now."""

    tier_id: str
    cursor: Cursor


class Standing(Struct, frozen=True, gc=False):
    """All that is known of a thread: its head, the events that count, and what each delivery answers, by identities."""

    thread_id: ThreadId
    head: Head
    records: tuple[Record, ...]
    answered: dict[EventId, EventId]


class Tail(Struct, frozen=True, gc=False):
    """What a journal holds behind a cursor: each event that counts and each delivery, with its place."""

    events: tuple[tuple[int, Record], ...]
    deliveries: tuple[tuple[int, Record], ...]


Write = AppendWrite | DeliveryWrite | QuarantineWrite | ReplayedWrite | BlobWrite | MetaWrite | UnionWrite | CursorWrite

Outcome = Exception | None
"""What became of one write of a batch: None when it is durable, Conflict or LogUnavailable when it is not there."""


_CHAT = 3
"""Where the chat stands in `tg:<bot id>:<update_id>:<chat id>:<message or callback id>`."""


class Snapshot(Struct, frozen=True, kw_only=True):
    """All a cold load needs, read together: `records` are the last conversation and other copies of its inputs.

    `zone` is the event in which the person named their time zone last. `touched` says of each flow they have open
    when it moved on last, by the projections' rows, in microseconds since 1970.
    """

    head: Head
    records: tuple[Record, ...]
    copies: tuple[Record, ...]
    machines: tuple[Machine, ...]
    zone: Record | None = None
    touched: dict[str, int] = {}


class Opened(Struct, frozen=True, kw_only=True):
    """What a journal knows when it is opened. `last_ots` is -1 and `last_received_at` 0 when it is empty."""

    origin: OriginId
    origin_seq: int
    meta: dict[str, str]
    last_ots: int
    last_received_at: int


Debt = tuple[EventId, OriginId | None]
"""An event without a delivery, and the origin of the worker it was learned from; None: it is this worker's own."""


class JournalStore(Protocol):
    """A worker's own store. A batch is one transaction; no write's failure undoes another's."""

    async def open(self) -> Opened:
        """Make ready; JournalLocked, AlienJournal, CorruptJournal, NewerJournal when it can't be."""

    async def close(self) -> None:
        """Finish what was begun and let go."""

    async def commit(self, batch: Sequence[Write]) -> Sequence[Outcome]:
        """Write a batch; when this returns, every write whose outcome is None survives a crash."""

    async def snapshot(self, thread_id: ThreadId, dedup_key: str, user_id: int) -> Snapshot:
        """Read a thread's head, its last conversation, the copies of one input, and one person's machines."""

    async def conversation(self, thread_id: ThreadId, conversation_id: ConversationId) -> tuple[Record, ...]:
        """Read one conversation, and other copies of its inputs: after a fork one of these may count instead."""

    async def copies(self, thread_id: ThreadId, dedup_key: str) -> tuple[Record, ...]:
        """Read what one input became."""

    async def thread(self, thread_id: ThreadId) -> tuple[Record, ...]:
        """Read a whole thread, in no particular order."""

    async def record(self, event_id: EventId) -> Record | None:
        """Read one event."""

    async def delivered(self, event_id: EventId) -> bool:
        """Whether a reply to this event has met its fate."""

    async def deliveries(self, thread_id: ThreadId) -> tuple[Record, ...]:
        """Read the fates of a thread's replies, oldest first."""

    def owed(self) -> AsyncIterator[tuple[ThreadId, tuple[Debt, ...]]]:
        """Give the threads that are owed replies, and their events without one, also those that owe none."""

    async def owed_in(self, thread_id: ThreadId) -> tuple[Debt, ...]:
        """Give the events of one thread that have no delivery, in canonical order."""

    def threads(self) -> AsyncIterator[ThreadId]:
        """Give every thread there is."""

    async def forked(self) -> tuple[ThreadId, ...]:
        """Name the threads that have several ends."""

    async def thread_of(self, conversation_id: ConversationId) -> ThreadId | None:
        """Find the thread of a conversation."""

    async def head(self, thread_id: ThreadId) -> Head:
        """Read a thread's head; that of a thread that is not there is empty."""

    async def head_ids(self, thread_id: ThreadId) -> tuple[EventId, ...]:
        """Read which events a thread's head names."""

    async def debt(self, thread_id: ThreadId) -> int:
        """Read how many replies a thread's head says are owed: for each input one, by the copy that counts."""

    async def is_erased(self, thread_id: ThreadId) -> bool:
        """Whether the person of this thread asked to be forgotten."""

    async def counts(self) -> tuple[int, int, int]:
        """Count events, deliveries and what stands in quarantine."""

    async def quarantine(self) -> list[Quarantined]:
        """Read what stands in quarantine, oldest first."""

    async def blob(self, thread_id: ThreadId, digest: bytes) -> bytes | None:
        """Read a photo's bytes."""

    async def rows(self, table: str) -> list[RowChange]:
        """Read a projection's live table, whole, as the row changes that would write it."""

    async def waiting(self, since: int, after: Waiting, at_most: int) -> list[Waiting]:
        """Read so many open conversations, in order, behind one, that have not moved on after a moment."""

    async def threads_between(self, since: int, until: int, after: ThreadId, at_most: int) -> list[ThreadId]:
        """Read so many threads, in order, behind one, of which something was received between two moments."""

    async def row(self, table: str, key: tuple[object, ...]) -> RowChange | None:
        """Read one row of `photos_wanted`, the one table whose rows are looked up one by one."""

    async def due(self, until: int, after: Due | None, at_most: int) -> list[Due]:
        """Read what is due next until a moment, behind an entry that was given before, in its order."""

    async def covers(self, thread_id: ThreadId, event_ids: Sequence[EventId]) -> bool:
        """Whether all these events of a thread are here, and every parent named in the thread."""

    async def unsent(self, thread_id: ThreadId, after: Cursor) -> tuple[Record, ...]:
        """Read a thread's events behind a cursor, in the order they were written."""

    async def tail(self, after: Cursor, at_most: int) -> Tail:
        """Read what stands behind a cursor, in the order it was written; so many events and deliveries at most."""

    async def settlements(self, thread_ids: Sequence[ThreadId], after: Cursor) -> list[Settlement]:
        """Read what threads amount to, as of one moment, for a tier with this cursor.

        A reply whose delivery stands behind the cursor is owed there until that delivery comes: it may never.
        """

    async def standing(self, thread_ids: Sequence[ThreadId]) -> list[Standing]:
        """Read all of some threads, as of one moment, in the order asked; of one that is not there nothing is known."""

    async def cursors(self) -> dict[str, Cursor]:
        """Read every tier's cursor, by the tier's identity."""

    async def digest(self, of: Table, since: int) -> Digest:
        """Sum up what counts here and was received in an hour (since 1970) and after."""

    async def hashes(self, of: Table, since: int, until: int) -> dict[EventId, bytes]:
        """Read what counts here and was received from a moment on up to another: identities, hashes."""

    async def records(self, of: Table, event_ids: Sequence[EventId]) -> tuple[Record, ...]:
        """Read some events or deliveries."""


def owner_of(dedup_key: str) -> int:
    """Name the person whose thread an input belongs to, by the chat it came from; 0 for a group, a timer, a fact."""
    parts = dedup_key.split(":")
    chat = parts[_CHAT] if parts[0] == "tg" and len(parts) > _CHAT else ""
    return int(chat) if chat.isdecimal() else 0


def cursor_of(events: int, deliveries: int, canary: int, *place: int) -> Cursor:
    """Read a cursor's columns."""
    events_xid, events_pos, deliveries_xid, deliveries_pos = place
    return Cursor(events, deliveries, canary, Place((events_xid, events_pos), (deliveries_xid, deliveries_pos)))

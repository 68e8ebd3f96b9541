"""The small port below the log to one tier: append, push, settle, probe. Drivers are leaves.

Every call is given the seconds it may take. It ends in one of four ways, and which one decides what comes next:
it was done; `NotExecuted` (for certain it was not done: another tier may be asked, comparing as before);
`Ambiguous` (it may have been done: the same bytes must go elsewhere, and can never be taken back); or, for one
turn of a batch, an outcome of its own (`Conflict`, `RowRefused`), which harms no other turn of the batch.
"""

from collections.abc import Iterable, Sequence
from typing import Literal, Protocol

from msgspec import Struct

from holdfast.domain.ids import ConversationId, EventId, OriginId, ThreadId
from holdfast.domain.ports import RowChange
from holdfast.infrastructure.log.envelope import Record


class Mark(Struct, frozen=True, gc=False):
    """Where a thread stands on one tier; `rev` and the hint are the tier's own, never compared with another's.

    `head_ids` are the events that no event there names as a parent, in the order of their identities. `closed`
    (the column `hint_valid`) says that every parent named there is there too.
    """

    rev: int = 0
    head_ids: tuple[EventId, ...] = ()
    closed: bool = True


class TierTurn(Struct, frozen=True, gc=False):
    """One turn, as a tier takes it.

    It goes through only while the thread still stands at `expected` (revision and heads both). `rows` are the
    changes this one event makes to the projections: right only on top of exactly its parents' rows, so a tier
    whose heads are not the record's parents, which is not closed, or where the thread was not settled, stores the
    event and leaves the rows alone.
    """

    record: Record
    expected: Mark
    rows: Sequence[RowChange]
    owes_reply: bool
    last_conversation_id: ConversationId | None


class Appended(Struct, frozen=True, gc=False):
    """A turn that went through: where the thread stands now, and whether its rows were written too."""

    mark: Mark
    rows_written: bool


class Stale(Struct, frozen=True, gc=False):
    """A turn that did not go through, since the thread stands elsewhere; nothing was written."""

    mark: Mark


Verdict = Appended | Stale | Exception
"""What became of one turn of a batch; an exception (RowRefused) says that nothing of it was written."""


class Settlement(Struct, frozen=True, gc=False):
    """All that a thread amounts to once its events are `head_ids` and their ancestors.

    `user_id` is the person whose rows are replaced (0: none are), `rows` all rows of theirs that shall stand,
    `owed` the events that count and whose reply, as far as is known, has not met its fate.
    """

    thread_id: ThreadId
    head_ids: tuple[EventId, ...]
    version: int
    ots: int
    last_conversation_id: ConversationId | None
    owed: tuple[EventId, ...]
    user_id: int
    rows: Sequence[RowChange]


class TierFacts(Struct, frozen=True, kw_only=True):
    """What a tier says of itself, for operators.

    `tier_id` names the database itself: two names for one database have the same. `xmin_age` is how many seconds
    the oldest transaction still open on the server has been so, `writable` is false on a read-only replica,
    `owner` is true when the role could change what was written.
    """

    tier_id: str
    bot_id: int | None
    canary: int
    server_version: str
    role: str
    owner: bool
    writable: bool
    encrypted: bool
    migrations: tuple[int, ...]
    xmin_age: float
    events: int
    deliveries: int


def lane_of(thread_id: ThreadId, lanes: int) -> int:
    """Choose the lane of a thread: always the same one, so that its turns stay in order."""
    return thread_id[-1] % lanes


class Place(Struct, frozen=True, gc=False):
    """How far a tier's own tail was read, in `events` and in `deliveries`: (transaction, position) of the last row."""

    events: tuple[int, int] = (0, 0)
    deliveries: tuple[int, int] = (0, 0)


class Pulled(Struct, frozen=True, gc=False):
    """What stands behind a place, but for what one origin wrote, and the place after it.

    `held_back` says that nothing could be read although events stand there: a transaction is open that might still
    come before them, be it in another database of the server.
    """

    events: tuple[Record, ...]
    deliveries: tuple[Record, ...]
    place: Place
    held_back: bool = False


OTHER_KEY = "the words on the tier {name} are encrypted under another master key: set HOLDFAST_MASTER_KEY to that one"
"""What KeyMissing says."""

HOUR = 3_600_000_000
"""Microseconds."""

_DIGITS, _BITS = 16, 64
"""Of the first eight bytes of a hash, as hexadecimal and as they are."""

Digest = dict[int, tuple[int, int]]
"""By the hour in which records were received (hours since 1970): how many, and the exclusive or of the first eight
bytes of their hashes, as a signed number."""


class Holding(Struct, frozen=True, gc=False):
    """The origins whose leases a worker has; `was_away`: its own was in another's hands, and had not run out.

    `alive` is how many workers hold leases, or have just been heard of.
    """

    origins: frozenset[OriginId]
    was_away: bool = False
    alive: int = 1


Table = Literal["events", "deliveries"]
"""The two sets of records that are replicated."""


def digest_of(received: Iterable[tuple[int, bytes]]) -> Digest:
    """Sum up records, each given by the microsecond it was received in and its hash."""
    found: Digest = {}
    for at, hashed in received:
        hour = at // HOUR
        count, xor = found.get(hour, (0, 0))
        found[hour] = count + 1, xor ^ int.from_bytes(hashed[:8], "big", signed=True)
    return found


def exclusive_or(numbers: str) -> int:
    """Give the exclusive or, signed, of numbers of eight bytes each, written one behind the other as hexadecimal.

    Half is laid upon half until one is left: a dozen steps for ten thousand numbers, not ten thousand.
    """
    left, found = len(numbers) // _DIGITS, int(numbers, 16)
    while left > 1:
        half = (left + 1) // 2
        found = (found >> (half * _BITS)) ^ (found & ((1 << half * _BITS) - 1))
        left = half
    return int.from_bytes(found.to_bytes(_BITS // 8, "big"), "big", signed=True)


class TierStore(Protocol):
    """One tier. Safe to call from many tasks at once; a call that ran out of time leaves no half-used connection."""

    @property
    def name(self) -> str:
        """The tier's name, as operators know it: `neon`."""

    @property
    def lanes(self) -> int:
        """How many batches of turns it takes at once; all turns of one batch are of one lane (see `lane_of`)."""

    async def open(self, bot_id: int, within: float) -> TierFacts:
        """Connect and make sure that this is a tier for this bot; may be called again after a failure.

        The first bot that comes owns the database. OtherBot, NotMigrated, NewerJournal, ChangedMigration,
        NotExecuted (the message names what is wrong and what to do; never a password).
        """

    async def keep_to_key(self, key: str, within: float) -> None:
        """Go on under the key that words here were written with first; `none` may give way to one. KeyMissing."""

    @property
    def generation(self) -> int:
        """A number that grows with each connection made: behind a new one may stand another moment of the tier."""

    async def close(self) -> None:
        """Let go of every connection, without waiting for answers."""

    async def append(self, batch: Sequence[TierTurn], within: float) -> Sequence[Verdict]:
        """Write a batch of turns, at most one of each thread, in one round trip and one transaction.

        The heads are locked in the order of the threads' identities. NotExecuted, Ambiguous: for the whole batch.
        """

    async def marks(self, thread_ids: Sequence[ThreadId], within: float) -> Sequence[Mark]:
        """Read where threads stand, in the order asked; a thread that is not there stands at `Mark()`."""

    async def thread(self, thread_id: ThreadId, within: float) -> tuple[tuple[Record, ...], tuple[Record, ...]]:
        """Read a whole thread, as of one moment: its events and its deliveries, in no particular order."""

    async def push(self, events: Sequence[Record], deliveries: Sequence[Record], within: float) -> dict[ThreadId, Mark]:
        """Insert what is not there, comparing nothing, in one transaction; say where the threads of `events` stand.

        A thread that got an event it did not have has its heads found anew, its revision raised, and is closed
        only if every parent named in it is there; it is not settled any more. A delivery settles the debt of its
        event, or of a copy of its input in which the same was decided.
        A record whose identity is there with another hash is a twin: it is kept in `quarantine` and not inserted.
        NotExecuted, Ambiguous: for all of it.
        """

    async def settle(self, settlements: Sequence[Settlement], within: float) -> Sequence[bool]:
        """Replace the head's other columns and the person's rows, where a thread is closed and has just these heads.

        Says for each whether it was so; where not, nothing was changed. Of what is owed, that is left out which has
        met its fate there. One transaction, heads locked in order.
        """

    async def unsettled(self, after: ThreadId, at_most: int, within: float) -> Sequence[ThreadId]:
        """Name threads whose rows and debts may not be what their events amount to: the next behind one, in order.

        A thread is so since events came by `push`, or a turn's rows were left alone, until it is settled. NotExecuted.
        """

    async def probe(self, within: float) -> int:
        """Raise the canary by one and read it back: the tier takes writes. Gives the canary."""

    async def seen(self, at: int, within: float) -> int:
        """Say that a worker was there at a moment, in microseconds since 1970; give the latest said before (0: none).

        An earlier moment changes nothing. NotExecuted, Ambiguous.
        """

    async def hold(self, worker: OriginId, others: Sequence[OriginId], seconds: float, within: float) -> Holding:
        """Let a worker hold its own lease, whoever had it, and those it has; and take those that have run out.

        They last so many seconds, by the tier's clock. Of the others that are named, those not known here get a
        lease of their own: it must run out before anybody takes it. NotExecuted, Ambiguous.
        """

    async def facts(self, within: float) -> TierFacts:
        """Read what the tier says of itself."""

    async def pull(self, after: Place, but: OriginId, at_most: int, within: float) -> Pulled:
        """Read the tail behind a place, at most so many events and deliveries, without those of one origin.

        Only what no transaction still under way can come before is read, so nothing is ever missed. NotExecuted.
        """

    async def digest(self, of: Table, since: int, within: float) -> Digest:
        """Sum up what was received in an hour (since 1970) and after; NotExecuted."""

    async def hashes(self, of: Table, since: int, until: int, within: float) -> dict[EventId, bytes]:
        """Read what was received from a moment on up to another (microseconds): identities and hashes; NotExecuted."""

    async def records(self, of: Table, event_ids: Sequence[EventId], within: float) -> tuple[Record, ...]:
        """Read some events or deliveries; NotExecuted."""

"""The walls between the pure core and the world: what the engine asks of the log, the clock and the edge."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Protocol

from msgspec import Struct

from holdfast.domain.event import Draft, Event
from holdfast.domain.ids import ConversationId, EventId, OriginId, ThreadId
from holdfast.domain.inbound import Inbound
from holdfast.domain.screen import Screen
from holdfast.domain.state import Machine, ThreadState


class RowChange(Struct, frozen=True, gc=False):
    """One row of a projection as it shall stand: its table, its key, and all its other columns; None: no row.

    Times are microseconds since 1970.
    """

    table: str
    key: tuple[Any, ...]
    values: tuple[Any, ...] | None


Fold = Callable[[ThreadState, ThreadState, Event], list[RowChange]]
"""A projection: the row changes an event makes, given the states of its thread before and after it."""


class Head(Struct, frozen=True, kw_only=True, gc=False):
    """Where a thread ends: what an append compares (`rev`, `head_ids`) and what the next event builds on."""

    rev: int = 0
    version: int = 0
    ots: int = -1
    head_ids: tuple[EventId, ...] = ()
    head_hashes: tuple[bytes, ...] = ()
    last_conversation_id: ConversationId | None = None


class Due(Struct, frozen=True, gc=False, order=True):
    """What time brings next to an open conversation: when, in microseconds since 1970, and whose it is."""

    at: int
    user_id: int
    chat_id: int
    flow: str


class Loaded(Struct, frozen=True, kw_only=True):
    """What is needed to decide: the head, the events that matter, the machines, and copies of this very input.

    `events` are those of `conversations`, and other copies of their inputs: they say which copy counts, and at what
    place, but belong to conversations that were not loaded. `zone` is the time zone the person named, if any.
    `touched` says when each open conversation, by its flow, moved on last: the end of another one, which was not
    loaded, may have done that.
    """

    head: Head
    conversations: frozenset[ConversationId]
    events: tuple[Event, ...]
    machines: tuple[Machine, ...]
    copies: tuple[Event, ...] = ()
    zone: str = ""
    touched: dict[str, int] = {}


class Minted(Protocol):
    """An event that has its identity and its frozen bytes, and is not in the log yet."""

    @property
    def event(self) -> Event:
        """The event as the fold reads it."""


class Turn(Struct, frozen=True, kw_only=True, gc=False):
    """All that one turn writes at once: the event, the head it builds on, the projections' rows, a reply owed.

    `voids` are earlier events that owe no reply any more, since this one counts.
    """

    thread_id: ThreadId
    expected: Head
    minted: Minted
    rows: Sequence[RowChange]
    owes_reply: bool
    last_conversation_id: ConversationId | None
    voids: tuple[EventId, ...] = ()


class Receipt(Struct, frozen=True, gc=False):
    """What an append gives: the new head, and whether as many copies stand elsewhere as the log was asked for."""

    head: Head
    safe: bool = True


class Delivery(Struct, frozen=True, kw_only=True, gc=False):
    """The fate of one reply. `outcome` is sent, blocked or failed; times are microseconds since 1970."""

    thread_id: ThreadId
    answers: EventId
    screens: tuple[Screen, ...]
    message_ids: tuple[int, ...]
    outcome: str
    attempts: int
    at: int


class Owed(Struct, frozen=True, kw_only=True):
    """Replies a thread is owed: the events that have no delivery, in canonical order, also those that owe none.

    `others` names, of those that another worker wrote, the origin.
    """

    thread_id: ThreadId
    event_ids: tuple[EventId, ...]
    others: dict[EventId, OriginId] = {}


class Quarantined(Struct, frozen=True, kw_only=True):
    """An input that could not be taken in, kept raw with the error that stopped it."""

    dedup_key: str
    thread_id: ThreadId | None
    raw: bytes | None
    error: str
    received_at: int
    replayed_at: int | None = None


class Waiting(Struct, frozen=True, gc=False):
    """A conversation that is open: whose it is, in which chat, of which flow (in this order), and which one."""

    user_id: int = 0
    chat_id: int = 0
    flow: str = ""
    conversation_id: ConversationId = ConversationId(b"")


class WantedPhoto(Struct, frozen=True, kw_only=True):
    """A photo whose bytes are not kept yet, and the event it came with. `file_size` is in bytes, 0 when unknown.

    `origin` is the worker that wrote that event, `own` says that it is this one.
    """

    event_id: EventId
    thread_id: ThreadId
    user_id: int
    chat_id: int
    file_id: str
    file_size: int
    origin: OriginId
    own: bool = True


class Log(Protocol):
    """The event log as the engine sees it."""

    async def load(self, thread_id: ThreadId, inbound: Inbound) -> Loaded:
        """Read what deciding this input needs; LogUnavailable when it can't be read."""

    async def copies(self, thread_id: ThreadId, dedup_key: str) -> tuple[Event, ...]:
        """Read the events this very input already became."""

    async def history(self, thread_id: ThreadId) -> tuple[Event, ...]:
        """Read a whole thread, in canonical order."""

    def mint(self, inbound: Inbound, head: Head, draft: Draft) -> Minted:
        """Give a draft its identity, its place after the head, and its frozen bytes."""

    async def append(self, turn: Turn) -> Receipt:
        """Make a turn durable and give its receipt; Conflict, RowRefused, LogUnavailable: nothing was written.

        A timer stands on a tier before it stands in the journal; NoTier when there are tiers and none can be had.
        """

    async def learned(self) -> None:
        """Wait until events that this log did not know came in from elsewhere, since this was asked last."""

    async def seen(self, at: int) -> int:
        """Say elsewhere that this worker was there for its people at a moment (0: say nothing).

        Gives the latest moment that any worker had said before; 0 when nobody did, or there is no other place.
        NoTier when there are tiers and none can be had.
        """

    async def forked(self) -> frozenset[ThreadId]:
        """Name the threads in which a fork may have left something untold; each only once, as long as nothing is new.

        LogUnavailable when the log can't be read.
        """

    async def secure(self, thread_id: ThreadId) -> bool:
        """Restore, for what is known of a thread, all that an acknowledgement promises, as far as it can be had.

        False when it stands on this machine alone, though there are tiers.
        """

    async def record(self, delivery: Delivery) -> None:
        """Make the fate of a reply durable."""

    async def delivered(self, event_id: EventId) -> bool:
        """Whether a reply to this event has met its fate."""

    def owed(self) -> AsyncIterator[Owed]:
        """Give every thread that is owed replies."""

    async def owed_in(self, thread_id: ThreadId) -> Owed:
        """Give what one thread is owed."""

    async def due(self, until: int, after: Due | None, at_most: int) -> list[Due]:
        """Give what is due next until a moment, behind an entry that was given before, in its order."""

    async def wrote_last(self, thread_id: ThreadId) -> bool:
        """Whether a thread's newest event was written here; true where there is only one writer."""

    def owes_elsewhere(self, thread_id: ThreadId) -> bool:
        """Whether a reply of this thread is owed for what another worker wrote, as far as is known at once."""

    async def quarantine(self, item: Quarantined) -> None:
        """Keep an input that could not be taken in."""

    async def event(self, event_id: EventId) -> Event | None:
        """Read one event."""

    async def waiting(self, since: int, after: Waiting, at_most: int) -> list[Waiting]:
        """Give so many conversations, in order, that are open and have not moved on after a moment, behind one."""

    async def threads_between(self, since: int, until: int, after: ThreadId, at_most: int) -> list[ThreadId]:
        """Give so many threads, in order, behind one, of which something was received between two moments."""

    async def photos_wanted(self) -> list[EventId]:
        """Name the events whose photos' bytes are not kept yet, oldest first."""

    async def photo_wanted(self, event_id: EventId) -> WantedPhoto | None:
        """Give one of these photos; None when it is wanted no more."""

    async def keep(self, thread_id: ThreadId, digest: bytes, content: bytes) -> None:
        """Make a photo's bytes durable, under the SHA-256 of what they are."""

    async def remember(self, name: str, value: str) -> None:
        """Keep one fact about this log, durably; an empty one is none."""


class Held(Struct, frozen=True):
    """What changed when a worker held its leases: the origins it answers for from now on, and no longer.

    `was_away`: another worker had answered for this one, and is told only now that it must stop. `workers` is how many
    there are with this one, as far as is known.
    """

    gained: frozenset[OriginId] = frozenset()
    lost: frozenset[OriginId] = frozenset()
    was_away: bool = False
    workers: int = 1


class Leases(Protocol):
    """Who answers for whom: a worker for what it wrote itself, and for workers that were silent for too long."""

    @property
    def seconds(self) -> float:
        """How long a lease lasts that is not held again."""

    @property
    def are_sure(self) -> bool:
        """Whether they are known to be held at this moment; else no tier answers, or there is none."""

    async def hold(self) -> Held:
        """Hold this worker's lease and those it has for another while, and take over what has run out."""

    def answers_for(self, origin: OriginId) -> bool:
        """Whether this worker sends what is owed for the events of another origin."""


class Clock(Protocol):
    """Time, as a port: so that a simulator can turn it."""

    def now(self) -> int:
        """Give the present time in microseconds since 1970."""

    async def sleep(self, seconds: float) -> None:
        """Let some time pass."""


class Files(Protocol):
    """Where photos are fetched from."""

    async def fetch(self, file_id: str) -> bytes:
        """Give a file's bytes; TelegramUnreachable: try later, TelegramRefused: it can't be had."""


class Messenger(Protocol):
    """The edge a reply goes out through."""

    def parts(self, screen: Screen) -> tuple[Screen, ...]:
        """Divide what is too long for one message; nearly always the screen itself."""

    async def send(self, chat_id: int, screen: Screen, replaces: int = 0) -> int:
        """Show a screen and give its message id; TelegramError when it was not shown.

        `replaces` is a message that the screen takes the place of (0: none).
        """

    async def acknowledge(self, callback_id: str) -> None:
        """Tell the edge that a tap has been taken in; best effort, never an error."""

"""The log's protocol: what a turn reads, how it is minted and made durable. The same code over every store."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence

from holdfast.domain.errors import BrokenLog, HoldfastError, OtherBot
from holdfast.domain.event import Draft, Event
from holdfast.domain.ids import ConversationId, EventId, OriginId, ThreadId, as_text, from_text
from holdfast.domain.inbound import Inbound
from holdfast.domain.order import place
from holdfast.domain.ports import (
    Clock,
    Delivery,
    Due,
    Head,
    Leases,
    Loaded,
    Owed,
    Quarantined,
    Receipt,
    RowChange,
    Turn,
    Waiting,
    WantedPhoto,
)
from holdfast.domain.watch import TurnTold, Unwatched, Watch
from holdfast.infrastructure.log.alone import Alone
from holdfast.infrastructure.log.codec import Codec
from holdfast.infrastructure.log.envelope import Record
from holdfast.infrastructure.log.group_commit import GroupCommit
from holdfast.infrastructure.log.keys import NO_KEY, check_key
from holdfast.infrastructure.log.mint import Mint, MintedEvent, Randomness
from holdfast.infrastructure.log.stores import (
    AppendWrite,
    BlobWrite,
    Debt,
    DeliveryWrite,
    JournalStore,
    MetaWrite,
    Opened,
    QuarantineWrite,
    ReplayedWrite,
    Write,
)
from holdfast.infrastructure.tiers.service import TierService
from holdfast.infrastructure.tiers.tier import Tier

_REMEMBERED = 4096
MakeTiers = Callable[[JournalStore, GroupCommit[Write, None]], TierService]
"""Puts tiers beside a journal; they write to it through its own group commit."""
_PATIENCE = 0.005
"""Seconds a delivery waits for a turn to share its commit: a sync of its own would stand in the next turn's way."""


class EventLog:
    """The event log over one journal. Open it before use, close it after."""

    def __init__(  # noqa: PLR0913 - what a log is wired to
        self,
        journal: JournalStore,
        codec: Codec,
        clock: Clock,
        randomness: Randomness,
        *,
        tiers: MakeTiers | None = None,
        watch: Watch | None = None,
    ) -> None:
        """Wire the log; nothing is read or written yet. Without tiers, the journal alone is the log."""
        self._watch = watch or Unwatched()
        self._journal = journal
        self._codec = codec
        self._clock = clock
        self._randomness = randomness
        self._commits: GroupCommit[Write, None] = GroupCommit(journal.commit, last=tiers is not None)
        self._tiers = tiers(journal, self._commits) if tiers else None
        self._alone = Alone()
        self._mint: Mint | None = None
        self._origin = OriginId(b"")
        self._is_new = True
        self._unanswered: OrderedDict[EventId, Record] = OrderedDict()

    async def open(self, bot_id: int) -> Opened:
        """Open the journal for one bot; OtherBot when it belongs to another, and the journal's own errors."""
        opened = await self._journal.open()
        try:
            await self._belong_to(bot_id, opened.meta.get("bot_id"))
            await self._keep_to_key(opened.meta.get("key", NO_KEY))
            if self._tiers is not None:
                await self._tiers.open(bot_id, opened.origin)
        except BaseException:
            await self._journal.close()
            raise
        self._origin = opened.origin
        self._mint = Mint(self._codec, self._clock, self._randomness, opened.origin, opened.origin_seq)
        return opened

    async def _belong_to(self, bot_id: int, owner: str | None) -> None:
        if owner is None:
            await self._commits.write(MetaWrite("bot_id", str(bot_id)))
        elif owner != str(bot_id):
            raise OtherBot(
                f"this journal belongs to the bot {owner}, not to {bot_id}: name another file in HOLDFAST_JOURNAL"
            )

    async def _keep_to_key(self, known: str) -> None:
        """Go on under the key the words were written with; a journal without one may begin to use one."""
        mine = self._codec.key_name
        check_key(known, mine)
        if known != mine:
            await self._commits.write(MetaWrite("key", mine))

    async def close(self) -> None:
        """Finish the commits under way and let go of the tiers and the journal."""
        if self._tiers is not None:
            await self._tiers.close()
        await self._commits.close()
        await self._journal.close()

    @property
    def commits(self) -> GroupCommit[Write, None]:
        """What gathers writes for the journal: it knows how many wait, and how long commits take."""
        return self._commits

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """Where this worker stands with each tier, in their order."""
        return tuple(self._tiers.lineup.tiers) if self._tiers else ()

    async def event(self, event_id: EventId) -> Event | None:
        """Read one event."""
        record = await self._journal.record(event_id)
        return self._codec.event(record) if record else None

    async def waiting(self, since: int, after: Waiting, at_most: int) -> list[Waiting]:
        """Give so many open conversations behind one that have not moved on after a moment."""
        return await self._journal.waiting(since, after, at_most)

    async def threads_between(self, since: int, until: int, after: ThreadId, at_most: int) -> list[ThreadId]:
        """Give so many threads behind one of which something was received between two moments."""
        return await self._journal.threads_between(since, until, after, at_most)

    async def photos_wanted(self) -> list[EventId]:
        """Name the events whose photos' bytes are not kept yet; identities sort by time."""
        return [EventId(from_text(row.key[0])) for row in await self._journal.rows("photos_wanted")]

    async def photo_wanted(self, event_id: EventId) -> WantedPhoto | None:
        """Give one of these photos."""
        record = await self._journal.record(event_id)
        row = await self._journal.row("photos_wanted", (as_text(event_id),))
        return _wanted(row, record, self._origin) if row and record else None

    async def keep(self, thread_id: ThreadId, digest: bytes, content: bytes) -> None:
        """Make a photo's bytes durable."""
        stored = self._codec.lock_file(thread_id, digest, content)
        await self._commits.write(BlobWrite(thread_id, digest, stored, self._clock.now()))

    async def kept(self, thread_id: ThreadId, digest: bytes) -> bytes | None:
        """Give a photo's bytes back; None when there are none."""
        stored = await self._journal.blob(thread_id, digest)
        return self._codec.open_file(thread_id, digest, stored) if stored is not None else None

    async def set_aside(self) -> list[Quarantined]:
        """Give what stands in quarantine, oldest first."""
        return await self._journal.quarantine()

    async def settle_quarantined(self, dedup_key: str) -> None:
        """Remember that an input in quarantine was taken in after all."""
        await self._commits.write(ReplayedWrite(dedup_key, self._clock.now()))

    async def remember(self, name: str, value: str) -> None:
        """Keep one fact about this journal; an empty one is none."""
        await self._commits.write(MetaWrite(name, value))

    async def load(self, thread_id: ThreadId, inbound: Inbound) -> Loaded:
        """Read the head, the open conversations' events, the machines, and copies of this very input.

        The journal is what is read; what a tier knows besides is brought into it first.
        """
        if self._tiers is not None:
            await self._tiers.catch_up(thread_id)
        snapshot = await self._journal.snapshot(thread_id, inbound.dedup_key, inbound.said.user_id)
        events = [self._codec.event(record) for record in snapshot.records]
        last = snapshot.head.last_conversation_id
        conversations = {last} if last else set[ConversationId]()
        await self._add_parked(thread_id, events, conversations)
        return Loaded(
            head=snapshot.head,
            conversations=frozenset(conversations),
            events=tuple({event.event_id: event for event in events}.values()),
            machines=snapshot.machines,
            copies=tuple(self._codec.event(record) for record in snapshot.copies),
            zone=self._zone(snapshot.zone),
            touched=snapshot.touched,
        )

    def _zone(self, record: Record | None) -> str:
        """Read the name of a person's time zone; empty once their words are erased."""
        words = self._codec.event(record).words if record else None
        return words.value if words else ""

    async def _add_parked(self, thread_id: ThreadId, events: list[Event], loaded: set[ConversationId]) -> None:
        while missing := [one for one in _parked(events, loaded) if one not in loaded]:
            loaded.add(missing[0])
            records = await self._journal.conversation(thread_id, missing[0])
            events.extend(self._codec.event(record) for record in records)

    async def copies(self, thread_id: ThreadId, dedup_key: str) -> tuple[Event, ...]:
        """Read the events one input already became."""
        return tuple(self._codec.event(record) for record in await self._journal.copies(thread_id, dedup_key))

    async def history(self, thread_id: ThreadId) -> tuple[Event, ...]:
        """Read a whole thread, in canonical order."""
        records = await self._journal.thread(thread_id)
        return tuple(sorted((self._codec.event(record) for record in records), key=place))

    def mint(self, inbound: Inbound, head: Head, draft: Draft) -> MintedEvent:
        """Freeze a draft's bytes."""
        if self._mint is None:
            raise BrokenLog("the log is not open")
        return self._mint.event(inbound, head, draft)

    async def append(self, turn: Turn) -> Receipt:
        """Make a turn durable; Conflict or LogUnavailable: nothing was written."""
        minted = turn.minted
        if not isinstance(minted, MintedEvent):
            raise TypeError(minted)
        record = minted.record
        head = Head(
            rev=turn.expected.rev + 1,
            version=record.version,
            ots=record.ots,
            head_ids=(record.event_id,),
            head_hashes=(record.hash,),
            last_conversation_id=turn.last_conversation_id,
        )
        write = AppendWrite(record, turn.expected, head, turn.rows, turn.owes_reply, turn.voids)
        began_at = self._clock.now()
        try:
            safe = await self._write(write)
        except HoldfastError as error:
            self._tell(minted, type(error).__name__, began_at)
            raise
        self._tell(minted, "saved" if safe else "saved_here", began_at)
        if turn.owes_reply:
            self._remember_unanswered(record)
        return Receipt(head, safe)

    def _tell(self, minted: MintedEvent, outcome: str, began_at: int) -> None:
        record = minted.record
        ended_at = self._clock.now()
        self._watch.turn(TurnTold(record.thread_id, minted.event, outcome, record.received_at, began_at, ended_at))

    async def _write(self, write: AppendWrite) -> bool:
        if self._tiers is not None:
            return await self._tiers.append(write)
        await self._commits.write(write)
        return True

    async def learned(self) -> None:
        """Wait until events of elsewhere came in; without tiers, for ever."""
        if self._tiers is None:
            await asyncio.Event().wait()
        else:
            await self._tiers.learned()

    async def seen(self, at: int) -> int:
        """Say on the tiers that this worker was there, and give the latest that any said before."""
        return await self._tiers.seen(at) if self._tiers is not None else 0

    async def forked(self) -> frozenset[ThreadId]:
        """Name the threads that have several ends, at the first call; then those that a fork was found in since."""
        found = await self._journal.forked() if self._is_new else ()
        self._is_new = False
        return frozenset(found) | (self._tiers.forked() if self._tiers else frozenset())

    async def secure(self, thread_id: ThreadId) -> bool:
        """Bring what the journal holds of a thread to a tier, where there are any; false when none answers."""
        self._watch.known()
        return self._tiers is None or await self._tiers.secure(thread_id)

    def _remember_unanswered(self, record: Record) -> None:
        self._unanswered[record.event_id] = record
        if len(self._unanswered) > _REMEMBERED:
            self._unanswered.popitem(last=False)

    async def record(self, delivery: Delivery) -> None:
        """Make the fate of a reply durable."""
        answered = self._unanswered.get(delivery.answers) or await self._journal.record(delivery.answers)
        if self._mint is None or answered is None:
            raise BrokenLog(f"no event {delivery.answers.hex()} to deliver a reply for")
        minted = self._mint.delivery(delivery, answered)
        await self._commits.write(DeliveryWrite(minted.record, minted.answers), _PATIENCE)
        self._watch.reply(delivery.outcome, delivery.attempts)
        self._unanswered.pop(delivery.answers, None)
        if self._tiers is not None:
            await self._tiers.share(minted.record)

    async def delivered(self, event_id: EventId) -> bool:
        """Whether a reply to this event has met its fate."""
        return await self._journal.delivered(event_id)

    async def owed(self) -> AsyncIterator[Owed]:
        """Give every thread that is owed replies; a turn that is not at its end owes none yet."""
        async for thread_id, event_ids in self._journal.owed():
            yield self._settled(thread_id, event_ids)

    async def owed_in(self, thread_id: ThreadId) -> Owed:
        """Give what one thread is owed."""
        owed = self._settled(thread_id, await self._journal.owed_in(thread_id))
        if owed.others and self._tiers is not None:
            self._tiers.wake()  # what others have answered meanwhile comes home the sooner
        return owed

    def _settled(self, thread_id: ThreadId, debts: Sequence[Debt]) -> Owed:
        settled = [debt for debt in debts if not self._may_be_taken_back(debt[0])]
        if self._tiers is not None:
            self._tiers.debtors.tell(thread_id, [origin for _, origin in settled if origin is not None])
        return Owed(
            thread_id=thread_id,
            event_ids=tuple(event_id for event_id, _ in settled),
            others={event_id: origin for event_id, origin in settled if origin is not None},
        )

    def owes_elsewhere(self, thread_id: ThreadId) -> bool:
        """Whether another worker has not yet answered what it wrote of this thread, as far as is known at once."""
        return self._tiers is not None and thread_id in self._tiers.debtors

    @property
    def leases(self) -> Leases:
        """Who answers for whom; without tiers this worker does for everything."""
        return self._tiers.leases if self._tiers is not None else self._alone

    def _may_be_taken_back(self, event_id: EventId) -> bool:
        return self._tiers is not None and self._tiers.in_flight(event_id)

    async def due(self, until: int, after: Due | None, at_most: int) -> list[Due]:
        """Give what is due next until a moment."""
        return await self._journal.due(until, after, at_most)

    async def wrote_last(self, thread_id: ThreadId) -> bool:
        """Whether a thread's newest event was written here; without tiers, whatever there is was."""
        if self._tiers is None:
            return True
        heads = [await self._journal.record(head) for head in await self._journal.head_ids(thread_id)]
        return any(head is not None and head.origin == self._origin for head in heads)

    async def quarantine(self, item: Quarantined) -> None:
        """Keep an input that could not be taken in."""
        await self._commits.write(QuarantineWrite(item))
        self._watch.set_aside()


def _wanted(row: RowChange, record: Record, origin: OriginId) -> WantedPhoto:
    user_id, chat_id, file_id, file_size = row.values or ()
    return WantedPhoto(
        event_id=record.event_id,
        thread_id=record.thread_id,
        user_id=user_id,
        chat_id=chat_id,
        file_id=file_id,
        file_size=file_size,
        origin=record.origin,
        own=record.origin == origin,
    )


def _parked(events: list[Event], loaded: set[ConversationId]) -> list[ConversationId]:
    inside = (event for event in events if event.conversation_id in loaded)
    return [ConversationId(from_text(text)) for event in inside for text in event.facts.parked]

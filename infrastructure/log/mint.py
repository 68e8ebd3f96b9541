"""Minting: a draft gets its identity, its place in the thread and its frozen bytes, once and for ever."""

from collections.abc import Callable

import msgspec

from holdfast.domain.event import Draft, Event, Facts
from holdfast.domain.ids import ConversationId, EventId, OriginId, ThreadId
from holdfast.domain.inbound import Inbound
from holdfast.domain.ports import Clock, Delivery, Head
from holdfast.infrastructure.log.canonical import canonical
from holdfast.infrastructure.log.codec import SALT_BYTES, Codec
from holdfast.infrastructure.log.envelope import Record, hash_of

Randomness = Callable[[int], bytes]
_UUID_RANDOM = 10
_NO_HASH = bytes(32)


class MintedEvent(msgspec.Struct, frozen=True, gc=False):
    """An event beside the very bytes that will stand for it on every tier."""

    event: Event
    record: Record


class MintedDelivery(msgspec.Struct, frozen=True, gc=False):
    """A delivery's record and the event it answers."""

    record: Record
    answers: EventId


class Fact(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An event outside every conversation: its place in the order, its facts, and what is sealed."""

    thread_id: ThreadId
    kind: str
    order: int
    dedup_key: str
    facts: Facts
    content: object


class DeliveryFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What counts of a delivery: its outcome, how often it was tried, the message ids it got."""

    outcome: str
    attempts: int
    message_ids: tuple[int, ...]


class Mint:
    """Makes records for one origin, numbered in the order they are made."""

    def __init__(self, codec: Codec, clock: Clock, randomness: Randomness, origin: OriginId, last_seq: int) -> None:
        """Go on after the last number this origin gave out."""
        self._codec = codec
        self._clock = clock
        self._randomness = randomness
        self._origin = origin
        self._seq = last_seq

    def event(self, inbound: Inbound, head: Head, draft: Draft) -> MintedEvent:
        """Mint what was decided about an input, with all heads seen as its parents."""
        record = self._record(
            thread_id=inbound.thread_id,
            conversation_id=draft.conversation_id,
            kind=draft.kind,
            version=head.version + 1,
            ots=max(head.ots, inbound.order),
            parents=head.head_ids,
            parent_hashes=head.head_hashes,
            dedup_key=inbound.dedup_key,
            occurred_at=inbound.occurred_at,
            received_at=inbound.received_at,
            facts=draft.facts,
            content=draft.words,
        )
        event = Event(
            event_id=record.event_id,
            conversation_id=draft.conversation_id,
            kind=draft.kind,
            version=record.version,
            ots=record.ots,
            dedup_key=inbound.dedup_key,
            occurred_at=inbound.occurred_at,
            facts=draft.facts,
            words=draft.words,
        )
        return MintedEvent(event, record)

    def fact(self, fact: Fact, head: Head) -> Record:
        """Mint what comes now and from no person, with all heads seen as its parents."""
        now = self._clock.now()
        return self._record(
            thread_id=fact.thread_id,
            conversation_id=None,
            kind=fact.kind,
            version=head.version + 1,
            ots=max(head.ots, fact.order),
            parents=head.head_ids,
            parent_hashes=head.head_hashes,
            dedup_key=fact.dedup_key,
            occurred_at=now,
            received_at=now,
            facts=fact.facts,
            content=fact.content,
        )

    def delivery(self, delivery: Delivery, answered: Record) -> MintedDelivery:
        """Mint the fate of a reply, as a child of the event it answers."""
        record = self._record(
            thread_id=delivery.thread_id,
            conversation_id=answered.conversation_id,
            kind=f"delivery.{delivery.outcome}",
            version=answered.version,
            ots=answered.ots,
            parents=(answered.event_id,),
            parent_hashes=(answered.hash,),
            dedup_key=answered.dedup_key,
            occurred_at=delivery.at,
            received_at=delivery.at,
            facts=DeliveryFacts(outcome=delivery.outcome, attempts=delivery.attempts, message_ids=delivery.message_ids),
            content={"screens": delivery.screens},
        )
        return MintedDelivery(record, answered.event_id)

    def _record(  # noqa: PLR0913 - the columns of the envelope
        self,
        *,
        thread_id: ThreadId,
        conversation_id: ConversationId | None,
        kind: str,
        version: int,
        ots: int,
        parents: tuple[EventId, ...],
        parent_hashes: tuple[bytes, ...],
        dedup_key: str,
        occurred_at: int,
        received_at: int,
        facts: object,
        content: object,
    ) -> Record:
        random = self._randomness(_UUID_RANDOM + SALT_BYTES)
        event_id = uuid7(self._clock.now() // 1000, random[:_UUID_RANDOM])
        sealed = self._codec.seal(content, random[_UUID_RANDOM:], event_id, thread_id)
        self._seq += 1
        unhashed = Record(
            event_id,
            thread_id,
            conversation_id,
            kind,
            self._codec.version_of(kind),
            version,
            ots,
            b"".join(parents),
            self._origin,
            self._seq,
            dedup_key,
            occurred_at,
            received_at,
            canonical(facts).decode(),
            sealed.payload,
            sealed.commitment,
            _NO_HASH,
        )
        return Record(*unhashed[:-1], hash_of(unhashed, parent_hashes))


def uuid7(milliseconds: int, random: bytes) -> EventId:
    """Make an identity that sorts by time (RFC 9562): 48 bits of milliseconds, then 74 random ones."""
    return EventId(
        milliseconds.to_bytes(6, "big")
        + bytes((0x70 | random[0] & 0x0F, random[1], 0x80 | random[2] & 0x3F))
        + random[3:10]
    )

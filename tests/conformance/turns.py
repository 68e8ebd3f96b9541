"""Turns, pushes and marks for a tier, and what is asked of it most often."""

from collections.abc import Sequence

from holdfast.domain.ids import ConversationId, ThreadId
from holdfast.domain.ports import RowChange
from holdfast.infrastructure.log.envelope import Record
from holdfast.infrastructure.log.stores import AppendWrite
from holdfast.infrastructure.tiers.store import (
    Appended,
    Mark,
    Settlement,
    TierStore,
    TierTurn,
    Verdict,
)
from tests.conformance.scribe import (
    ADA,
    Scribe,
    inbound,
    thread,
)
from tests.conformance.tiers import LONG

NOWHERE = Mark()


def turn_of(
    write: AppendWrite, expected: Mark = NOWHERE, *, owes: bool = True, last: ConversationId | None = None
) -> TierTurn:
    return TierTurn(write.record, expected, write.rows, owes, last)


async def append(tier: TierStore, *turns: TierTurn) -> list[Verdict]:
    return list(await tier.append(turns, LONG))


async def appended(tier: TierStore, *turns: TierTurn) -> list[Mark]:
    """Append turns that must all go through; give where the threads stand then."""
    verdicts = await append(tier, *turns)
    assert all(isinstance(verdict, Appended) for verdict in verdicts), verdicts
    return [verdict.mark for verdict in verdicts if isinstance(verdict, Appended)]


async def mark(tier: TierStore, person: int = ADA) -> Mark:
    return (await tier.marks([thread(person)], LONG))[0]


def after(*events: Record, rev: int = 1, closed: bool = True) -> Mark:
    """Where a thread stands that ends in these events."""
    return Mark(rev, tuple(sorted(event.event_id for event in events)), closed)


def chain(length: int, person: int = ADA) -> list[Record]:
    """Mint events of which each is the parent of the next."""
    scribe = Scribe(seed=person)
    return [scribe.append(inbound(number, person=person)).record for number in range(1, length + 1)]


def fork() -> tuple[Record, Record, Record]:
    """Mint an event and two that both build on it."""
    scribe = Scribe()
    root = scribe.append(inbound(1))
    left = scribe.append(inbound(2))
    right = scribe.append(inbound(3), on=root.head)
    return root.record, left.record, right.record


async def push(tier: TierStore, events: Sequence[Record], deliveries: Sequence[Record] = ()) -> dict[ThreadId, Mark]:
    return await tier.push(events, deliveries, LONG)


async def read(tier: TierStore, person: int = ADA) -> tuple[set[Record], set[Record]]:
    events, deliveries = await tier.thread(thread(person), LONG)
    return set(events), set(deliveries)


def settlement(
    *heads: Record, rows: Sequence[RowChange] = (), person: int = ADA, owed: Sequence[Record] = ()
) -> Settlement:
    """What a person's thread amounts to that ends in these events."""
    ends = tuple(head.event_id for head in heads)
    return Settlement(thread(person), ends, 7, 8, None, tuple(one.event_id for one in owed), person, rows)

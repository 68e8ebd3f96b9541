"""More shortcuts that were tried and fail: in what is kept of an event, in its order, and in how it is folded."""

import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from hashlib import sha256
from operator import attrgetter
from typing import Any
from unittest.mock import patch

from msgspec.structs import replace

from holdfast.domain import evolve, order
from holdfast.domain.event import Event
from holdfast.domain.ids import EventId
from holdfast.domain.state import ThreadState
from holdfast.infrastructure.log import mint
from holdfast.infrastructure.log.envelope import Record, hash_of
from holdfast.infrastructure.log.stores import AppendWrite
from holdfast.infrastructure.tiers.memory import MemoryTier
from holdfast.infrastructure.tiers.repair import Repair
from holdfast.infrastructure.tiers.service import TierService


def keep_one_event_of_a_version() -> AbstractContextManager[object]:
    """A tier's table has a unique key over thread and version: of a fork, the side that comes second is dropped."""
    insert = MemoryTier._insert  # noqa: SLF001 - the very line that is mistaken

    def unique(tier: MemoryTier, kept: dict[EventId, Record], record: Record) -> bool:
        if kept is tier.events and any(
            (one.thread_id, one.version) == (record.thread_id, record.version) for one in kept.values()
        ):
            return False
        return insert(tier, kept, record)

    return patch.object(MemoryTier, "_insert", unique)


def order_by_version() -> AbstractContextManager[object]:
    """The canonical order is that of versions, whatever came first from its person."""
    return patch.object(order, "place", attrgetter("version", "event_id"))


def derive_the_identity() -> AbstractContextManager[object]:
    """An event's identity follows from its input, so that whoever mints it again makes the same one."""
    made = mint.Mint._record  # noqa: SLF001 - the very line that is mistaken

    def derived(self: mint.Mint, **columns: Any) -> Record:  # noqa: ANN401 - the columns of the envelope
        record = made(self, **columns)
        if record.kind.startswith("delivery."):
            return record
        named = record._replace(event_id=EventId(sha256(record.dedup_key.encode()).digest()[:16]), hash=bytes(32))
        return named._replace(hash=hash_of(named, columns["parent_hashes"]))

    return patch.object(mint.Mint, "_record", derived)


def trust_cursors_alone() -> AbstractContextManager[object]:
    """What a tier was given once is taken for kept: nothing is ever compared."""

    async def nothing(_repair: Repair, _hour: int) -> None:
        """Compare nothing."""

    return patch.object(Repair, "since", nothing)


def keep_one_copy() -> AbstractContextManager[object]:
    """A turn is done when a tier has it; this machine keeps nothing of its own."""
    at_once = TierService._at_once  # noqa: SLF001 - the very line that is mistaken

    async def on_a_tier(service: TierService, write: AppendWrite) -> bool:
        if await service.lineup.append(write):
            service._commits.begin(write).add_done_callback(_nobody_asks)  # noqa: SLF001
            return True
        return await at_once(service, write)

    return patch.object(TierService, "_at_once", on_a_tier)


def _nobody_asks(done: Any) -> None:  # noqa: ANN401 - a future of nothing
    if not done.cancelled():
        done.exception()


def count_each_decision() -> AbstractContextManager[object]:
    """Of an input that two workers took in, both decisions count where they differ."""
    counted = order.counted

    def each(events: Sequence[Event]) -> list[Event]:
        named = {event.event_id: event for event in events}
        apart = [replace(event, dedup_key=f"{event.dedup_key} {event.kind}") for event in named.values()]
        return [named[event.event_id] for event in counted(apart)]

    stack = ExitStack()
    for module in list(sys.modules.values()):
        if getattr(module, "counted", None) is counted:
            stack.enter_context(patch.object(module, "counted", each))
    return stack


def let_the_last_writer_win() -> AbstractContextManager[object]:
    """An answer is filed whatever its field holds by now."""
    filed = evolve._filed  # noqa: SLF001 - the very line that is mistaken

    def over(state: ThreadState, event: Event) -> ThreadState:
        conversation = state.conversation(event.conversation_id)
        held = conversation.fields.get(event.facts.field) if conversation else None
        seen = replace(event.facts, replaces=held.source if held else "")
        return filed(state, replace(event, facts=seen))

    changes = evolve._CHANGES  # noqa: SLF001
    return patch.dict(changes, {kind: over for kind, change in changes.items() if change is filed})

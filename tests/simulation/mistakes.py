"""Shortcuts that were tried and fail, each switched on alone, to see whether the simulation would find it."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from typing import Any
from unittest.mock import patch

from holdfast.domain import order
from holdfast.domain.errors import Ambiguous, NotExecuted
from holdfast.domain.event import Event
from holdfast.domain.flow import Flows
from holdfast.domain.ids import ThreadId
from holdfast.domain.state import ThreadState
from holdfast.engine import turns
from holdfast.infrastructure.log.envelope import Record
from holdfast.infrastructure.log.event_log import EventLog
from holdfast.infrastructure.log.stores import AppendWrite, Outcome, Write
from holdfast.infrastructure.tiers import keeper
from holdfast.infrastructure.tiers.lineup import Lineup
from holdfast.infrastructure.tiers.memory import MemoryTier
from holdfast.infrastructure.tiers.service import TierService
from holdfast.infrastructure.tiers.store import Mark, TierTurn, Verdict
from tests.simulation import worker
from tests.simulation.disk import Disk
from tests.simulation.story import Story
from tests.simulation.tiers import copied

Mistake = Callable[[], AbstractContextManager[object]]
_UNTIL_DURABLE = 0.05


class HastyDisk(Disk):
    """A disk that says "done" when it was asked; what it had not written yet is gone after a crash."""

    def __init__(self, worker: str, story: Story) -> None:
        super().__init__(worker, story)
        self._unwritten: list[dict[str, Any]] = []

    async def commit(self, batch: Sequence[Write]) -> Sequence[Outcome]:
        self._unwritten.append(copied(vars(self.journal)))
        self._story.loop.later(_UNTIL_DURABLE, self._reached)
        return await self.journal.commit(batch)

    def _reached(self) -> None:
        if self._unwritten:
            self._unwritten.pop(0)

    def crash(self) -> None:
        if self._unwritten:
            vars(self.journal).update(self._unwritten[0])
        self._unwritten = []


def acknowledge_before_durable() -> AbstractContextManager[object]:
    """The journal says "done" as soon as it was asked; the disk follows."""
    return patch.object(worker, "Disk", HastyDisk)


def compare_the_version() -> AbstractContextManager[object]:
    """A tier compares a thread's version, not its heads and revision."""
    append = MemoryTier._append  # noqa: SLF001 - the very line that is mistaken

    def lenient(tier: MemoryTier, turn: TierTurn) -> Verdict:
        thread = tier._threads.get(turn.record.thread_id)  # noqa: SLF001
        same = (thread.version if thread else 0) == turn.record.version - 1
        here = thread.mark if thread else Mark()
        return append(tier, TierTurn(turn.record, here, *_rest(turn)) if same else turn)

    return patch.object(MemoryTier, "_append", lenient)


def _rest(turn: TierTurn) -> tuple[Any, ...]:
    return turn.rows, turn.owes_reply, turn.last_conversation_id


def push_what_is_in_flight() -> AbstractContextManager[object]:
    """A keeper gives a tier what may still be taken back."""

    def all_of_them(events: Sequence[tuple[int, Record]], _unsure: object) -> list[tuple[int, Record]]:
        return list(events)

    return patch.object(keeper, "_settled", all_of_them)


def rebase_after_ambiguous() -> AbstractContextManager[object]:
    """After an answer was lost, the next tier is asked as if nothing could have happened."""

    async def append(lineup: Lineup, write: AppendWrite) -> int:
        until = lineup.until()
        for tier in lineup.tiers:
            try:
                await lineup._compare(tier, write, until)  # noqa: SLF001
            except (NotExecuted, Ambiguous):
                continue
            return 1
        return 0

    return patch.object(Lineup, "append", append)


def count_the_first_copy() -> AbstractContextManager[object]:
    """Of two copies of an input the first in order counts, whatever its worker knew."""

    def alike(_event: Event) -> tuple[int, int]:
        return 0, 0

    return patch.object(order, "_informed", alike)


def acknowledge_a_known_input_at_once() -> AbstractContextManager[object]:
    """An input that came before is acknowledged without another look at where it stands."""

    async def nothing(_log: EventLog, _thread_id: ThreadId) -> None:
        """Promise what nobody has looked at."""

    return patch.object(EventLog, "secure", nothing)


def send_from_a_pending_row() -> AbstractContextManager[object]:
    """A reply goes out when its event stands in the journal, whatever a tier then says of it."""

    async def hasty(service: TierService, write: AppendWrite) -> bool:
        await service._commits.write(write)  # noqa: SLF001
        service.left_alone = asyncio.create_task(_settled_later(service, write))  # type: ignore[attr-defined]
        return True

    return patch.object(TierService, "_at_once", hasty)


async def _settled_later(service: TierService, write: AppendWrite) -> None:
    with suppress(Exception):  # the reply is out already: nobody is left to be told
        await service._settle(write, None, await _asked(service, write))  # noqa: SLF001


async def _asked(service: TierService, write: AppendWrite) -> int | Exception:
    try:
        return await service.lineup.append(write)
    except Exception as error:  # noqa: BLE001 - what the real one looks at
        return error


def expire_whatever_was_said() -> AbstractContextManager[object]:
    """An expiry counts by its place alone, also where its worker had not seen every answer."""

    def all_of_them(sequence: Sequence[Event]) -> list[Event]:
        return list(sequence)

    return patch.object(order, "_without_void_expiries", all_of_them)


def leave_a_fork_untold() -> AbstractContextManager[object]:
    """What two sides left beside each other is kept in the log, and nobody is told."""

    def nothing(_flows: Flows, _state: ThreadState) -> None:
        """Find nothing to tell."""

    return patch.object(turns, "card_of", nothing)

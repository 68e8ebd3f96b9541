"""The tiers in their order: a turn goes to the first that serves, and on to the next when that one fails."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from holdfast.domain.errors import Ambiguous, Conflict, NotExecuted
from holdfast.domain.ids import ThreadId
from holdfast.infrastructure.log.envelope import Record, split_ids
from holdfast.infrastructure.log.stores import AppendWrite, JournalStore
from holdfast.infrastructure.tiers.flights import Flights
from holdfast.infrastructure.tiers.store import Appended, Mark
from holdfast.infrastructure.tiers.tier import Tier

BUDGET = 0.45
"""Seconds that all tiers together may keep one person waiting; then the journal alone must do."""
_TRIES = 3


class News(NamedTuple):
    """How many tiers answered; and the events and deliveries of those that know more than this journal."""

    answered: int
    known: list[tuple[tuple[Record, ...], tuple[Record, ...]]]


class Lineup:
    """Tiers in the order of their priority, beside the journal of this worker."""

    def __init__(self, tiers: Sequence[Tier], journal: JournalStore, copies: int) -> None:
        """Ask for so many copies on tiers, beside the journal's."""
        self.tiers = tuple(tiers)
        self._journal = journal
        self._copies = copies

    @property
    def first(self) -> Tier | None:
        """The tier that turns go to now."""
        return next((tier for tier in self.tiers if tier.serves), None)

    def until(self) -> float:
        """Say until when a person who comes now may be kept waiting, by the loop's own time: no clock is set there."""
        return asyncio.get_running_loop().time() + BUDGET

    async def append(self, write: AppendWrite) -> int:
        """Write a turn to as many tiers as are asked for; say how many hold it now.

        Conflict: a tier knows an event that this journal doesn't, and holds nothing of this turn. RowRefused.
        After an ambiguous attempt the bytes may stand somewhere: from then on nothing is compared, so that
        nothing can be refused any more.
        """
        until = self.until()
        held, bound = 0, False
        for tier in self.tiers:
            if held >= self._copies:
                break
            if not tier.serves:
                continue  # what was last seen there, while it catches up, is no reason to refuse anybody
            try:
                if held or bound:
                    await self._give(tier, write.record, until)
                else:
                    await self._compare(tier, write, until)
                held += 1
            except NotExecuted:
                continue
            except Ambiguous:
                bound = True
        return held

    async def _compare(self, tier: Tier, write: AppendWrite, until: float) -> None:
        """Write a turn on a tier that knows nothing this journal doesn't; Conflict when it does."""
        record = write.record
        mark = tier.mark(record.thread_id) or await tier.look_up(record.thread_id, until)
        for _ in range(_TRIES):
            mark = await self._in_line(tier, record, mark, until)
            verdict = await tier.append(write, mark, until)
            if isinstance(verdict, Appended):
                if verdict.rows_written and not write.voids:  # else it is settled, as what was brought by a push
                    tier.whole.add(record.event_id)
                return
            mark = verdict.mark
        raise NotExecuted(f"{tier.name}: the thread moved on three times in a row")

    async def _in_line(self, tier: Tier, record: Record, mark: Mark, until: float) -> Mark:
        """Make sure that a tier knows just what was known when the turn was decided; Conflict when it knows more.

        What it lacks stands behind its cursor; when it has come back with old data, anywhere. Where an event of the
        thread was lost for good, both lack it, and the thread goes on without.
        """
        thread_id, parents = record.thread_id, set(split_ids(record.parents))
        for read in (self._missing, self._all):
            if mark.closed and set(mark.head_ids) == parents:
                return mark
            if not await self._journal.covers(thread_id, mark.head_ids):
                if mark.closed or not await self._knows_all(tier, thread_id, until):
                    raise Conflict
                if set(mark.head_ids) == parents:
                    return mark
            events = [one for one in await read(tier, thread_id) if one.event_id != record.event_id]
            if events:
                mark = (await tier.give(events, until))[thread_id]
        if set(mark.head_ids) != parents:
            raise Conflict
        return mark

    async def _knows_all(self, tier: Tier, thread_id: ThreadId, until: float) -> bool:
        """Whether the journal holds all that a tier does of a thread in which a parent is missing: event by event."""
        there, _ = await tier.thread(thread_id, until)
        here = {one.event_id for one in await self._journal.thread(thread_id)}
        return all(one.event_id in here for one in there)

    async def _all(self, _tier: Tier, thread_id: ThreadId) -> tuple[Record, ...]:
        return await self._journal.thread(thread_id)

    async def _missing(self, tier: Tier, thread_id: ThreadId) -> tuple[Record, ...]:
        """Read what a tier may lack of a thread: all that stands behind its cursor."""
        return await self._journal.unsent(thread_id, tier.cursor)

    async def _give(self, tier: Tier, record: Record, until: float) -> None:
        """Put the very same bytes on a further tier, after all that it lacks of the thread."""
        missing = [one for one in await self._missing(tier, record.thread_id) if one.event_id != record.event_id]
        await tier.give([*missing, record], until)

    def serving(self) -> int:
        """Count the tiers that people's turns may go to."""
        return sum(tier.serves for tier in self.tiers)

    async def news(self, thread_id: ThreadId, wanted: int = 1) -> News:
        """Ask the first tiers that answer, as many as are wanted, what they know of a thread."""
        until, answered, known = self.until(), 0, []
        for tier in self.tiers:
            if answered == wanted:
                break
            try:
                mark = await tier.look_up(thread_id, until)
                if not await self._journal.covers(thread_id, mark.head_ids):
                    known.append(await tier.thread(thread_id, until))
                answered += 1
            except (NotExecuted, Ambiguous):
                continue
        return News(answered, known)

    async def share(self, delivery: Record, wanted: int) -> int:
        """Put the fate of a reply on so many tiers, as far as they can be had now; say on how many it is."""
        until, held = self.until(), 0
        for tier in self.tiers:
            if held == wanted:
                break
            try:
                await tier.give((), until, [delivery])
                held += 1
            except (NotExecuted, Ambiguous):
                continue
        return held

    async def secure(self, thread_id: ThreadId, flights: Flights, wanted: int = 1) -> int:
        """Bring all that the journal holds of a thread to so many tiers; say how many answered.

        All but what is in flight: given to a tier past its own append, that would stand there and be taken back here.
        """
        until, held = self.until(), 0
        for tier in self.tiers:
            if held == wanted:
                break
            try:
                mark = await tier.look_up(thread_id, until)
                if not mark.closed or set(mark.head_ids) != set(await self._journal.head_ids(thread_id)):
                    with flights.watched() as unsure:
                        kept = await self._journal.thread(thread_id)
                    await tier.give([one for one in kept if one.event_id not in unsure], until)
                held += 1
            except (NotExecuted, Ambiguous):
                continue
        return held

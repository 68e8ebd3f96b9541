"""A worker's disk: the real journal in memory, which a crash cuts in the middle of a commit."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from holdfast.domain.errors import LogUnavailable
from holdfast.domain.ids import EventId, OriginId, ThreadId
from holdfast.infrastructure.log.envelope import Record
from holdfast.infrastructure.log.memory import MemoryJournal
from holdfast.infrastructure.log.stores import AppendWrite, Debt, Opened, Outcome, UnionWrite, Write
from tests.simulation.story import Story
from tests.simulation.tiers import at_once

_READ, _SYNC = 0.0005, 0.006


class Disk:
    """A journal port over a journal in memory. What is committed stays; a commit under way may stay or not."""

    def __init__(self, worker: str, story: Story) -> None:
        self.full = False
        self.refused_at = 0.0
        self.since: dict[EventId, float] = {}
        self._worker = worker
        self._story = story
        self._chance = story.dice(f"disk of {worker}")
        self._pending: list[tuple[Sequence[Write], asyncio.Future[Sequence[Outcome]]]] = []
        self.journal = self._new()

    def _new(self) -> MemoryJournal:
        return MemoryJournal(OriginId(self._chance.randbytes(16)))

    @property
    def origin(self) -> OriginId:
        """Whose events are born on it."""
        return self.journal._origin  # noqa: SLF001 - what it is

    @property
    def live(self) -> dict[EventId, str]:
        """Name the events that are durable on it and count, each with its input."""
        aborted = self.journal._aborted  # noqa: SLF001 - what was taken back
        kept = self.journal._events  # noqa: SLF001 - all that it holds
        return {event_id: one.dedup_key for event_id, one in kept.items() if event_id not in aborted}

    def crash(self) -> None:
        """Lose what was being written, or not: chance says."""
        for batch, _ in self._pending:
            if self._chance.random() < 0.5:
                self._apply(batch)
                self._story.tell("a commit of {} had just reached the disk", len(batch), who=self._worker)
        self._pending = []

    def lose(self) -> None:
        """Begin again with an empty disk: a new journal, with an origin of its own."""
        self.journal = self._new()
        self.since = {}

    async def open(self) -> Opened:
        """Open what is there."""
        await self._wait(_READ)
        return await self.journal.open()

    async def close(self) -> None:
        """Let go."""
        await self.journal.close()

    async def commit(self, batch: Sequence[Write]) -> Sequence[Outcome]:
        """Write a batch; the answer comes when it is durable, a crash may come before that."""
        if self.full:
            self.refused_at = self._story.loop.time()
            await self._wait(_READ)
            raise LogUnavailable("the disk is full")
        done: asyncio.Future[Sequence[Outcome]] = self._story.loop.create_future()
        entry = (batch, done)
        self._pending.append(entry)
        self._story.loop.later(self._chance.uniform(_READ, _SYNC), self._write, entry)
        return await done

    def _write(self, entry: tuple[Sequence[Write], "asyncio.Future[Sequence[Outcome]]"]) -> None:
        if entry not in self._pending:
            return
        self._pending.remove(entry)
        outcomes = self._apply(entry[0])
        if not entry[1].done():
            entry[1].set_result(outcomes)

    def _apply(self, batch: Sequence[Write]) -> Sequence[Outcome]:
        outcomes: Sequence[Outcome] = at_once(self.journal.commit(batch))
        for write in batch:
            match write:
                case AppendWrite():
                    self._note([write.record])
                case UnionWrite():
                    self._note(write.learned)
        return outcomes

    def _note(self, records: Sequence[Record]) -> None:
        for one in records:
            self.since.setdefault(one.event_id, self._story.loop.time())

    async def owed(self) -> AsyncIterator[tuple[ThreadId, tuple[Debt, ...]]]:
        """Give the threads that are owed replies."""
        async for found in self.journal.owed():
            yield found

    async def threads(self) -> AsyncIterator[ThreadId]:
        """Give every thread."""
        async for found in self.journal.threads():
            yield found

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Read anything else of the port, after a moment."""
        if name.startswith("_"):
            raise AttributeError(name)

        async def read(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401
            await self._wait(_READ)
            return await getattr(self.journal, name)(*arguments, **named)

        return read

    async def _wait(self, seconds: float) -> None:
        await asyncio.sleep(self._chance.random() * seconds)

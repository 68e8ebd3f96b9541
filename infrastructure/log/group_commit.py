"""Group commit: at once when idle; while a commit is in flight, collect; then hand over all at once."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from holdfast.domain.errors import LogUnavailable
from holdfast.infrastructure.log.stores import Outcome, Write

MAX_BATCH = 512
_Waiting = tuple[Write, "asyncio.Future[None]"]


class GroupCommit:
    """Turns many waiting writers into few commits. Each writer waits for its own outcome."""

    def __init__(self, commit: Callable[[Sequence[Write]], Awaitable[Sequence[Outcome]]]) -> None:
        """Commit through a store; at most one batch is in flight."""
        self._commit = commit
        self._waiting: list[_Waiting] = []
        self._pressing = False
        self._alarm: asyncio.TimerHandle | None = None
        self._running: asyncio.Task[None] | None = None
        self._closed = False

    async def write(self, write: Write, patience: float = 0.0) -> None:
        """Make one write durable, or raise its outcome: Conflict, LogUnavailable.

        With patience it waits up to so many seconds for another to share its commit with.
        """
        if self._closed:
            raise LogUnavailable("the journal is closed")
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        self._waiting.append((write, done))
        if not patience:
            self._press()
        elif self._alarm is None:
            self._alarm = loop.call_later(patience, self._press)
        await done

    async def close(self) -> None:
        """Let what was handed in come to its end."""
        self._closed = True
        if self._waiting:
            self._press()
        if self._running is not None:
            await self._running

    def _press(self) -> None:
        """Commit whatever waits as soon as no commit is in flight."""
        self._pressing = True
        if self._running is None:
            self._running = asyncio.create_task(self._run(), name="group commit")

    async def _run(self) -> None:
        try:
            while self._pressing:
                batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
                self._pressing = bool(self._waiting)
                self._silence()
                await self._settle(batch)
        finally:
            self._running = None

    def _silence(self) -> None:
        """Whoever had patience is in the commit that begins."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    async def _settle(self, batch: Sequence[_Waiting]) -> None:
        try:
            outcomes = await self._commit([write for write, _ in batch])
        except Exception as error:  # noqa: BLE001 - whatever a driver raises, each writer must hear of it
            refusal = error if isinstance(error, LogUnavailable) else LogUnavailable(f"{error!r}")
            outcomes = [refusal] * len(batch)
        for (_, done), outcome in zip(batch, outcomes, strict=True):
            _resolve(done, outcome)


def _resolve(done: "asyncio.Future[None]", outcome: Outcome) -> None:
    if done.cancelled():
        return
    if outcome is None:
        done.set_result(None)
    else:
        done.set_exception(outcome)

"""Group commit: at once when idle; while a commit is in flight, collect; then hand over all at once."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from holdfast.domain.errors import LogUnavailable

MAX_BATCH = 512
W = TypeVar("W")
R = TypeVar("R")


class GroupCommit(Generic[W, R]):
    """Turns many waiting writers into few commits. Each writer waits for its own outcome."""

    def __init__(
        self, commit: Callable[[Sequence[W]], Awaitable[Sequence[R | Exception]]], *, last: bool = False
    ) -> None:
        """Commit through a store; at most one batch is in flight.

        `last`: let whatever begins in the same moment go first. The journal's thread takes the interpreter's lock
        from a turn that is still on its way to a tier, and the tier is the one that takes longer.
        """
        self._commit = commit
        self._last = last
        self._waiting: list[tuple[W, asyncio.Future[R]]] = []
        self._pressing = False
        self._alarm: asyncio.TimerHandle | None = None
        self._running: asyncio.Task[None] | None = None
        self._closed = False
        self.commits, self.seconds = 0, 0.0
        """How many batches were committed, or refused, and how long that took in all."""

    def __len__(self) -> int:
        """Count the writes that wait for the next commit."""
        return len(self._waiting)

    async def write(self, write: W, patience: float = 0.0) -> R:
        """Make one write durable and give what the store says to it, or raise its outcome: Conflict, LogUnavailable.

        With patience it waits up to so many seconds for another to share its commit with.
        """
        return await self.begin(write, patience)

    def begin(self, write: W, patience: float = 0.0) -> "asyncio.Future[R]":
        """Hand one write over, and give where its outcome will be: for whoever has more to do meanwhile."""
        if self._closed:
            raise LogUnavailable("nothing more is taken: the log is being closed")
        loop = asyncio.get_running_loop()
        done: asyncio.Future[R] = loop.create_future()
        self._waiting.append((write, done))
        if not patience:
            self._press()
        elif self._alarm is None:
            self._alarm = loop.call_later(patience, self._press)
        return done

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
            if self._last:
                await asyncio.sleep(0)
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

    async def _settle(self, batch: Sequence[tuple[W, "asyncio.Future[R]"]]) -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        try:
            outcomes: Sequence[R | Exception] = await self._commit([write for write, _ in batch])
        except Exception as error:  # noqa: BLE001 - whatever a driver raises, each writer must hear of it
            refusal = error if isinstance(error, LogUnavailable) else LogUnavailable(f"{error!r}")
            outcomes = [refusal] * len(batch)
        self.commits, self.seconds = self.commits + 1, self.seconds + loop.time() - begun
        for (_, done), outcome in zip(batch, outcomes, strict=True):
            _resolve(done, outcome)


def _resolve(done: "asyncio.Future[R]", outcome: R | Exception) -> None:
    if done.cancelled():
        return
    if isinstance(outcome, Exception):
        done.set_exception(outcome)
    else:
        done.set_result(outcome)

"""A clock on which time passes only when everybody waits for it."""

import asyncio
import heapq
from collections.abc import Coroutine
from typing import Any

from tests.conformance.clocks import NOON


class VirtualClock:
    """Whoever sleeps is woken in the order of time; `seconds` have passed since it was made."""

    def __init__(self) -> None:
        self._now = NOON
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._count = 0
        self.started = 0.0

    @property
    def seconds(self) -> float:
        return (self._now - NOON) / 1_000_000

    def now(self) -> int:
        return self._now

    def advance(self, seconds: float) -> None:
        """Let time pass while nobody sleeps."""
        self._now += round(seconds * 1_000_000)
        self.started = self.seconds

    def set_back(self, seconds: float) -> None:
        self._now -= round(seconds * 1_000_000)

    async def sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count += 1
        # A wait that is rounded down would end before its time.
        heapq.heappush(self._sleepers, (self._now + -int(-seconds * 1_000_000 // 1), self._count, woken))
        await woken

    def wake_next(self) -> bool:
        """Let time pass until the next one wakes; false when nobody sleeps."""
        if not self._sleepers:
            return False
        at, _, woken = heapq.heappop(self._sleepers)
        self._now = max(self._now, at)
        if not woken.done():
            woken.set_result(None)
        return True


def run(clock: VirtualClock, work: Coroutine[Any, Any, None], steps: int = 5) -> None:
    """Run to the end, letting time pass whenever nobody has anything to do."""

    async def turn() -> None:
        task = asyncio.create_task(work)
        while not task.done():
            for _ in range(steps):
                await asyncio.sleep(0)
            if not task.done() and not clock.wake_next():
                await asyncio.sleep(0)
        await task

    asyncio.run(turn())

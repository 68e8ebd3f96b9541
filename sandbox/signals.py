"""Waking those who wait for something to happen."""

import asyncio
import math


class Signal:
    """Wakes everyone who waits on it, each time it is fired."""

    def __init__(self) -> None:
        self._waiters: set[asyncio.Future[None]] = set()  # one per waiting request, gone with it

    def fire(self) -> None:
        """Wake all who wait now."""
        waiters, self._waiters = self._waiters, set()
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def wait(self, timeout: float) -> bool:  # noqa: ASYNC109 - a long poll ends with an answer, not an error
        """Wait for the next firing; False when `timeout` seconds pass without one."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            done, _ = await asyncio.wait([waiter], timeout=None if timeout == math.inf else timeout)
        finally:
            self._waiters.discard(waiter)
        return bool(done)

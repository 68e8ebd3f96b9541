"""The world's time and chance, behind their ports."""

import asyncio
import os
import time


class SystemClock:
    """The machine's clock."""

    def now(self) -> int:
        """Give the present time in microseconds since 1970."""
        return time.time_ns() // 1000

    async def sleep(self, seconds: float) -> None:
        """Let some time pass."""
        await asyncio.sleep(seconds)


def system_randomness(count: int) -> bytes:
    """Give random bytes from the system, fit for keys."""
    return os.urandom(count)

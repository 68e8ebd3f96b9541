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


class RandomStock:
    """Randomness from the system, taken in large pieces. For one thread, and none that was forked off.

    Each call to the system lets another thread take the interpreter's lock, and a turn would wait for it.
    """

    def __init__(self, piece: int = 4096) -> None:
        """Take so many bytes from the system at a time."""
        self._piece = piece
        self._stock = b""
        self._at = 0

    def __call__(self, count: int) -> bytes:
        """Give bytes that were never given before."""
        if self._at + count > len(self._stock):
            self._stock, self._at = os.urandom(max(self._piece, count)), 0
        begin = self._at
        self._at += count
        return self._stock[begin : self._at]

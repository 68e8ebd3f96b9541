"""A clock that stands until somebody sleeps or turns it, and chance that repeats itself."""

import asyncio
from random import Random

NOON = 1_800_000_000_000_000


class StandingClock:
    """Time for tests: a sleep passes at once and is remembered. While it `stands` no time passes in sleep."""

    def __init__(self, now: int = NOON) -> None:
        self.time = now
        self.slept: list[float] = []
        self.stands = False

    def now(self) -> int:
        return self.time

    def turn(self, seconds: float) -> None:
        self.time += round(seconds * 1_000_000)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.turn(0 if self.stands else seconds)
        await asyncio.sleep(0)


class Dice:
    """Random bytes from a seed."""

    def __init__(self, seed: int = 1) -> None:
        self._random = Random(seed)

    def __call__(self, count: int) -> bytes:
        return self._random.randbytes(count)

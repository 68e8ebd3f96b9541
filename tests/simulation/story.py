"""What happened, one line each, in virtual time; and the time and chance that everybody has."""

import asyncio
from hashlib import sha256
from random import Random

from tests.simulation.loop import VirtualLoop, here

NOON = 1_800_000_000_000_000
"""When every story begins, in microseconds since 1970."""


class Story:
    """Lines, told as they happen and written out only when somebody reads them."""

    def __init__(self, loop: VirtualLoop, seed: int) -> None:
        self.loop = loop
        self.seed = seed
        self.problems: list[str] = []
        self._lines: list[tuple[float, str, str, tuple[object, ...]]] = []

    def tell(self, line: str, *values: object, who: str = "") -> None:
        """Add a line; `who` is the process that is running, where nothing else is said."""
        self._lines.append((self.loop.time(), who or here() or "world", line, values))

    def problem(self, line: str) -> None:
        """Something does not hold."""
        self.problems.append(line)
        self.tell("DOES NOT HOLD: {}", line)

    def dice(self, name: str) -> Random:
        """Give chance of one's own: what others draw does not change it."""
        return Random(f"{self.seed} {name}")

    def lines(self) -> list[str]:
        """Write the story out."""
        return [f"{at:10.4f}  {who:<9} {line.format(*values)}" for at, who, line, values in self._lines]

    def digest(self) -> str:
        """Name the story: two that are alike in every line have the same name."""
        return sha256("\n".join(self.lines()).encode()).hexdigest()


class Clock:
    """A worker's clock, which may be wrong."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self.skew = 0

    def now(self) -> int:
        """Give what this worker takes for the present."""
        return NOON + round(self._loop.time() * 1_000_000) + self.skew

    async def sleep(self, seconds: float) -> None:
        """Let virtual time pass."""
        await asyncio.sleep(seconds)

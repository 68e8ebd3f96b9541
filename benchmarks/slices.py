"""What a slice of measuring is, and the child's side of it. The standard library alone: peers use it too."""

import asyncio
import gc
import json
import sys
from collections.abc import Awaitable, Callable, Coroutine
from time import perf_counter
from typing import NamedTuple


class Slice(NamedTuple):
    """The microseconds each turn took, and the seconds all of them took together."""

    micros: list[float]
    seconds: float

    @property
    def rate(self) -> float:
        """Turns a second."""
        return len(self.micros) / self.seconds


Run = Callable[[float], Awaitable[Slice]]
"""Works for about so many seconds."""


async def serve(run: Run) -> None:
    """Run a slice for each number of seconds that comes in as a line, until no more lines come."""
    await run(0.1)
    print("ready", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        gc.collect()
        done = await run(float(line))
        print(json.dumps([[round(one, 1) for one in done.micros], done.seconds]), flush=True)


async def one_after_another(turn: Callable[[], Coroutine[None, None, None]], seconds: float) -> Slice:
    """Take turns one after another, and time each."""
    micros = []
    began = now = perf_counter()
    while now < began + seconds:
        await turn()
        micros.append(((after := perf_counter()) - now) * 1e6)
        now = after
    return Slice(micros, now - began)


async def many_at_once(turn: Callable[[int], Coroutine[None, None, None]], people: int, seconds: float) -> Slice:
    """Let many people take turns, each one after another, and time each turn."""
    began = perf_counter()
    parts = await asyncio.gather(
        *(one_after_another(lambda person=person: turn(person), seconds) for person in range(people))  # type: ignore[misc]
    )
    return Slice([one for part in parts for one in part.micros], perf_counter() - began)

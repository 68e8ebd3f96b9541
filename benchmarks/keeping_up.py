"""One side has everything and the other nothing: how fast it crosses, in how much memory, what turns wait meanwhile."""

import asyncio
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

from benchmarks.beside import beside
from benchmarks.house import inbound_of
from benchmarks.report import Goal, figure
from benchmarks.updates import People
from holdfast.engine.turns import Turns

LOOK = 0.02
PEOPLE = 20
A_SECOND = 100
"""Turns of all people together: thrice what Telegram lets a bot send."""
_PAGE = os.sysconf("SC_PAGE_SIZE")
_MEGABYTE = 1e6


class Memory(NamedTuple):
    """What the process held before, at most, and after, in MB."""

    before: float
    most: float
    after: float


class Start(NamedTuple):
    """The moment before: the time, the processor's seconds, the memory in MB."""

    at: float
    processor: float
    memory: float


class Crossing(NamedTuple):
    """How long all events took to the other side, the processor's seconds for it in this process, and the memory."""

    seconds: float
    processor: float
    memory: Memory


async def crossing(begun: Start, done: Callable[[], bool]) -> Crossing:
    """Wait until all is there, and watch the memory."""
    most = begun.memory
    while not done():
        await asyncio.sleep(LOOK)
        most = max(most, resident())
    memory = Memory(begun.memory, most, resident())
    return Crossing(perf_counter() - begun.at, time.process_time() - begun.processor, memory)


def tell(label: str, events: int, found: Crossing) -> None:
    """Print a crossing's figures."""
    figure(label, [events / found.seconds], "/s", Goal(20_000, at_most=False))
    figure("  processor time of this process, an event", [found.processor / events * 1e6], "us")
    for name, megabytes in found.memory._asdict().items():
        figure(f"  the whole process, {name}", [megabytes], "MB")


async def cross(label: str, journal: Path, dsn: str, events: int) -> None:
    """Bring a journal and a tier together, of which one is empty; the tier serves once both hold everything."""
    begun = Start(perf_counter(), time.process_time(), resident())
    async with beside(journal, [dsn]) as (_, service):
        (tier,) = service.lineup.tiers
        tell(label, events, await crossing(begun, lambda: tier.serves))


async def live(journal: Path, first: str, fresh: str, events: int) -> None:
    """Let people talk while a further tier is given everything, and once it has it."""
    async with beside(journal, [first, fresh]) as (turns, service):
        one, other = service.lineup.tiers
        await crossing(Start(0, 0, 0), lambda: one.serves)
        began = perf_counter()
        busy = await talk(turns, lambda: other.serves)
        took = perf_counter() - began
        end = perf_counter() + took
        quiet = await talk(turns, lambda: perf_counter() > end)
    figure(f"ship {events:,} events while {PEOPLE} people talk, {A_SECOND} turns/s", [events / took], "/s")
    for share in (50, 99):
        alone, beside_it = (quantile(micros, share) for micros in (quiet, busy))
        figure(f"  a turn, p{share}, alone", [alone], "us")
        figure(f"  a turn, p{share}, meanwhile", [beside_it], "us", Goal(2 * alone))


async def talk(turns: Turns, done: Callable[[], bool]) -> list[float]:
    """Let people talk, however long the turns before take; microseconds of each turn from when it was due."""
    people, found, waiting = People(), list[float](), set[asyncio.Task[None]]()
    number, began = 0, perf_counter()

    async def turn(seat: int, due: float) -> None:
        await turns.take(inbound_of(people.next(seat)))
        found.append((perf_counter() - due) * 1e6)

    while not done():
        due = began + number / A_SECOND
        await asyncio.sleep(max(due - perf_counter(), 0))
        waiting.add(task := asyncio.create_task(turn(number % PEOPLE, due)))
        task.add_done_callback(waiting.discard)
        number += 1
    await asyncio.gather(*waiting)
    return found


def quantile(values: list[float], share: int) -> float:
    """Give the value that so many in a hundred do not exceed."""
    return statistics.quantiles(values, n=100)[share - 1]


def resident() -> float:
    """Give the memory this process holds, in MB."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * _PAGE / _MEGABYTE

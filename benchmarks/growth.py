"""What changes when the journal grows: a turn, a hundred people's turns, a cold load, memory."""

import asyncio
import gc
import os
import shutil
from pathlib import Path
from time import perf_counter

from benchmarks.contestants.build import build
from benchmarks.house import engine, inbound_of
from benchmarks.places import Place
from benchmarks.race import Entry, race
from benchmarks.report import Goal, figure, quotients, ratio, times, title
from benchmarks.stages import talk
from benchmarks.updates import FIRST_PERSON, SCRIPT, update
from holdfast.engine.turns import Turns

FEW = 10_000
MANY = int(os.environ.get("HOLDFAST_BENCH_EVENTS", "1000000"))
_CROWD = 100
SLEEPY = SCRIPT[: len(SCRIPT) // 2]
REMEMBERED = 10_000
"""How many conversations the engine keeps in memory."""

_SLEEPERS = (REMEMBERED // 2, REMEMBERED, 2 * REMEMBERED, 4 * REMEMBERED)
_KEPT_OPEN = len(SCRIPT) - 1
_PAGE = os.sysconf("SC_PAGE_SIZE")


async def growth(place: Place) -> None:
    """Compare a small journal with a great one."""
    title(f"Growth from {FEW:,} to {MANY:,} events, {place.name}")
    small, great = await _journal(place, FEW), await _journal(place, MANY)
    for count, goal in ((1, Goal(1.1)), (_CROWD, Goal(1.35))):
        _compare(count, small, great, goal)
    _cold(great)
    for journal in (small, great):
        shutil.rmtree(journal.parent)


async def _journal(place: Place, events: int) -> Path:
    file = place.file("grown.db")
    began = perf_counter()
    await build(file, (await talk(_KEPT_OPEN)).writes, events // _KEPT_OPEN)
    size = file.stat().st_size / 1e6
    print(f"    a journal of {events:,} events: {size:,.0f} MB, made in {perf_counter() - began:.0f} s", flush=True)
    return file


def _compare(count: int, small: Path, great: Path, goal: Goal) -> None:
    before, after = race(*(Entry("benchmarks.contestants.turns", (file, count)) for file in (small, great)))
    people = "1 person" if count == 1 else f"{count} people"
    ratio(f"a turn at {people}, great to small, p50", quotients(after.p50s(), before.p50s()), goal)
    times(f"{FEW:,} events", before)
    times(f"{MANY:,} events", after)


def _cold(great: Path) -> None:
    (loads,) = race(Entry("benchmarks.contestants.cold", (great, MANY // _KEPT_OPEN)))
    figure(f"cold load of a thread of {_KEPT_OPEN} events, p50", loads.p50s(), "us", Goal(1000))
    times("cold loads", loads)


async def memory(place: Place) -> None:
    """Let ever more people begin a conversation and fall asleep in its middle; so many of them are remembered."""
    title(f"Memory, while ever more conversations fall asleep after {len(SLEEPY)} inputs each")
    async with engine(place.file("sleep.db")) as turns:
        await _fall_asleep(turns, 0)
        begun, stood, asleep = _resident(), 0, 0
        for count in _SLEEPERS:
            for first in range(asleep, count, _CROWD):
                await asyncio.gather(*(_fall_asleep(turns, seat) for seat in range(first + 1, first + 1 + _CROWD)))
            grown = _resident() - begun
            figure(f"{count:,} asleep: more than an engine nobody spoke to", [grown / 1e6], "MB")
            figure(f"  each of the last {count - asleep:,}", [(grown - stood) / (count - asleep)], "bytes")
            stood, asleep = grown, count


async def _fall_asleep(turns: Turns, seat: int) -> None:
    for number, text in enumerate(SLEEPY):
        await turns.take(inbound_of(update(number + len(SLEEPY) * seat + 1, FIRST_PERSON + seat, text)))


def _resident() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * _PAGE

"""Rebuild, verify and export of a whole journal, each beside a plain read of all its rows."""

import asyncio
import gc
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import perf_counter

from benchmarks.house import engine, inbound_of
from benchmarks.places import Place
from benchmarks.report import Goal, figure, quotients, ratio, title
from benchmarks.updates import SCRIPT, People
from holdfast.cli.rebuild import rebuild
from holdfast.cli.wiring import Archive, archive
from holdfast.infrastructure.log.export import export_lines
from holdfast.infrastructure.log.verify import Verifier
from holdfast.infrastructure.settings import Settings

_PEOPLE = 600
_GOAL = Goal(20_000, at_most=False)


async def reading(place: Place, rounds: int, people: int = _PEOPLE) -> None:
    """Read one journal in each way, in turns."""
    title(f"Reading a whole journal, {place.name}")
    file = place.file("read.db")
    await _fill(file, people)
    events = people * len(SCRIPT)
    rates: dict[str, list[float]] = {name: [] for name in ("plain", "rebuild", "verify", "export")}
    for _ in range(rounds):
        rates["plain"].append(events / await _timed(lambda: asyncio.to_thread(_plain, file)))
        for name, work in (("rebuild", _rebuild), ("verify", _verify), ("export", _export)):
            async with archive(Settings(holdfast_journal=file)) as opened:
                rates[name].append(events / await _timed(lambda work=work, opened=opened: work(opened)))  # type: ignore[misc]
    for name in ("rebuild", "verify", "export"):
        figure(f"{name}, events/s", rates[name], "/s", _GOAL)
        ratio("  its time to a plain read of the rows", quotients(rates["plain"], rates[name]))


async def _fill(file: Path, people: int) -> None:
    talking = People()

    async def whole(seat: int) -> None:
        for _ in SCRIPT:
            await turns.take(inbound_of(talking.next(seat)))

    async with engine(file) as turns:
        await asyncio.gather(*(whole(seat) for seat in range(people)))


async def _timed(work: Callable[[], Awaitable[object]]) -> float:
    gc.collect()
    began = perf_counter()
    await work()
    return perf_counter() - began


def _plain(file: Path) -> None:
    connection = sqlite3.connect(file)
    connection.execute(Path(__file__).with_name("all_events.sql").read_text("utf-8")).fetchall()
    connection.close()


async def _rebuild(opened: Archive) -> None:
    done = await rebuild(opened)
    if done.differences:
        raise RuntimeError(f"{done.differences[0]}")


async def _verify(opened: Archive) -> None:
    verdict = await Verifier(opened.journal, opened.codec).verify()
    if verdict.problems:
        raise RuntimeError(verdict.problems[0])


async def _export(opened: Archive) -> None:
    async for _ in export_lines(opened.journal, opened.codec):
        pass

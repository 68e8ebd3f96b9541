"""`make bench`: every figure beside its floor or peer, in one run. HOLDFAST_BENCH_SECONDS sets a race's length."""

import asyncio
import os
import platform
import sqlite3
import sys
from pathlib import Path

from benchmarks.failover import failover
from benchmarks.growth import growth, memory
from benchmarks.places import places
from benchmarks.race import SECONDS
from benchmarks.racing import bots, turns, webhook
from benchmarks.reading import reading
from benchmarks.sending import sending
from benchmarks.ship import ship
from benchmarks.stages import codecs, stages
from benchmarks.tiers import tiers

SECTIONS = (
    *("turns", "bots", "webhook", "codecs", "stages", "sending"),
    *("memory", "reading", "growth", "tiers", "failover", "ship"),
)


def main(wanted: list[str]) -> None:
    """Run the sections named, or all."""
    print(f"{machine()}; a race lasts {SECONDS:g} s, in slices of at most 0.4 s")
    print("Ratios: the median of the rounds, and in brackets the least and the greatest.")
    rounds = max(3, round(2 * SECONDS))
    with places() as found:
        steps = {
            "turns": lambda: turns(found),
            "bots": lambda: bots(found),
            "webhook": lambda: webhook(found),
            "codecs": lambda: asyncio.run(codecs(rounds)),
            "stages": lambda: asyncio.run(stages(found["tmpfs"], rounds)),
            "sending": lambda: asyncio.run(sending(rounds)),
            "memory": lambda: asyncio.run(memory(found["tmpfs"])),
            "reading": lambda: asyncio.run(_reading(max(3, round(SECONDS / 2)))),
            "growth": lambda: asyncio.run(growth(found["tmpfs"])),
            "tiers": lambda: tiers(found),
            "failover": lambda: failover(found["tmpfs"]),
            "ship": lambda: ship(found["tmpfs"]),
        }

        async def _reading(rounds: int) -> None:
            for name in ("tmpfs", "disk"):
                await reading(found[name], rounds)

        for name in wanted or SECTIONS:
            steps[name]()


def machine() -> str:
    """Say what this runs on."""
    info = Path("/proc/cpuinfo")
    models = [line.partition(": ")[2] for line in info.read_text("utf-8").splitlines() if line.startswith("model name")]
    model = models[0] if models else platform.processor()
    python, load = platform.python_version(), os.getloadavg()[0]
    return f"{os.cpu_count()} x {model}, Python {python}, SQLite {sqlite3.sqlite_version}, load {load:.1f}"


if __name__ == "__main__":
    main(sys.argv[1:])

"""Very many seeds, in several processes, in chunks that a file remembers."""

import gc
import multiprocessing
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

from tests.simulation.world import Course, simulate

CHUNK = 250
"""How many seeds one line of the file stands for."""
_DONE = "lived "


class Chunk(NamedTuple):
    """What came of some seeds; `hours` are simulated, `seconds` those of the process that lived them."""

    first: int
    seeds: int
    failures: tuple[tuple[int, tuple[str, ...]], ...]
    hours: float
    seconds: float

    def lines(self) -> str:
        """Write it down: each failure, then what the chunk was."""
        told = [f"failed {seed}: {'; '.join(problems)}" for seed, problems in self.failures]
        end = f"{_DONE}{self.first} {self.seeds} {len(self.failures)} {self.hours:.3f} {self.seconds:.1f}"
        return "\n".join([*told, end, ""])


class Campaign:
    """So many seeds, from one on. With a file, chunks that stand there already are counted, and not lived again."""

    def __init__(self, first: int, seeds: int, file: Path | None) -> None:
        self._ends = range(first, first + seeds)
        self._file = file
        self.chunks = [self._read(line) for line in self._lines() if line.startswith(_DONE)]

    def _lines(self) -> list[str]:
        return self._file.read_text().splitlines() if self._file and self._file.exists() else []

    def _read(self, line: str) -> Chunk:
        first, seeds, failed, hours, seconds = line.removeprefix(_DONE).split()
        return Chunk(int(first), int(seeds), ((0, ()),) * int(failed), float(hours), float(seconds))

    def left(self) -> Iterator[range]:
        """Give the chunks that are still to be lived."""
        known = {chunk.first for chunk in self.chunks}
        starts = range(self._ends.start, self._ends.stop, CHUNK)
        return (range(at, min(at + CHUNK, self._ends.stop)) for at in starts if at not in known)

    def run(self, jobs: int, nice: int) -> int:
        """Live what is left; give 1 when a seed failed, else 0."""
        begun = perf_counter()
        context = multiprocessing.get_context("spawn")
        with context.Pool(jobs, partial(_give_way, nice), maxtasksperchild=1) as pool:
            for chunk in pool.imap_unordered(live, self.left()):
                self._keep(chunk)
        print(f"{self.told()}; this run took {perf_counter() - begun:.0f} s", flush=True)  # noqa: T201 - what people asked for
        return min(sum(len(chunk.failures) for chunk in self.chunks), 1)

    def _keep(self, chunk: Chunk) -> None:
        self.chunks.append(chunk)
        print(chunk.lines(), end="", flush=True)  # noqa: T201 - what people asked for
        if self._file is not None:
            with self._file.open("a") as file:
                file.write(chunk.lines())

    def told(self) -> str:
        """Sum up."""
        seeds, failed = sum(one.seeds for one in self.chunks), sum(len(one.failures) for one in self.chunks)
        hours, seconds = sum(one.hours for one in self.chunks), sum(one.seconds for one in self.chunks)
        return f"{seeds} seeds, {failed} failed, {hours:.0f} simulated hours in {seconds / 3600:.2f} hours of one core"


def _give_way(nice: int) -> None:
    os.nice(nice)


def live(seeds: range) -> Chunk:
    """Live a chunk through. A world's tasks and handles name one another, and go when its seed has ended."""
    begun, lived, failures = perf_counter(), 0.0, []
    gc.freeze()
    gc.disable()
    try:
        for seed in seeds:
            outcome = simulate(Course(seed))
            lived += outcome.seconds
            if outcome.problems:
                failures.append((seed, outcome.problems))
            del outcome
            gc.collect()
    finally:
        gc.enable()
        gc.unfreeze()
    return Chunk(seeds.start, len(seeds), tuple(failures), lived / 3600, perf_counter() - begun)

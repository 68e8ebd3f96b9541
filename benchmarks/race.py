"""Contestants in processes of their own, told to work in turns: one slice each, again and again."""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.slices import Slice

ROOT = Path(__file__).resolve().parents[1]
SECONDS = float(os.environ.get("HOLDFAST_BENCH_SECONDS", "6"))
"""How long one race takes, all its contestants together."""

SLICE = 0.4
_LEAST_ROUNDS = 3
_PATIENCE = 20.0


class NotMeasured(Exception):
    """A contestant cannot run here; the message says why."""


class Entry(NamedTuple):
    """Who runs: a module, its arguments, the Python it runs in, and what its environment has besides."""

    module: str
    arguments: Sequence[object]
    python: str = sys.executable
    environment: Mapping[str, str] = {}


class Contestant:
    """A started entry."""

    def __init__(self, process: "subprocess.Popen[str]", module: str) -> None:
        """Wait until it is ready; NotMeasured when it is not."""
        self._process = process
        told = self._line()
        if told != "ready":
            raise NotMeasured(told or f"{module} ended by itself")

    def run(self, seconds: float) -> Slice:
        """Let it work for a slice."""
        if self._process.stdin is None:
            raise NotMeasured("no way in")
        self._process.stdin.write(f"{seconds}\n")
        self._process.stdin.flush()
        line = self._line()
        if not line.startswith("["):
            raise NotMeasured(line or "ended by itself")
        micros, lasted = json.loads(line)
        return Slice(micros, lasted)

    def _line(self) -> str:
        return self._process.stdout.readline().strip() if self._process.stdout else ""


@contextmanager
def started(entry: Entry) -> Iterator[Contestant]:
    """Start an entry, and end it by its own process."""
    words = [entry.python, "-m", entry.module, *map(str, entry.arguments)]
    environment = {**os.environ, **entry.environment}
    if not Path(entry.python).exists():
        raise NotMeasured("make bench installs the peers into .venv-bench, and they are not there")
    process = subprocess.Popen(  # noqa: S603 - our own contestants
        words, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield Contestant(process, entry.module)
    finally:
        _end(process)


def _end(process: "subprocess.Popen[str]") -> None:
    if process.stdin:
        process.stdin.close()
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()


class Result(NamedTuple):
    """All slices of one contestant."""

    slices: list[Slice]

    def quantile(self, share: float) -> float:
        """Give the microseconds that this share of all turns stayed below."""
        everything = sorted(one for part in self.slices for one in part.micros)
        return everything[min(len(everything) - 1, int(share * len(everything)))]

    def p50s(self) -> list[float]:
        """Give each slice's own median."""
        return [statistics.median(part.micros) for part in self.slices]

    def rates(self) -> list[float]:
        """Give each slice's turns a second."""
        return [part.rate for part in self.slices]


def race(*entries: Entry, seconds: float = SECONDS) -> list[Result]:
    """Let contestants work in turns for so many seconds in all; the slices of one round belong together."""
    length = min(SLICE, seconds / _LEAST_ROUNDS / len(entries))
    rounds = max(_LEAST_ROUNDS, round(seconds / length / len(entries)))
    with ExitStack() as stack:
        contestants = [stack.enter_context(started(entry)) for entry in entries]
        results = [Result([]) for _ in entries]
        for _ in range(rounds):
            for contestant, result in zip(contestants, results, strict=True):
                result.slices.append(contestant.run(length))
    return results

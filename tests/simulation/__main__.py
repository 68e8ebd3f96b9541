"""Simulate seed after seed until stopped, or the seeds that are named: `python -m tests.simulation 17`."""

import sys
from itertools import count
from time import perf_counter

from tests.simulation.world import Course, simulate

_REPORT_EVERY = 10.0


def main(seeds: list[int]) -> int:
    """Live seeds through; say how fast, and tell the story of each that fails."""
    begun = told_at = perf_counter()
    lived, failed = 0.0, 0
    for done, seed in enumerate(seeds or count(int(begun * 1000)), start=1):
        outcome = simulate(Course(seed))
        lived += outcome.seconds
        if outcome.problems or seeds:
            failed += bool(outcome.problems)
            print(outcome.told(), flush=True)  # noqa: T201 - what people asked for
        if perf_counter() - told_at > _REPORT_EVERY:
            told_at = perf_counter()
            minutes = (told_at - begun) / 60
            print(f"{done} seeds, {failed} failed, {lived / 3600 / minutes:.2f} simulated hours a minute", flush=True)  # noqa: T201 - what people asked for
    return min(failed, 1)


if __name__ == "__main__":
    try:
        sys.exit(main([int(given) for given in sys.argv[1:]]))
    except KeyboardInterrupt:
        sys.exit(130)

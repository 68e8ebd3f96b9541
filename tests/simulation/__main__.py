"""Simulate seed after seed until stopped, or the seeds that are named: `python -m tests.simulation 17`.

`--seeds 3000 --start 100000 --jobs 2` lives so many seeds through from one on, in several processes that give way to
others, and ends with one line that says how many there were, how many failed, and how long they took. With `--to` the
failures and a line for each 250 seeds are written to a file as well, and what stands there is not lived again.
"""

import argparse
import sys
from itertools import count
from pathlib import Path
from time import perf_counter

from tests.simulation.campaign import Campaign
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


def asked() -> argparse.Namespace:
    """Read what was typed."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("named", nargs="*", type=int, help="seeds whose stories are told")
    parser.add_argument("--seeds", type=int, default=0, help="how many to live through")
    parser.add_argument("--start", type=int, default=0, help="the first of them")
    parser.add_argument("--jobs", type=int, default=1, help="in how many processes")
    parser.add_argument("--nice", type=int, default=10, help="how much these give way to others")
    parser.add_argument("--to", type=Path, default=None, help="a file that keeps what came of them")
    return parser.parse_args()


if __name__ == "__main__":
    given = asked()
    try:
        if given.seeds:
            sys.exit(Campaign(given.start, given.seeds, given.to).run(given.jobs, given.nice))
        sys.exit(main(given.named))
    except KeyboardInterrupt:
        sys.exit(130)

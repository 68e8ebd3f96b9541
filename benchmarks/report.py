"""How figures are printed: always a ratio, its goal beside it, and how far the rounds were apart."""

import statistics
from collections.abc import Sequence
from typing import NamedTuple

from benchmarks.race import Result


class Goal(NamedTuple):
    """A limit to a figure, from above or from below."""

    limit: float
    at_most: bool = True

    def verdict(self, value: float) -> str:
        """Say whether a value keeps it."""
        kept = value <= self.limit if self.at_most else value >= self.limit
        return f"goal {'<=' if self.at_most else '>='} {self.limit:,g}: {'kept' if kept else 'MISSED'}"


def title(text: str) -> None:
    """Begin a section."""
    print(f"\n{text}", flush=True)


def times(label: str, result: Result) -> None:
    """Print how long a contestant's turns took."""
    low, p50, p99, high = (result.quantile(share) for share in (0.0, 0.5, 0.99, 1.0))
    rate = statistics.median(result.rates())
    print(f"    {label:<34} min {low:8,.0f}  p50 {p50:8,.0f}  p99 {p99:8,.0f}  max {high:9,.0f} us  {rate:9,.0f}/s")


def ratio(label: str, values: Sequence[float], goal: Goal | None = None) -> None:
    """Print a ratio: its median, and the least and the greatest of the rounds."""
    middle = statistics.median(values)
    told = goal.verdict(middle) if goal else ""
    print(f"  {label:<52} {middle:7.2f} x  ({min(values):.2f} to {max(values):.2f})  {told}", flush=True)


def figure(label: str, values: Sequence[float], unit: str, goal: Goal | None = None) -> None:
    """Print a figure that is no ratio: its median, and the least and the greatest of the rounds."""
    middle = statistics.median(values)
    told = goal.verdict(middle) if goal else ""
    print(f"  {label:<52} {middle:9,.1f} {unit}  ({min(values):,.1f} to {max(values):,.1f})  {told}", flush=True)


def missing(label: str, reason: object) -> None:
    """Say that something was not measured, and why."""
    print(f"  {label:<52} not measured: {reason}", flush=True)


def quotients(over: Sequence[float], under: Sequence[float]) -> list[float]:
    """Divide round by round."""
    return [one / other for one, other in zip(over, under, strict=True)]

"""What was counted since the start: turns by what became of them, how long they took, replies by their fate."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable

from holdfast.domain.watch import TurnTold

BOUNDS = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds: the upper bounds of the buckets that turns are counted in; one more bucket takes the rest."""
_SECOND = 1_000_000


class Spread:
    """How long something took, counted in buckets."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.counts = [0] * (len(BOUNDS) + 1)
        self.total = 0.0

    def add(self, seconds: float) -> None:
        """Count one more."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.total += seconds


class Tally:
    """Counts, and hands each turn on to whoever wants it."""

    def __init__(self, listener: Callable[[TurnTold], None] | None = None) -> None:
        """Begin with nothing counted."""
        self._listener = listener
        self.turns: Counter[tuple[str, str]] = Counter()
        """By kind of event and outcome."""
        self.turn_took = Spread()
        """From an input's coming to its being durable."""
        self.append_took = Spread()
        self.again = 0
        self.replies: Counter[str] = Counter()
        """By outcome."""
        self.retries = 0
        self.quarantined = 0

    def turn(self, told: TurnTold) -> None:
        """Count a turn; how long it took counts when it is durable."""
        self.turns[told.event.kind, told.outcome] += 1
        if told.outcome.startswith("saved"):
            # A clock may be set back.
            self.turn_took.add(max(told.ended_at - told.received_at, 0) / _SECOND)
            self.append_took.add(max(told.ended_at - told.began_at, 0) / _SECOND)
        if self._listener is not None:
            self._listener(told)

    def known(self) -> None:
        """Count an input that came again."""
        self.again += 1

    def reply(self, outcome: str, attempts: int) -> None:
        """Count a reply's fate, and the tries it took beyond the first."""
        self.replies[outcome] += 1
        self.retries += max(attempts - 1, 0)

    def set_aside(self) -> None:
        """Count what went into quarantine."""
        self.quarantined += 1

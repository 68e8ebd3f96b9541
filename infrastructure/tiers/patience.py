"""How long a tier may take before it counts as gone: learned from how long it took lately."""

from collections import deque

SHORTEST, LONGEST = 0.15, 0.25
_FACTOR = 3
_REMEMBERED = 100
_LEARN_ANEW_EVERY = 10


class Patience:
    """Three times the recent p99 of a tier's answers, within bounds. All in seconds."""

    def __init__(self) -> None:
        """Begin with the longest patience: nothing is known yet."""
        self._lately: deque[float] = deque(maxlen=_REMEMBERED)
        self._seen = 0
        self.seconds = LONGEST

    def learn(self, took: float) -> None:
        """Remember how long an answer took."""
        self._lately.append(took)
        self._seen += 1
        if self._seen % _LEARN_ANEW_EVERY == 0:
            self.seconds = min(max(_FACTOR * self.p99, SHORTEST), LONGEST)

    @property
    def p50(self) -> float:
        """Half of the recent answers took at most this long; 0 when there were none."""
        return self._at(0.5)

    @property
    def p99(self) -> float:
        """All but a hundredth of the recent answers took at most this long; 0 when there were none."""
        return self._at(0.99)

    def _at(self, share: float) -> float:
        ordered = sorted(self._lately)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else 0.0

"""How long people waited, told in one line for each fault."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from tests.fire.people import Turn


@dataclass
class Figures:
    """When a fault began and ended, and the turns around it; times are seconds of one clock.

    `healed` is when every tier served every bot again, `here` counts how often "saved on this machine" was read,
    `retaken` the turns that were taken back for another worker's.
    """

    name: str
    began: float = 0.0
    ended: float = 0.0
    healed: float = 0.0
    turns: Sequence[Turn] = field(default_factory=list)
    here: int = 0
    retaken: int = 0

    def between(self, begin: float, end: float) -> list[Turn]:
        """The turns that began in a span, in their order."""
        return sorted((turn for turn in self.turns if begin <= turn.begun < end), key=lambda turn: turn.begun)

    def line(self) -> str:
        """Tell it; milliseconds, but for the time until all was healed."""
        spans = ((0.0, self.began), (self.began, self.ended), (self.ended, float("inf")))
        before, during, after = (self.between(*span) for span in spans)
        p50 = " ".join(_shown(_middle(some)) for some in (before, during, after))
        first = " ".join(_shown([turn.took for turn in some[:1]]) for some in (during, after))
        worst = _shown([max((turn.took for turn in self.turns), default=0.0)])
        again = sum(turn.tries - 1 for turn in self.turns)
        return (
            f"{self.name:48}{len(self.turns):6}{worst}{first}{p50}{again:7}{self.here:6}{self.retaken:8}"
            f"{self.healed - self.ended:8.1f} s"
        )


TITLE = "tiers under fire: turns in milliseconds"
HEAD = (
    f"{'fault':48}{'turns':>6}{'worst':>8}{'first':>8} {'back':>7}{'before':>8} {'during':>7} {'after':>7}"
    f"{'again':>7}{'here':>6}{'retaken':>8}{'healed':>10}"
)
"""What the columns are: `first` is the first turn of the fault, `back` the first behind it, then three medians."""


def _middle(turns: Sequence[Turn]) -> list[float]:
    return [median(turn.took for turn in turns)] if turns else []


def _shown(one: Sequence[float]) -> str:
    return f"{one[0] * 1000:8.1f}" if one else f"{'-':>8}"

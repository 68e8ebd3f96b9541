"""Whether samples are flat: their later half is held against their earlier half, the warm-up left out."""

from collections.abc import Callable, Sequence
from statistics import median

from tests.soak.samples import Sample

WARM_UP = 0.25
"""The share of the samples, at the beginning, that is not judged: caches fill."""
MEMORY = (1.05, 2.0)
"""Memory may grow between the halves' medians by so much, and by so many MiB more."""
SLOWER = (1.5, 5.0)
"""The same for how long turns take, in milliseconds: other programs use the machine too."""
LEFT = 2
"""By so many may the count that a quarter of the later half stays below exceed the earlier half's: what leaks is never
few again, and what is many or few for a moment does not count."""
IDLE = 1.0
"""Percent of a core."""
KEPT_PACE = 0.95


def problems(samples: Sequence[Sample], wanted: float, idle: Sequence[float]) -> list[str]:
    """Say what is not flat; `wanted` are turns a second, `idle` percents of a core while nobody talks."""
    judged = samples[int(len(samples) * WARM_UP) :]
    early, late = judged[: len(judged) // 2], judged[len(judged) // 2 :]
    if not early:
        return ["there are too few samples to judge"]
    found = _grew("memory in MiB", (early, late), lambda one: one.rss, MEMORY)
    found += _grew("p50 in ms", (early, late), lambda one: one.p50, SLOWER)
    found += _grew("p99 in ms", (early, late), lambda one: one.p99, SLOWER)
    for name in ("fds", "tasks", "threads", "connections", "owed", "behind"):
        before, after = (sorted(getattr(one, name) for one in half)[len(half) // 4] for half in (early, late))
        found += [f"{name}: seldom fewer than {after}, before it was {before}"] if after > before + LEFT else []
    pace = sum(one.turns for one in judged[1:]) / max(judged[-1].at - judged[0].at, 1e-9)
    found += [f"{pace:.1f} turns a second instead of {wanted:g}"] if pace < KEPT_PACE * wanted else []
    return found + [f"{one:.2f} % of a core while nobody talked" for one in idle if one >= IDLE]


def _grew(
    name: str,
    halves: tuple[Sequence[Sample], Sequence[Sample]],
    of: Callable[[Sample], float],
    most: tuple[float, float],
) -> list[str]:
    before, after = (median(map(of, half)) for half in halves)
    factor, more = most
    return [f"{name}: {before:.1f}, then {after:.1f}"] if after > before * factor + more else []

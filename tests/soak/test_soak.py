from dataclasses import replace
from pathlib import Path

import pytest

from tests.soak.samples import Sample
from tests.soak.soak import Plan, soak
from tests.soak.verdict import problems

RATE, EVERY, COUNT = 50.0, 60.0, 30
FLAT = Sample(
    at=0.0,
    rss=90.0,
    cpu=1.0,
    fds=30,
    tasks=15,
    threads=6,
    connections=8,
    owed=0,
    behind=0,
    turns=round(RATE * EVERY),
    p50=10.0,
    p99=30.0,
    worst=50.0,
)


def samples(**grows: float) -> list[Sample]:
    """Half an hour in which some things grow by so much with each sample, and the rest stays as it was."""
    return [
        replace(FLAT, at=EVERY * number, **{name: getattr(FLAT, name) + by * number for name, by in grows.items()})
        for number in range(COUNT)
    ]


def test_what_stays_as_it_was_is_flat() -> None:
    """Nothing is said of a bot that is after half an hour as it was after some minutes."""
    assert problems(samples(), RATE, [0.3, 0.4]) == []


@pytest.mark.parametrize(
    ("name", "by"), [("rss", 1.0), ("p50", 3.0), ("p99", 10.0), ("fds", 1), ("tasks", 1), ("threads", 1)]
)
def test_what_grows_all_the_time_is_found(name: str, by: float) -> None:
    """A little more with each minute is a leak, whatever it is of."""
    [problem] = problems(samples(**{name: by}), RATE, [])

    assert name in problem or (name == "rss" and "memory" in problem)


def test_what_is_much_for_a_moment_is_no_leak() -> None:
    """A burst, a tier that comes back, a warm-up: what falls again is flat."""
    burst = [replace(one, tasks=500, connections=2, owed=40) if one.at == 1200 else one for one in samples()]
    warming = [replace(one, rss=40.0 + one.at / 10) if one.at < 400 else one for one in burst]

    assert problems(warming, RATE, []) == []


def test_who_cannot_keep_the_pace_or_rest_is_found() -> None:
    """Fewer turns than were asked for, and a core that is used while nobody talks, are problems."""
    slow = [replace(one, turns=2000) for one in samples()]

    assert problems(slow, RATE, [0.3, 1.2]) == [
        "33.3 turns a second instead of 50",
        "1.20 % of a core while nobody talked",
    ]


def test_too_short_a_time_is_no_proof() -> None:
    """With a sample or two nothing can be called flat."""
    assert problems(samples()[:1], RATE, []) == ["there are too few samples to judge"]


async def test_a_soak_measures_a_real_bot(tmp_path: Path) -> None:
    """In some seconds over two real servers every input is kept, each sample is whole, and the bot ends cleanly."""
    found = await soak(Plan(2.5, rate=10.0, people=10, every=0.8, idle=0.2), tmp_path)

    assert (found.said, found.status, found.wrong) == (found.kept, 0, [])
    assert found.said > 0
    assert len(found.samples) >= 2
    assert all(one.rss > 10 and one.fds and one.tasks and one.threads and one.connections for one in found.samples)
    assert sum(one.turns for one in found.samples) > 0
    assert found.as_json().startswith("{")
    assert "Verdict: " in found.told()

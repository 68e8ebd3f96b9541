"""The floors and the races, run once in their smallest form, so that they do not rot."""

from pathlib import Path

import pytest

from benchmarks.places import Place
from benchmarks.race import Entry, NotMeasured, race
from benchmarks.racing import tails
from benchmarks.reading import reading
from benchmarks.report import Goal
from benchmarks.sending import sending
from benchmarks.stages import codecs, stages

LENGTH = 0.06


@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        ("floor", ("rows",)),
        ("floor", ("event",)),
        ("turns", (1,)),
        ("naive", (3,)),
        ("bot", (1,)),
        ("bot", (3,)),
        ("webhook", (3,)),
    ],
)
def test_each_of_our_contestants_takes_turns(tmp_path: Path, module: str, arguments: tuple[object, ...]) -> None:
    """A contestant runs its slices, and its figures are times of turns that were taken."""
    entry = Entry(f"benchmarks.contestants.{module}", (tmp_path / "journal.db", *arguments))

    [result] = race(entry, seconds=LENGTH)

    assert all(rate > 0 for rate in result.rates())
    assert all(one >= 1 for one in tails(result))


async def test_the_parts_are_measured_and_a_whole_journal_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The tables of codec, stages and reading are printed whole."""
    place = Place("a folder", tmp_path)
    await codecs(1)
    await stages(place, 1)
    await sending(1)
    await reading(place, 1, people=2)

    told = capsys.readouterr().out
    for name in (
        "decode + fold",
        "append codec",
        "parse",
        "commit share",
        "the sender adds",
        "rebuild",
        "verify",
        "export",
    ):
        assert name in told


def test_a_peer_that_cannot_be_had_is_named(tmp_path: Path) -> None:
    """A race with a Python that is not there says so instead of failing."""
    with pytest.raises(NotMeasured, match="not there"):
        race(Entry("benchmarks.peers.ptb", (), str(tmp_path / "python")), seconds=LENGTH)


@pytest.mark.parametrize(("goal", "value", "kept"), [(Goal(2), 1.9, True), (Goal(3, at_most=False), 2.0, False)])
def test_a_goal_is_a_limit_from_one_side(goal: Goal, value: float, kept: bool) -> None:  # noqa: FBT001 - a column of the table above
    """What keeps a goal is told from what misses it."""
    assert goal.verdict(value).endswith("kept") == kept

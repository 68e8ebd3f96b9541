"""The real engine and the real protocol, in virtual time, with everything breaking around them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.reading import ROOT
from tests.simulation.campaign import Campaign, Chunk, live
from tests.simulation.world import Course, simulate

SEEDS = 60
_DIGEST = "from tests.simulation.world import *; print(simulate(Course({seed})).story.digest())"


@pytest.mark.parametrize("first", range(0, SEEDS, 10))
def test_nothing_acknowledged_is_lost_whatever_breaks(first: int) -> None:
    """Workers die, tiers hang, messages are lost: once all is healed, everything acknowledged counts, everywhere."""
    failed = [outcome for seed in range(first, first + 10) if (outcome := simulate(Course(seed))).problems]

    assert not failed, failed[0].told()


def test_a_seed_tells_one_story() -> None:
    """The same seed leads to the same story, line by line, in any process and however Python hashes."""
    here = simulate(Course(7)).story.digest()
    command = [sys.executable, "-c", _DIGEST.format(seed=7)]
    elsewhere = [
        subprocess.run(
            command, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": hashed}, capture_output=True, text=True, check=True
        ).stdout.strip()
        for hashed in ("1", "2")
    ]

    assert elsewhere == [here, here]


def test_two_seeds_tell_two_stories() -> None:
    """Another seed is another story."""
    assert simulate(Course(7)).story.digest() != simulate(Course(8)).story.digest()


def test_a_story_names_who_did_what_when_and_how_to_see_it_again() -> None:
    """A seed's story has its virtual times, its workers and tiers, and the command that tells it once more."""
    told = simulate(Course(7)).told()

    for what in ("0.0000  ann ", "ann       acknowledges u", "on neon: Appended", "reads: ", "nemesis   all is healed"):
        assert what in told
    assert told.endswith("python -m tests.simulation 7")


def test_a_campaign_goes_on_where_its_file_ends(tmp_path: Path) -> None:
    """What a file says was lived is counted and not lived again, and a failure in it stays one."""
    kept = tmp_path / "seeds"
    kept.write_text(live(range(3, 5)).lines() + Chunk(5, 2, ((5, ("a problem",)),), 0.5, 1800.0).lines())

    again = Campaign(3, 254, kept)

    assert [len(chunk.failures) for chunk in again.chunks] == [0, 1]
    assert again.told().startswith("4 seeds, 1 failed, 1 simulated hours in 0.50 hours")
    assert list(again.left()) == [range(253, 257)]

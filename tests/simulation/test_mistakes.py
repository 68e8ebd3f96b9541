"""Each shortcut that was tried and fails is found by the simulation: it would see the real code take it."""

import pytest

from tests.simulation import mistakes, more_mistakes
from tests.simulation.mistakes import Mistake
from tests.simulation.world import WHOLE, Course, simulate

OLD_TIERS = ("keep_copy", "restore", "restore", "trouble_telegram")
SPLIT = ("split", "split", "no_tier", "cut", "lose_answers", "kill", "trouble_telegram")
FROZEN = ("freeze_tier", "freeze_tier", "slow", "lose_answers", "trouble_telegram")
LONELY = ("no_tier", "kill", "trouble_telegram")

FOUND = {
    mistakes.acknowledge_before_durable: ("was acknowledged, and counts 0 times", LONELY, 200),
    mistakes.compare_the_version: ("went through on * over heads its worker did not know", WHOLE, 60),
    mistakes.push_what_is_in_flight: ("has taken back *, which stands elsewhere", SPLIT, 200),
    mistakes.rebase_after_ambiguous: ("has taken back *, which stands elsewhere", FROZEN, 400),
    mistakes.count_the_first_copy: ("was accepted, and another copy counts", SPLIT, 100),
    mistakes.acknowledge_a_known_input_at_once: ("which no tier holds; they were all well", OLD_TIERS, 200),
    mistakes.send_from_a_pending_row: ("which no tier holds; they were all well", WHOLE, 5),
    mistakes.leave_a_fork_untold: ("and the person was not told", SPLIT, 100),
    mistakes.expire_whatever_was_said: ("has expired, though its person went on with it", SPLIT, 100),
    more_mistakes.keep_one_event_of_a_version: ("nothing comes to rest after all is healed", SPLIT, 5),
    more_mistakes.order_by_version: ("was acknowledged before * was sent, and stands behind it", SPLIT, 5),
    more_mistakes.derive_the_identity: ("has taken back *, which stands elsewhere", SPLIT, 5),
    more_mistakes.trust_cursors_alone: ("lacks", OLD_TIERS, 5),
    more_mistakes.keep_one_copy: ("acknowledged *, which is not in its journal", SPLIT, 5),
    more_mistakes.count_each_decision: ("are not what the events amount to", SPLIT, 5),
    more_mistakes.let_the_last_writer_win: ("took the place of an answer that its worker had not seen", SPLIT, 5),
}
"""What is seen of each mistake, under which faults, and in how many seeds at most."""


def _seeds_until(problem: str, strengths: tuple[str, ...], at_most: int) -> int:
    """Say in which seed a problem is first seen, counted from 1; 0 when in none."""
    parts = problem.split("*")
    for seed in range(at_most):
        problems = simulate(Course(seed, strengths)).problems
        if any(all(part in one for part in parts) for one in problems):
            return seed + 1
    return 0


@pytest.mark.parametrize("mistake", FOUND, ids=lambda mistake: mistake.__name__)
def test_a_mistake_is_found(mistake: Mistake) -> None:
    """With one shortcut taken, a seed among the first few shows what it leads to."""
    with mistake():
        assert _seeds_until(*FOUND[mistake])

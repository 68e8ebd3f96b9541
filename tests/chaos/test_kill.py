"""Real kills: SIGKILL in the middle of bursts, and afterwards every input is there, once and in order."""

import asyncio
import os
from dataclasses import dataclass

import pytest

from tests.chaos.outcome import Outcome, StockOutcome, over_holdfast, over_stock_bot, table
from tests.chaos.storm import seed
from tests.figures import tell

KILLS = 10
MANY_KILLS = int(os.environ.get("HOLDFAST_KILLS", "200"))


@dataclass(frozen=True)
class Storms:
    """The same storm over both bots."""

    ours: Outcome
    stock: StockOutcome


@pytest.fixture(scope="module", params=[KILLS, pytest.param(MANY_KILLS, marks=pytest.mark.torture)], ids=str)
def storms(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Storms:
    """Let one storm pass over each bot; all tests of this file judge what came of it."""
    chosen = seed()
    print(f"HOLDFAST_SEED={chosen}")  # noqa: T201 - pytest shows it beside a failure
    ours = asyncio.run(over_holdfast(tmp_path_factory.mktemp("holdfast"), chosen, request.param))
    stock = asyncio.run(over_stock_bot(tmp_path_factory.mktemp("stock"), chosen, request.param))
    tell(request.config, "killed again and again", table(ours, stock))
    return Storms(ours, stock)


def test_the_kills_fell_into_the_middle_of_work(storms: Storms) -> None:
    """Inputs were on their way when the bot was killed: otherwise nothing below would say anything."""
    assert len(storms.ours.storm.in_flight) == storms.ours.storm.blows
    assert sum(storms.ours.storm.in_flight) > 0


def test_no_input_is_lost(storms: Storms) -> None:
    """Every input that was sent stands in the exported log."""
    assert storms.ours.findings.inputs > 0
    assert storms.ours.findings.lost == []


def test_no_input_counts_twice(storms: Storms) -> None:
    """An input delivered again by Telegram, or taken up again after a kill, is still one event, without a copy."""
    found = storms.ours.findings
    assert (found.doubled, found.copies) == ([], 0)


def test_no_input_is_altered_or_made_up(storms: Storms) -> None:
    """The log holds what was said, letter by letter, and nothing that nobody said."""
    assert (storms.ours.findings.altered, storms.ours.findings.strangers) == ([], [])


def test_the_inputs_of_a_person_keep_their_order(storms: Storms) -> None:
    """What a person sent first stands first in the log, however often the bot died between."""
    assert storms.ours.findings.misordered == []


def test_every_saved_machine_is_there(storms: Storms) -> None:
    """A machine stands in user_machines exactly if its person was told that it is saved, and as it was answered."""
    assert storms.ours.findings.confirmed > 0
    assert storms.ours.findings.machines == []


def test_everybody_stands_where_they_stopped(storms: Storms) -> None:
    """The open question of each person is the one that their inputs lead to."""
    assert storms.ours.findings.places == []


def test_nobody_is_left_without_an_answer(storms: Storms) -> None:
    """Each input has one recorded reply, in order, and the last message in each chat answers the last input."""
    assert storms.ours.findings.replies == []


def test_the_log_proves_itself(storms: Storms) -> None:
    """Verify and rebuild find nothing wrong, no turn failed, and the bot ends cleanly at last."""
    assert storms.ours.findings.failures == []
    assert storms.ours.status == 0


def test_the_stock_bot_lived_through_the_same(storms: Storms) -> None:
    """The bot we compare ourselves with handled inputs and answered, so that its losses mean something."""
    assert storms.stock.handled > 0
    assert storms.stock.replies > 0

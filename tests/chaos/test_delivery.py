"""Replies that always arrive: the bot is killed and stopped while Telegram refuses, fails, and swallows its answers."""

import asyncio
import os

import pytest

from tests.chaos.outcome import Outcome, over_holdfast, share_sent_twice
from tests.chaos.storm import AT_WORK, DEAF, GRUDGING, kill_or_stop, seed
from tests.figures import tell

BLOWS = 3
MANY_BLOWS = int(os.environ.get("HOLDFAST_KILLS", "100"))


@pytest.fixture(scope="module", params=[BLOWS, pytest.param(MANY_BLOWS, marks=pytest.mark.torture)], ids=str)
def outcome(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Let one storm pass over the bot, with everything that Telegram can do to a message."""
    chosen = seed()
    print(f"HOLDFAST_SEED={chosen}")  # noqa: T201 - pytest shows it beside a failure
    folder = tmp_path_factory.mktemp("delivery")
    found = asyncio.run(
        over_holdfast(folder, chosen, request.param, kill_or_stop, AT_WORK, troubles=(*GRUDGING, *DEAF))
    )
    tell(request.config, "Telegram fails, and the bot is killed", share_sent_twice(found))
    return found


def test_every_kind_of_trouble_was_met(outcome: Outcome) -> None:
    """Messages were refused, failed, reset, and carried out without an answer: otherwise nothing here says anything."""
    assert outcome.faults.keys() >= {"flood", "error", "reset", "drop"}


def test_every_reply_arrives_and_in_order(outcome: Outcome) -> None:
    """Each input has its reply in the chat, in the order of the inputs, and the last message answers the last input."""
    assert outcome.findings.replies == []


def test_no_input_is_lost_to_trouble_with_sending(outcome: Outcome) -> None:
    """All inputs are there, once and in order, and the journal proves itself."""
    found = outcome.findings
    assert (found.lost, found.doubled, found.misordered, found.machines, found.places) == ([], [], [], [], [])


def test_a_message_is_sent_twice_only_after_a_crash_or_a_lost_answer(outcome: Outcome) -> None:
    """There are no more second messages than lost answers, and the replies that were on their way at an end."""
    assert outcome.findings.replies_twice <= outcome.faults["drop"] + sum(outcome.storm.owed)

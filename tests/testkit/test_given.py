from datetime import date, timedelta
from typing import Literal

import pytest

from holdfast import Flow, Step
from holdfast.domain.errors import FlowError
from holdfast.testkit import (
    Chat,
    cancels,
    confirms,
    edits,
    given,
    goes_back,
    later,
    says,
    sends,
    sends_photo,
    skips,
    taps,
)

patrol = Flow(
    name="patrol",
    command="patrol",
    title="Begin a patrol",
    confirm="File it",
    done="Filed: {value}.",
    ttl=timedelta(hours=2),
    steps=(
        Step(name="gate", prompt="Which <gate>?"),
        Step(name="state", prompt="Open or shut?", type=Literal["open", "shut"]),
        Step(name="day", prompt="On which day?", type=date, optional=True),
        Step(name="picture", prompt="Show it.", photo=True, optional=True),
    ),
)

BEGUN = given(patrol).when(says("/patrol"))
CARD = BEGUN.when(says("North"), says("open"), skips(), sends_photo("north.jpg"))


def fails(check: str, chat: Chat, *expected: str, **values: str | None) -> str:
    """Give the message of a check that must fail."""
    with pytest.raises(AssertionError) as failure:
        getattr(chat, check)(*expected, **values)
    return str(failure.value)


def test_a_whole_conversation_is_told_in_one_breath() -> None:
    """Asked, filed, shown on the card and completed: each is seen where it happens."""
    BEGUN.then_asks("Which <gate>?")
    CARD.then_filed(gate="North", state="open", day=None, picture="north.jpg").then_asks("Gate: North")
    done = CARD.then_offers("File it", "Gate", "Cancel").when(confirms())

    done.then_completed(gate="North", day=None).then_says("Filed: North.")
    assert done.question == ""


def test_a_chat_never_changes() -> None:
    """Two tests that go on from one beginning do not meet."""
    north, south = BEGUN.when(says("North")), BEGUN.when(says("South"))

    assert (BEGUN.values, north.values, south.values) == ({}, {"gate": "North"}, {"gate": "South"})


def test_a_refusal_is_seen_with_its_complaint() -> None:
    """What was not taken is refused, in words that stand above the question, and the question stays."""
    asked = BEGUN.when(says("North"))

    asked.when(says("ajar")).then_refused("'open' or 'shut'").then_asks("Open or shut?")
    asked.when(skips()).then_refused("cannot be skipped")
    refused = asked.when(sends("sticker")).then_refused("can't read this kind")
    assert refused.values == {"gate": "North"}


def test_answers_are_mended() -> None:
    """An edited message, a step back and a button of the card change an answer."""
    BEGUN.when(says("North"), edits("North", to="South")).then_filed(gate="South").then_asks("Open or shut?")
    BEGUN.when(says("North"), goes_back(), says("East")).then_filed(gate="East")
    mended = CARD.when(taps("State"), says("shut"))

    assert mended.then_asks("State: shut").values["state"] == "shut"


def test_cancelling_is_seen() -> None:
    """A conversation that was stopped is cancelled, with what it held."""
    stopped = BEGUN.when(says("North"), cancels()).then_cancelled()

    assert stopped.values == {"gate": "North"}


def test_time_passes_when_a_test_lets_it() -> None:
    """Within the time to live nothing happens, after it the conversation is closed and can be taken up again."""
    BEGUN.when(later(says("North"), hours=1.9)).then_filed(gate="North")
    closed = BEGUN.when(says("North"), later(says("open"), hours=2.1)).then_says("after a long silence")

    assert closed.question == ""
    closed.when(taps("Take it up")).then_filed(gate="North").then_asks("Open or shut?")


def test_the_exact_label_goes_before_a_part_of_another() -> None:
    """Where one button reads exactly so, that it is a part of another's label does not matter."""
    twins = patrol.model_copy(update={"confirm": "State"})
    card = given(twins).when(says("/patrol"), says("North"), says("open"), skips(), skips())

    assert card.when(taps("State")).then_completed().reply.startswith("Filed")


def test_two_flows_with_one_command_are_refused() -> None:
    """What the bot would not start with, the kit does not accept either."""
    with pytest.raises(FlowError, match="share a command"):
        given(patrol, patrol.model_copy(update={"name": "other"}))


@pytest.mark.parametrize(
    ("check", "told"),
    [
        ("then_asks", "The bot asks '2 of 5 · State\\nOpen or shut?', not 'Nonsense'."),
        ("then_says", "not 'Nonsense'."),
        ("then_offers", "There is no button 'Nonsense'; the buttons are: '‹ Back', 'Cancel'."),
        ("then_refused", "The last input was not refused: it became answer.given."),
    ],
)
def test_what_does_not_hold_fails_and_says_what_holds(check: str, told: str) -> None:
    """A failed check tells what was found in place of what was wanted."""
    assert told in fails(check, BEGUN.when(says("North")), "Nonsense")


def test_a_wrong_value_fails_whether_filed_or_completed() -> None:
    """A field that holds something else, or that there is not, is told with all that is filed."""
    filed = "Filed is {'gate': 'North'}, not {'gate': 'South'}."

    assert filed in fails("then_filed", BEGUN.when(says("North")), gate="South")
    assert "not {'door': None}." in fails("then_filed", BEGUN.when(says("North")), door=None)
    assert "not {'gate': 'South'}." in fails("then_completed", CARD.when(confirms()), gate="South")


def test_another_complaint_fails() -> None:
    """A refusal is compared by what stands above the question, not by the question."""
    refused = BEGUN.when(says("North"), says("ajar"))

    assert "not 'Open or shut?'." in fails("then_refused", refused, "Open or shut?")


def test_an_end_that_did_not_come_fails() -> None:
    """A conversation that goes on is neither completed nor cancelled."""
    assert "did not complete the conversation: it became photo.added." in fails("then_completed", CARD)
    assert "did not cancel the conversation: it became photo.added." in fails("then_cancelled", CARD)


def test_a_button_that_is_not_there_or_not_the_only_one_cannot_be_tapped() -> None:
    """A tap that nobody could make fails the test, and names the buttons there are."""
    with pytest.raises(AssertionError, match=r"There is no button 'Skip'; the buttons are: 'Cancel'\."):
        BEGUN.when(taps("Skip"))
    with pytest.raises(AssertionError, match="There is more than one button '✎'"):
        CARD.when(taps("✎"))
    with pytest.raises(AssertionError, match="There is no button that confirms"):
        BEGUN.when(confirms())


def test_a_message_that_nobody_wrote_cannot_be_edited() -> None:
    """Only what the person has written can be changed."""
    with pytest.raises(AssertionError, match="Nobody has written 'South'"):
        BEGUN.when(edits("South", to="North"))


def test_a_failure_shows_the_chat_so_far() -> None:
    """Below the reason stands the chat as its person saw it, buttons and all."""
    message = fails("then_completed", BEGUN.when(says("North"), taps("Back")))

    assert message.partition("The chat so far:\n")[2].splitlines() == [
        "  > /patrol",
        "    1 of 5 · Gate",
        "    Which <gate>?",
        "    [Cancel]",
        "  > North",
        "    ✓ Gate: North",
        "",
        "    2 of 5 · State",
        "    Open or shut?",
        "    [‹ Back] [Cancel]",
        "  > [Back]",
        "    Back to Gate.",
        "",
        "    1 of 5 · Gate",
        "    Which <gate>?",
        "    At present: North",
        "    [Keep it]",
        "    [Cancel]",
    ]


def test_a_chat_in_which_nothing_was_said_fails_too() -> None:
    """Before the first word nothing has become anything, and the message says so."""
    message = fails("then_refused", given(patrol))

    assert "it became nothing at all." in message
    assert message.endswith("(nothing)")

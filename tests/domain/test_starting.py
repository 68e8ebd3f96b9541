import pytest

from holdfast.domain.ids import as_text
from holdfast.domain.kinds import Kind
from holdfast.domain.wording import say
from tests.domain.given import Act, conversation, given, in_group, says, sends, sends_photo, taps, up_to


def test_the_command_starts_the_flow() -> None:
    """The flow's command starts a conversation, which asks its first question."""
    (
        given()
        .when(says("/addmachine"))
        .then(Kind.STARTED, flow="add_machine", flow_version=1, step="", next_step="nickname", cause="command")
    )


def test_a_conversation_is_named_after_the_input_that_started_it() -> None:
    """Two workers that start it twice start the same one: its id comes from the thread and the input."""
    started = given(says("hello")).when(says("/addmachine")).worker.events[-1]

    assert started.conversation_id == conversation(2)


@pytest.mark.parametrize("command", ["/ADDMACHINE", "/addmachine@holdfast_bot", "/addmachine now", "/addmachine\nnow"])
def test_a_command_may_be_spelled_in_the_ways_telegram_allows(command: str) -> None:
    """Capital letters, the bot's name and words behind it do not change what a command means."""
    given().when(says(command)).then(Kind.STARTED, flow="add_machine")


def test_a_button_starts_the_flow() -> None:
    """When nothing is open, every flow has a button below the reply."""
    given(says("hello")).when(taps("Report a fault")).then(Kind.STARTED, flow="report_fault", cause="button")


@pytest.mark.parametrize(
    "again", [says("/addmachine"), says("/start"), says("/start from-a-link"), says("/ADDMACHINE")]
)
def test_an_open_conversation_is_resumed_with_its_question(again: Act) -> None:
    """Whoever starts again while a conversation is open finds all answers and the question that stood."""
    story = given(*up_to("location")).when(again)

    story.then(Kind.RESUMED, flow="add_machine", step="location", next_step="location", parked=())
    assert story.worker.values()["serial_number"] == "S-1001"
    assert say("machine.location") in story.text
    assert "Skip" in story.labels


def test_the_button_of_a_flow_resumes_it_too() -> None:
    """An old button that starts a flow goes on with it where it is open."""
    given(says("hello"), says("/addmachine"), says("Press 4")).when(taps("Register", on=1)).then(
        Kind.RESUMED, next_step="manufacturer"
    )


def test_the_card_is_resumed_as_the_card() -> None:
    """Resuming a conversation that only waits for its confirmation shows the card."""
    story = given(*up_to("confirm")).when(says("/addmachine"))

    story.then(Kind.RESUMED, next_step="confirm")
    assert say("card.ask") in story.text


def test_a_question_asked_again_is_resumed_as_such() -> None:
    """A field under change is still under change after resuming."""
    given(*up_to("confirm"), taps("✎ Location")).when(says("/start")).then(Kind.RESUMED, next_step="location")


def test_after_the_end_the_command_starts_anew() -> None:
    """A cancelled conversation is not resumed."""
    story = given(*up_to("location"), says("/cancel")).when(says("/addmachine"))

    story.then(Kind.STARTED, next_step="nickname")
    assert story.worker.values() == {}


def test_start_greets_when_nothing_is_open() -> None:
    """/start outside a conversation is a greeting with the buttons of the flows, and starts nothing."""
    story = given().when(says("/start"))

    story.then(Kind.NOTED, rule="start", flow="")
    assert story.labels == ["Register a machine", "Report a fault"]


@pytest.mark.parametrize(
    ("act", "rule"),
    [
        (says("hello"), "talk"),
        (says("/help"), "help"),
        (says("/skip"), "nothing_open"),
        (says("/back"), "nothing_open"),
        (says("/cancel"), "nothing_open"),
        (says("/dance"), "unknown_command"),
        (sends_photo(), "photo"),
        (sends("sticker"), "unsupported"),
    ],
)
def test_outside_a_conversation_everything_is_noted(act: Act, rule: str) -> None:
    """What has nothing to do with a conversation is an event as well, and belongs to none."""
    story = given().when(act)

    story.then(Kind.NOTED, rule=rule)
    assert story.worker.events[-1].conversation_id is None


def test_help_leaves_the_question_where_it_was() -> None:
    """/help in the middle is answered, is no part of the conversation, and the question follows."""
    story = given(*up_to("location")).when(says("/help"))

    story.then(Kind.NOTED, rule="help")
    assert story.worker.events[-1].conversation_id is None
    assert say("machine.location") in story.text
    assert story.step == "location"


def test_what_was_said_in_a_group_is_answered_once() -> None:
    """A group hears where to write, once, and starts nothing there."""
    story = given().when(in_group("/addmachine")).then(Kind.NOTED, rule="group", cause="group")
    story.when(in_group("/addmachine")).then(Kind.NOTED, rule="group")

    assert [screen.text for screen in story.worker.screens] == [say("noted.group")]


def test_starting_parks_what_is_open() -> None:
    """Starting a second flow names what it sets aside."""
    given(*up_to("location")).when(says("/report")).then(
        Kind.STARTED, flow="report_fault", flow_version=3, next_step="place", parked=(as_text(conversation(1)),)
    )

"""Where a person is: named once, kept, and used for what comes unasked."""

import pytest
from msgspec.structs import replace
from pydantic import ValidationError

from holdfast.domain.evolve import fold
from holdfast.domain.flow import Flow, Flows
from holdfast.domain.kinds import Kind
from holdfast.domain.machine_flows import MACHINE_FLOWS
from holdfast.domain.timers import reminder
from holdfast.domain.wording import say
from holdfast.domain.zones import COMMON
from tests.domain.given import HOUR, NOON, SECOND, Worker, given, says, taps, up_to


def test_a_zone_that_is_typed_counts_from_then_on() -> None:
    """The person reads which one was understood; the event says it in its words, never in its facts."""
    story = given(says("/timezone europe/berlin"))

    story.then(Kind.NOTED, rule="timezone", value="Europe/Berlin", subject="", field="")
    assert story.text == say("noted.timezone", zone="Europe/Berlin")
    assert story.worker.state.zone == "Europe/Berlin"


def test_without_a_name_some_zones_are_offered_and_a_tap_chooses() -> None:
    """The reply names the zone that counts so far, the bot's own, and has a button for each that is common."""
    story = given(says("/timezone"), flows=Flows(MACHINE_FLOWS, "Asia/Tokyo"))
    story.then(Kind.NOTED, rule="timezones", value="Asia/Tokyo")
    assert len(story.labels) >= len(COMMON)

    story.when(taps("Sao Paulo"))
    assert story.worker.state.zone == "America/Sao_Paulo"


@pytest.mark.parametrize("name", ["Nowhere", "<b>", "Europe/Nowhere", "x" * 4000])
def test_a_name_that_is_none_changes_nothing(name: str) -> None:
    """The person is told, and offered some; the zone named before still counts."""
    story = given(says("/timezone UTC"), says(f"/timezone {name}"))

    story.then(Kind.NOTED, rule="unknown_timezone", value="UTC")
    assert story.text == say("noted.unknown_timezone", zone="UTC")
    assert "Tokyo" in story.labels
    assert story.worker.state.zone == "UTC"


def test_it_may_be_said_in_the_middle_of_a_conversation() -> None:
    """The question stays open below the reply, and its deadline and its answers are as they were."""
    story = given(*up_to("location"))
    [before] = story.worker.state.open
    story.when(says("/timezone Asia/Tokyo"))

    assert story.worker.state.open == (before,)
    assert "Where does it stand?" in story.text
    assert story.step == "location"


def test_the_reminder_moves_with_the_person() -> None:
    """Four hours before an end at eight in the morning UTC it is one in the afternoon in Tokyo, and night at home."""
    worker = Worker().hears(*up_to("location"))
    [standing] = worker.state.open
    at_home = reminder(worker.flows, worker.state, standing)
    worker.hears(says("/timezone Asia/Tokyo"))
    there = reminder(worker.flows, worker.state, standing)

    assert at_home == NOON + 12 * HOUR * SECOND
    assert there == standing.updated_at + 20 * HOUR * SECOND


def test_the_last_one_counts_and_an_erased_one_does_not() -> None:
    """Once the words are gone nobody knows where the person was."""
    worker = Worker().hears(says("/timezone Asia/Tokyo"), says("/timezone Europe/Berlin"))
    erased = [replace(event, words=None) for event in worker.events]

    assert worker.state.zone == "Europe/Berlin"
    assert fold(erased).zone == ""


def test_a_flow_of_ones_own_cannot_take_the_command() -> None:
    """The bot's own commands are refused when a flow is declared."""
    refused = ""
    try:
        Flow(name="zones", command="timezone", title="Zones", steps=())
    except ValidationError as error:
        refused = str(error)

    assert "/timezone is the bot's own command" in refused

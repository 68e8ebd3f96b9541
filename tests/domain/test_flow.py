import asyncio
from datetime import date, timedelta
from typing import Annotated, Any, Literal

import pytest
from pydantic import AfterValidator, ValidationError
from pydantic_core import PydanticCustomError

from holdfast.domain.drafts import unexpected
from holdfast.domain.errors import FlowBroken, FlowError, UnknownFlow
from holdfast.domain.flow import Flow, Flows, Refused, Step
from holdfast.domain.kinds import Kind
from holdfast.domain.machine_flows import add_machine
from holdfast.domain.wording import say
from tests.domain.given import FLOWS, Act, Worker, given, inbound, report_fault, says, sends, sends_photo, taps, up_to


def a_flow(*, name: str = "survey", command: str = "", **declared: Any) -> Flow:  # noqa: ANN401 - what a Flow declares
    steps = declared.pop("steps", (Step(name="first", prompt="Well?"),))
    return Flow(name=name, command=command or name, title="A survey", steps=steps, **declared)


def _crashes(_text: str) -> str:
    raise ZeroDivisionError


def _refuses(text: str) -> str:
    raise ValueError(f"<b>{text}</b> & such is not wanted")


def _has_its_own_rule(_text: str) -> str:
    raise PydanticCustomError("odd", "This is {what}, <sorry>", {"what": "odd"})


def asks_for(type_: Any) -> Flows:  # noqa: ANN401 - whatever pydantic takes for a type
    return Flows([a_flow(steps=(Step(name="first", prompt="Well?", type=type_),))])


def test_a_validators_own_sentence_is_shown_escaped() -> None:
    """When a step's validator raises ValueError, its sentence is what the person reads, with the question."""
    story = given(says("/survey"), flows=asks_for(Annotated[str, AfterValidator(_refuses)])).when(says("<i>"))

    story.then(
        Kind.REJECTED,
        rule="value_error",
        next_step="first",
        complaint="&lt;b&gt;&lt;i&gt;&lt;/b&gt; &amp; such is not wanted",
    )
    assert "&lt;b&gt;&lt;i&gt;&lt;/b&gt; &amp; such is not wanted" in story.text
    assert "Well?" in story.text


def test_a_rule_of_ones_own_has_a_name_and_a_sentence() -> None:
    """A validator may name its rule; the name is a fact, the sentence is escaped."""
    given(says("/survey"), flows=asks_for(Annotated[str, AfterValidator(_has_its_own_rule)])).when(says("x")).then(
        Kind.REJECTED, rule="odd", complaint="This is odd, &lt;sorry&gt;"
    )


def test_an_input_at_a_validator_that_fails_is_kept() -> None:
    """A validator that raises anything else does not lose the input: it is kept with the rule `failed`."""
    worker = Worker(asks_for(Annotated[str, AfterValidator(_crashes)])).hears(says("/survey"))
    with pytest.raises(ZeroDivisionError):
        worker.takes(2, says("x"))
    kept = worker.appends(unexpected(worker.state, inbound(2, says("x")(2, [])), "failed"), 2)

    assert (kept.kind, kept.facts.rule, kept.facts.flow, kept.facts.cause) == (
        "input.unexpected",
        "failed",
        "survey",
        "text",
    )
    assert kept.words is not None
    assert kept.words.said is not None
    assert kept.words.said.text == "x"
    assert say("rule.failed") in worker.screens[-1].text
    assert "Well?" in worker.screens[-1].text
    assert worker.current_step() == "first"


def test_outside_a_conversation_a_failed_input_is_noted() -> None:
    """An input that failed where nothing is open belongs to no conversation."""
    draft = unexpected(Worker().state, inbound(1, says("x")(1, [])), "failed")

    assert (draft.kind, draft.conversation_id, draft.facts.rule) == ("thread.noted", None, "failed")


@pytest.mark.parametrize(
    ("type_", "typed", "stored"),
    [
        (str, "as typed ", "as typed "),
        (int, "007", "7"),
        (float, "1.50", "1.5"),
        (bool, "yes", "True"),
        (date, "2026-02-28", "2026-02-28"),
        (Literal["a", "b"], "b", "b"),
        (str, "a\0\ud800", "a��"),
    ],
)
def test_an_answer_is_stored_in_its_text_form(type_: Any, typed: str, stored: str) -> None:  # noqa: ANN401 - any type
    """Whatever type a step has, its value is a text that every screen and database can hold."""
    assert Step(name="first", prompt="Well?", type=type_).parse(typed) == stored


@pytest.mark.parametrize("type_", [int, float, bool, date, Literal["a"], Annotated[str, AfterValidator(_refuses)]])
def test_what_does_not_fit_is_refused_with_a_rule_and_a_sentence(type_: Any) -> None:  # noqa: ANN401 - any type
    """A refusal always has both: a stable name to count by, and something to read."""
    with pytest.raises(Refused) as refused:
        Step(name="first", prompt="Well?", type=type_).parse("\ud800 <x>")

    assert refused.value.rule
    assert refused.value.complaint
    assert "<" not in refused.value.complaint
    refused.value.complaint.encode()


EVERYTHING = [says("Hall 3"), says("/cancel"), says("/start"), says("/report"), sends("sticker"), sends_photo()]


@pytest.mark.parametrize("act", EVERYTHING)
def test_a_flow_that_is_missing_loses_nothing(act: Act) -> None:
    """While the flow of an open conversation is not loaded, every input is kept and the person is told, once."""
    story = given(*up_to("location"))
    story.worker.flows = Flows([report_fault])
    story.when(act)

    story.then(Kind.UNEXPECTED, rule="flow_missing", flow="add_machine", flow_version=1)
    assert story.text == say("rule.flow_missing")
    assert story.worker.values()["serial_number"] == "S-1001"


def test_a_tap_while_the_flow_is_missing_is_kept_too() -> None:
    """The buttons above do nothing either, and say so."""
    story = given(*up_to("location"))
    story.worker.flows = Flows([report_fault])
    story.when(taps("Skip")).then(Kind.UNEXPECTED, rule="flow_missing")


def test_when_the_flow_is_back_the_conversation_goes_on() -> None:
    """What was answered before and the question that stood are still there."""
    story = given(*up_to("location"))
    story.worker.flows = Flows([report_fault])
    story.when(says("Hall 3"))
    story.worker.flows = FLOWS
    story.when(says("Hall 3")).then(Kind.ANSWERED, field="location", next_step="notes")


def test_a_parked_flow_that_is_missing_can_be_told_of_only_later() -> None:
    """The active conversation goes on; when it ends, the one below is named as not to be had."""
    story = given(*up_to("location"), says("/report"), says("Hall 3"))
    story.worker.flows = Flows([report_fault])
    story.when(says("3")).then(Kind.ANSWERED, flow="report_fault", field="count")
    story.when(says("/cancel")).then(Kind.CANCELLED, flow="report_fault")

    assert say("cancelled") in story.text
    assert say("rule.flow_missing") in story.text


def test_a_conversation_finishes_on_the_version_it_began_with() -> None:
    """A new version of a flow asks its own questions only of those who start after it came."""
    old = a_flow(steps=(Step(name="first", prompt="Old?"),))
    new = a_flow(version=2, steps=(Step(name="other", prompt="New?"),))
    story = given(says("/survey"), flows=Flows([old]))
    story.worker.flows = Flows([old, new])

    story.when(says("x")).then(Kind.ANSWERED, flow_version=1, field="first", next_step="confirm")
    story.when(taps("Save")).then(Kind.CONFIRMED, flow_version=1)
    story.when(says("/survey")).then(Kind.STARTED, flow_version=2, next_step="other")


def test_a_flow_is_found_by_name_version_and_command() -> None:
    """The flows are indexed, newest version first in line, in the order declared."""
    newer = a_flow(version=2)
    flows = Flows([a_flow(), newer, add_machine])

    assert flows.get("survey", 1).version == 1
    assert flows.newest("survey") is newer
    assert flows.newest("nowhere") is None
    assert flows.by_command("survey") is newer
    assert flows.by_command("nowhere") is None
    assert [flow.name for flow in flows] == ["survey", "add_machine"]
    with pytest.raises(UnknownFlow, match="survey version 3"):
        flows.get("survey", 3)


@pytest.mark.parametrize(
    "flows", [[a_flow(), a_flow()], [a_flow(), a_flow(name="other", command="survey")]], ids=["version", "command"]
)
def test_two_flows_may_not_share_what_tells_them_apart(flows: list[Flow]) -> None:
    """The same version twice, and one command for two flows, are refused at the start."""
    with pytest.raises(FlowError):
        Flows(flows)


@pytest.mark.parametrize(
    "declared",
    [
        {"steps": tuple(Step(name=f"s{place}", prompt="?") for place in range(51))},
        {"steps": (Step(name="same", prompt="?"), Step(name="same", prompt="?"))},
        {"steps": (Step(name="confirm", prompt="?"),)},
        {"name": "Survey"},
        {"name": "s" * 33},
        {"command": "a-b"},
        {"version": 0},
        {"surprise": 1},
        {"intro": "x" * 1001},
        {"done": "x" * 1001},
    ],
)
def test_a_flow_declared_wrongly_is_refused(declared: dict[str, Any]) -> None:
    """A mistake in a declaration is found where it is declared, not in front of a person."""
    with pytest.raises(ValidationError):
        a_flow(**declared)


@pytest.mark.parametrize(
    "declared", [{"name": "Upper"}, {"prompt": ""}, {"label": "x" * 41}, {"hint": "x" * 501}, {"surprise": 1}]
)
def test_a_step_declared_wrongly_is_refused(declared: dict[str, Any]) -> None:
    """The same holds for each of its steps."""
    with pytest.raises(ValidationError):
        Step(**{"name": "first", "prompt": "Well?", **declared})


def test_the_card_is_no_step() -> None:
    """The confirm card stands last in the order and has no question."""
    assert list(add_machine.order)[-1] == "confirm"
    with pytest.raises(KeyError):
        add_machine.step("confirm")


def test_the_registration_asks_what_the_table_of_machines_holds() -> None:
    """The questions come in the order of the nameplate, and only the nickname is required."""
    assert list(add_machine.order) == [
        *("nickname", "manufacturer", "model_number", "serial_number", "location", "notes", "photo"),
        "confirm",
    ]
    assert [step.name for step in add_machine.steps if not step.optional] == ["nickname"]
    assert [step.name for step in add_machine.steps if step.unique] == ["nickname"]


@pytest.mark.parametrize("thrown", [asyncio.CancelledError, SystemExit, KeyboardInterrupt, GeneratorExit])
def test_a_type_cannot_end_more_than_its_answer(thrown: type[BaseException]) -> None:
    """What would cancel a task or end the program is an error of the flow, and of nothing else."""

    def throw(_text: str) -> str:
        raise thrown

    step = Step(name="odd", prompt="?", type=Annotated[str, AfterValidator(throw)])
    with pytest.raises(FlowBroken, match=thrown.__name__):
        step.parse("can")


def test_a_value_of_another_type_is_never_warned_about() -> None:
    """A validator may give what its annotation does not say; no warning shows the value to the log."""

    def split(text: str) -> str:
        return [text]  # type: ignore[return-value]

    step = Step(name="odd", prompt="?", type=Annotated[str, AfterValidator(split)])
    assert step.parse("secret") == "['secret']"


@pytest.mark.parametrize("ttl", [timedelta(0), timedelta(seconds=-1), timedelta.max])
def test_a_time_to_live_that_cannot_be_is_refused(ttl: timedelta) -> None:
    """It is longer than nothing, and at most ten years."""
    with pytest.raises(ValidationError):
        a_flow(ttl=ttl)

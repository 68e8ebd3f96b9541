from holdfast.domain.ids import as_text
from holdfast.domain.kinds import Kind
from holdfast.domain.wording import say
from tests.domain.given import Worker, conversation, given, says, taps, up_to

REPORT = (says("Hall 3"), says("2"), says("/skip"), says("/skip"))


def open_flows(worker: Worker) -> list[str]:
    return [one.flow for one in worker.state.open]


def test_a_second_flow_parks_the_first() -> None:
    """Starting another flow in the middle sets the first aside and asks the other's question."""
    story = given(*up_to("location")).when(says("/report"))

    assert open_flows(story.worker) == ["add_machine", "report_fault"]
    assert story.step == "place"


def test_the_parked_one_is_taken_up_at_the_end_of_the_other() -> None:
    """When the active conversation is completed, the one parked is taken up again with its question."""
    story = given(*up_to("location"), says("/report"), *REPORT).when(taps("Save"))

    story.then(Kind.CONFIRMED, flow="report_fault", resumes=as_text(conversation(1)))
    assert story.step == "location"
    assert say("taken_up") in story.text
    assert say("machine.location") in story.text
    assert story.worker.values()["serial_number"] == "S-1001"


def test_cancelling_the_second_takes_up_the_first() -> None:
    """A cancelled one makes room as well."""
    story = given(*up_to("location"), says("/report")).when(says("/cancel"))

    story.then(Kind.CANCELLED, flow="report_fault", resumes=as_text(conversation(1)))
    story.when(says("Hall 3")).then(Kind.ANSWERED, flow="add_machine", field="location", next_step="notes")


def test_the_command_of_the_parked_flow_swaps_the_two() -> None:
    """Calling the parked flow resumes it and parks the other, which keeps its progress."""
    story = given(*up_to("location"), says("/report"), says("Hall 3")).when(says("/addmachine"))

    story.then(Kind.RESUMED, flow="add_machine", next_step="location", parked=(as_text(conversation(6)),))
    assert open_flows(story.worker) == ["report_fault", "add_machine"]
    story.when(says("/report")).then(
        Kind.RESUMED, flow="report_fault", next_step="count", parked=(as_text(conversation(1)),)
    )
    assert open_flows(story.worker) == ["add_machine", "report_fault"]


def test_after_a_swap_the_other_is_taken_up() -> None:
    """Whichever waits below is taken up when the active one ends."""
    story = given(*up_to("location"), says("/report"), says("Hall 3"), says("/addmachine")).when(says("/cancel"))

    story.then(Kind.CANCELLED, flow="add_machine", resumes=as_text(conversation(6)))
    assert story.step == "count"


def test_an_answer_goes_to_the_active_one_only() -> None:
    """What is parked is not touched by what is said meanwhile."""
    story = given(*up_to("location"), says("/report")).when(says("Hall 9"))

    story.then(Kind.ANSWERED, flow="report_fault", field="place")
    assert story.worker.state.open[0].value("location") == ""


def test_with_both_ended_nothing_is_open() -> None:
    """The last end resumes nothing and offers the flows."""
    story = given(*up_to("location"), says("/report"), says("/cancel")).when(says("/cancel"))

    story.then(Kind.CANCELLED, flow="add_machine", resumes="")
    assert story.labels == ["Take it up again", "Register a machine", "Report a fault"]
    assert story.worker.state.ended == {conversation(1): "cancelled", conversation(6): "cancelled"}


def test_start_resumes_the_active_one() -> None:
    """/start goes on with what is active, not with what is parked."""
    given(*up_to("location"), says("/report")).when(says("/start")).then(Kind.RESUMED, flow="report_fault")

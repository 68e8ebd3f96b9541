from msgspec.structs import replace

from holdfast.domain.event import Draft, Event, Facts, Words
from holdfast.domain.flow import Flow, Flows, Step
from holdfast.domain.kinds import Kind
from holdfast.domain.machine_flows import add_machine
from holdfast.projections.funnel import Funnel, StepCount
from tests.domain.given import (
    Act,
    Worker,
    a_machine,
    conversation,
    given,
    report_fault,
    says,
    sends,
    sends_photo,
    taps,
    up_to,
)


def funnel_of(*threads: list[Event], flow: Flow = add_machine) -> dict[str, StepCount]:
    funnel = Funnel(flow)
    for events in threads:
        funnel.add(events)
    return funnel.steps


def bar(step: str, *acts: Act) -> StepCount:
    return funnel_of(given(*acts).worker.events)[step]


def test_before_anything_the_bars_are_empty() -> None:
    """Every step of the flow has its bar, the card too."""
    assert funnel_of() == {name: StepCount(step=name) for name in add_machine.order}


def test_a_question_that_stands_is_open() -> None:
    """Asked and not answered yet."""
    assert bar("nickname", says("/addmachine")) == StepCount(step="nickname", asked=1, open=1)
    assert bar("manufacturer", says("/addmachine")) == StepCount(step="manufacturer")


def test_an_answer_counts_and_the_next_is_open() -> None:
    """The bar of the step answered is complete, the next one's begins."""
    acts = up_to("manufacturer")

    assert bar("nickname", *acts) == StepCount(step="nickname", asked=1, answered=1)
    assert bar("manufacturer", *acts) == StepCount(step="manufacturer", asked=1, open=1)


def test_a_skip_counts_as_skipped() -> None:
    """What was left out is told from what was answered."""
    assert bar("location", *up_to("location"), says("/skip")) == StepCount(step="location", asked=1, skipped=1)


def test_where_somebody_stops_is_dropped() -> None:
    """A cancelled conversation counts at the step it stood at."""
    acts = (*up_to("location"), says("/cancel"))

    assert bar("location", *acts) == StepCount(step="location", asked=1, dropped=1)
    assert bar("serial_number", *acts) == StepCount(step="serial_number", asked=1, answered=1)


def test_the_card_is_answered_by_saving() -> None:
    """A completed conversation is dropped nowhere."""
    steps = funnel_of(given(*a_machine()).worker.events)

    assert steps["confirm"] == StepCount(step="confirm", asked=1, answered=1)
    assert sum(step.dropped + step.open for step in steps.values()) == 0


def test_every_refused_try_counts() -> None:
    """Rejections tell which question is hard."""
    acts = (*up_to("nickname"), says("x"), says("x"), says("/skip"))

    assert bar("nickname", *acts) == StepCount(step="nickname", asked=1, rejected=3, open=1)


def test_a_photo_sent_early_was_asked_by_the_person() -> None:
    """A field filled out of its turn counts once, as answered."""
    acts = (*up_to("location"), sends_photo())

    assert bar("photo", *acts) == StepCount(step="photo", asked=1, answered=1)
    assert bar("location", *acts) == StepCount(step="location", asked=1, open=1)


def test_a_step_asked_again_is_open_again() -> None:
    """Whoever goes back stands at that step; the question they left counts when it is asked again."""
    acts = (*up_to("location"), says("/back"))

    assert bar("serial_number", *acts) == StepCount(step="serial_number", asked=1, open=1)
    assert bar("location", *acts) == StepCount(step="location")
    assert bar("location", *acts, says("S-2")) == StepCount(step="location", asked=1, open=1)


def test_what_does_not_belong_moves_nothing() -> None:
    """A sticker and a question for help leave the numbers alone."""
    acts = up_to("location")

    assert bar("location", *acts, sends("sticker"), says("/help")) == bar("location", *acts)


def test_another_flow_is_not_counted() -> None:
    """A funnel is of one flow."""
    events = given(*up_to("location"), says("/report"), says("Hall 3"), says("/cancel")).worker.events

    assert funnel_of(events)["location"] == StepCount(step="location", asked=1, open=1)
    assert funnel_of(events, flow=report_fault)["count"] == StepCount(step="count", asked=1, dropped=1)


def test_people_add_up() -> None:
    """Each thread is counted by itself, and the bars are sums."""
    one = given(*a_machine("Press 4"), *up_to("location", "Press 5")).worker.events
    other = given(*up_to("location"), says("/cancel")).worker.events

    assert funnel_of(one, other)["location"] == StepCount(step="location", asked=3, skipped=1, dropped=1, open=1)


def test_the_funnel_outlives_an_erasure() -> None:
    """The numbers are folded from facts alone."""
    events = given(*a_machine("Press 4"), *up_to("location", "Press 5"), says("/cancel")).worker.events

    assert funnel_of([replace(event, words=None) for event in events]) == funnel_of(events)


def test_a_copy_of_an_input_counts_once() -> None:
    """What two workers took in twice is one answer."""
    a = Worker(name="A").hears(says("/addmachine"))
    b = a.copy("B")
    a.takes(2, says("Press 4"))
    b.takes(2, says("Press 4"))

    assert funnel_of([*b.events, *a.events]) == funnel_of(a.events)


def test_an_expired_conversation_is_dropped() -> None:
    """What was left alone for too long counts where it was left; a void expiry does not count."""
    worker = Worker().hears(says("/addmachine"), says("Press 4"))
    stale = worker.copy("B")
    stale.expires(conversation(1), "u1")
    worker.expires(conversation(1), "u1", "u2")

    assert funnel_of(worker.events)["manufacturer"] == StepCount(step="manufacturer", asked=1, dropped=1)
    assert funnel_of(stale.events)["manufacturer"] == StepCount(step="manufacturer", asked=1, open=1)


def test_a_superseded_conversation_is_not_open() -> None:
    """Of two conversations that two workers started, the one that was superseded is dropped."""
    a, b = Worker(name="A"), Worker(name="B")
    a.takes(1, says("/addmachine"))
    a.takes(3, says("Press 4"))
    b.takes(2, says("/addmachine"))
    steps = funnel_of(a.learns(b).events)

    assert (steps["nickname"].asked, steps["nickname"].dropped, steps["nickname"].open) == (2, 1, 1)
    assert steps["manufacturer"] == StepCount(step="manufacturer")


def test_a_forgotten_persons_conversations_are_not_open() -> None:
    """After an erasure nothing of that person waits for an answer."""
    worker = Worker().hears(*up_to("location"))
    worker.appends(Draft(kind=Kind.FORGOTTEN, conversation_id=None, facts=Facts(), words=Words()), 9)

    assert funnel_of(worker.events)["location"] == StepCount(step="location", asked=1, dropped=1)


def test_the_steps_of_an_older_version_have_bars_too() -> None:
    """A conversation that runs on an older version is counted under its own steps."""
    old = Flow(name="survey", command="survey", title="A survey", steps=(Step(name="before", prompt="?"),))
    new = Flow(name="survey", version=2, command="survey", title="A survey", steps=(Step(name="since", prompt="?"),))
    events = Worker(Flows([old])).hears(says("/survey"), says("x"), taps("Cancel")).events

    assert funnel_of(events, flow=new)["before"] == StepCount(step="before", asked=1, answered=1)

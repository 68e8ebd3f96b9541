"""Workers that know different things decide about one person's inputs: nothing acknowledged is dropped."""

from dataclasses import dataclass

import hypothesis
from hypothesis import strategies as st

from holdfast.domain.event import Event
from holdfast.domain.evolve import EMPTY, evolve, fold
from holdfast.domain.kinds import ACCEPTED, Kind
from holdfast.domain.order import counted
from holdfast.domain.state import ThreadState
from tests.domain.given import Act, Worker, says

_TEXTS = ("/addmachine", "/report", "/cancel", "/skip", "/back", "Press 4", "Acme", "3", "low", "/start")


@dataclass(frozen=True)
class Step:
    """One input that reaches some of the workers, after some of them learned from others."""

    text: str
    reaches: tuple[int, ...]
    learns: tuple[tuple[int, int], ...]


steps = st.builds(
    Step,
    text=st.sampled_from(_TEXTS),
    reaches=st.lists(st.integers(0, 2), min_size=1, max_size=3, unique=True).map(tuple),
    learns=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=2).map(tuple),
)


def _lived_through(course: list[Step]) -> list[Event]:
    """Every event that three workers wrote; a worker decides an input once, as the log's dedup sees to it."""
    workers = [Worker(name=name) for name in "ABC"]
    for number, step in enumerate(course, start=1):
        for one, other in step.learns:
            workers[one].learns(workers[other])
        for one in step.reaches:
            _take(workers[one], number, says(step.text))
    return Worker().learns(*workers).events


def _take(worker: Worker, number: int, act: Act) -> None:
    if all(event.dedup_key != f"u{number}" for event in worker.events):
        worker.takes(number, act)


def _kept(after: ThreadState, event: Event) -> bool:
    """Whether an answer stands in its field, or among those that came too late for it."""
    value = event.words.value if event.words else ""
    if any(one.source == event.dedup_key and one.value == value for one in after.unfiled):
        return True
    here = (one for one in (*after.open, *after.superseded) if one.conversation_id == event.conversation_id)
    answer = next((one.fields.get(event.facts.field) for one in here), None)
    return answer is not None and answer.value == value


@hypothesis.given(st.lists(steps, max_size=14))
@hypothesis.settings(deadline=None)
def test_an_acknowledged_answer_is_filed_or_offered_again(course: list[Step]) -> None:
    """Whoever knew what: once all is known, each counted answer stands in its field or is unfiled, never gone."""
    state = EMPTY
    for event in counted(_lived_through(course)):
        state = evolve(state, event)
        if event.kind == Kind.ANSWERED:
            assert _kept(state, event)


@hypothesis.given(st.lists(steps, max_size=14))
@hypothesis.settings(deadline=None)
def test_an_input_that_was_accepted_anywhere_counts_as_accepted(course: list[Step]) -> None:
    """No stale copy takes the place of an accepted one, and none that only moves the place of one that says more."""
    events = _lived_through(course)
    counts = {event.dedup_key: event for event in counted(events)}
    for event in events:
        if event.kind in ACCEPTED and event.dedup_key in counts:
            assert counts[event.dedup_key].kind in ACCEPTED
        if event.kind in {Kind.STARTED, Kind.ANSWERED} and event.dedup_key in counts:
            assert counts[event.dedup_key].kind not in {Kind.RESUMED, Kind.BACK}


@hypothesis.given(st.lists(steps, max_size=14), st.randoms(use_true_random=False))
@hypothesis.settings(deadline=None)
def test_all_workers_come_to_the_same_state(course: list[Step], chance: object) -> None:
    """Whatever the order in which the events arrive, the fold of all of them is one state."""
    events = _lived_through(course)
    shuffled = list(events)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]

    assert fold(shuffled) == fold(events)


def test_a_stale_copy_does_not_take_an_answer_with_it() -> None:
    """A starts anew and acknowledges "Press 4"; B, which saw neither, files it in what A ended: A's copy counts."""
    a = Worker(name="A").hears(says("/addmachine"))
    b = a.copy("B")
    a.hears(says("/cancel"), says("/addmachine"), says("Press 4"))
    stale = b.takes(4, says("Press 4"))

    united = a.copy("C").learns(b)

    assert stale.kind == Kind.ANSWERED
    assert united.values() == {"nickname": "Press 4"}
    assert united.state.unfiled == ()


def test_an_answer_to_a_conversation_that_another_worker_ended_is_unfiled() -> None:
    """B alone took "Press 4", into a conversation that A had cancelled: it is offered again, not dropped."""
    a = Worker(name="A").hears(says("/addmachine"))
    b = a.copy("B")
    a.hears(says("/cancel"))
    b.takes(3, says("Press 4"))

    assert a.learns(b).beside() == [("nickname", "Press 4")]

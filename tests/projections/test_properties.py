from collections import Counter

import hypothesis
from hypothesis import strategies as st
from msgspec.structs import replace

from holdfast.domain.event import Event
from holdfast.domain.evolve import fold
from holdfast.domain.flow import Flow
from holdfast.domain.kinds import Kind
from holdfast.domain.machine_flows import MACHINE_FLOWS, add_machine
from holdfast.domain.order import counted
from holdfast.projections import machines, states
from holdfast.projections.funnel import Funnel, StepCount
from holdfast.projections.transcript import transcript
from tests.domain.anything import conversations, forks, shuffled
from tests.domain.given import FLOWS, Act, Worker, report_fault
from tests.projections.table import applied, changes_of_state, rows_of, rows_turn_by_turn, table

Fork = tuple[Worker, Worker]


def union(fork: Fork) -> list[Event]:
    return list({event.event_id: event for worker in fork for event in worker.events}.values())


def funnel_of(flow: Flow, events: list[Event]) -> list[StepCount]:
    funnel = Funnel(flow)
    funnel.add(events)
    return list(funnel.steps.values())


def started(flow: Flow, events: list[Event], *, at: str = "") -> int:
    """Count the conversations of a flow that began, all or those that began at this step."""
    of_flow = [event for event in counted(events) if event.facts.flow == flow.name and event.kind == Kind.STARTED]
    return len({event.conversation_id for event in of_flow if at in {"", event.facts.next_step}})


def check_the_funnel(flow: Flow, events: list[Event]) -> None:
    """Hold the numbers against each other and against the state."""
    steps = funnel_of(flow, events)
    for step in steps:
        assert step.asked == step.answered + step.skipped + step.dropped + step.open

    state = fold(events)
    first = steps[0]
    assert started(flow, events, at=first.step) <= first.asked <= started(flow, events)
    assert sum(step.open for step in steps) == sum(one.flow == flow.name for one in state.open)


@hypothesis.given(conversations)
def test_the_funnels_numbers_add_up(told: tuple[Act, ...]) -> None:
    """At each step asked is answered, skipped, dropped and open together, and all who began there met the first."""
    events = Worker().hears(*told).events

    check_the_funnel(add_machine, events)
    check_the_funnel(report_fault, events)


@hypothesis.given(forks())
def test_the_funnels_numbers_add_up_after_a_fork(fork: Fork) -> None:
    """What two workers did at once is counted once, and as many are open as are open."""
    check_the_funnel(add_machine, union(fork))
    check_the_funnel(report_fault, union(fork))


@hypothesis.given(conversations)
def test_the_funnel_shows_people_where_they_are(told: tuple[Act, ...]) -> None:
    """Where nothing forked, the open bar is at the step that is asked, and completed runs were answered at the card."""
    worker = Worker().hears(*told)
    for flow in FLOWS:
        bars = {step.step: step for step in funnel_of(flow, worker.events)}
        stand = Counter(one.current_step(flow) for one in worker.state.open if one.flow == flow.name)

        assert {name: step.open for name, step in bars.items() if step.open} == stand
        assert bars["confirm"].answered == sum(
            event.kind == Kind.CONFIRMED and event.facts.flow == flow.name for event in worker.events
        )


@hypothesis.given(conversations)
def test_every_refusal_is_counted(told: tuple[Act, ...]) -> None:
    """The rejected of all steps are the answers that were rejected."""
    events = Worker().hears(*told).events
    flows = [report_fault, *MACHINE_FLOWS]
    rejected = sum(step.rejected for flow in flows for step in funnel_of(flow, events))

    assert rejected == sum(event.kind == Kind.REJECTED for event in events)


@hypothesis.given(forks(), st.integers())
def test_the_funnel_needs_no_words_and_no_order(fork: Fork, seed: int) -> None:
    """Erased, and read in any order, the events give the same numbers."""
    events = union(fork)
    mixed = [replace(event, words=None) for event in shuffled(events, seed)]

    assert funnel_of(add_machine, mixed) == funnel_of(add_machine, events)


@hypothesis.given(conversations)
def test_rows_written_turn_by_turn_are_the_rows_of_a_rebuild(told: tuple[Act, ...]) -> None:
    """The changes of each turn, one after the other, leave what is folded from everything."""
    worker = Worker().hears(*told)

    assert rows_turn_by_turn(FLOWS, worker.events) == rows_of(FLOWS, worker.events)


@hypothesis.given(forks())
def test_rows_follow_a_merge(fork: Fork) -> None:
    """From one side's rows, the changes to the merged state lead to the rows of a rebuild."""
    a, b = fork
    rows, before = rows_turn_by_turn(FLOWS, a.events), a.state
    a.learns(b)

    merged = applied(rows, changes_of_state(FLOWS, before, a.state))
    for name in (states.TABLE, machines.TABLE):
        assert table(merged, name) == table(rows_of(FLOWS, a.events), name)
    assert rows_turn_by_turn(FLOWS, counted(a.events)) == rows_of(FLOWS, a.events)


@hypothesis.given(forks())
def test_no_two_machines_of_a_person_share_a_nickname(fork: Fork) -> None:
    """The library's rule holds for whatever two workers saved."""
    rows = table(rows_of(FLOWS, union(fork)), machines.TABLE).values()
    names = [row[:2] for row in rows]

    assert len(set(names)) == len(names)


@hypothesis.given(forks())
def test_every_row_can_be_stored(fork: Fork) -> None:
    """No column holds what a database refuses, and none that must be there is absent."""
    for (name, key), values in rows_of(FLOWS, union(fork)).items():
        for value in values:
            assert "\0" not in str(value)
            str(value).encode()
        assert None not in key
        assert None not in (values[:2] if name == machines.TABLE else values)


@hypothesis.given(forks(), st.integers())
def test_a_transcript_never_fails(fork: Fork, seed: int) -> None:
    """Every event of a conversation is told once, forks, copies, erased words and void expiries among them."""
    events = [replace(event, words=None) if place % 3 == 0 else event for place, event in enumerate(union(fork))]
    sequence = {event.event_id for event in counted(events)}
    for identity in {event.conversation_id for event in events if event.conversation_id}:
        mine = [event for event in events if event.conversation_id == identity]
        entries = transcript(FLOWS, shuffled(events, seed), identity)

        assert len({entry.event_id for entry in entries}) == len(entries) == len(mine)
        assert sum(entry.counts for entry in entries) == sum(event.event_id in sequence for event in mine)
        assert {entry.status for entry in entries} <= {
            "open",
            "completed",
            "cancelled",
            "expired",
            "superseded",
            "unknown",
        }

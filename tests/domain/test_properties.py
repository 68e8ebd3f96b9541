import hypothesis
from hypothesis import strategies as st
from msgspec.structs import asdict, replace

from holdfast.domain.event import Event
from holdfast.domain.evolve import EMPTY, evolve, fold
from holdfast.domain.flow import CONFIRM
from holdfast.domain.kinds import Kind
from holdfast.domain.machine_flows import MACHINE_FLOWS
from holdfast.domain.order import counted, duplicates, place
from holdfast.domain.render import owes_reply, render
from holdfast.domain.taps import Tap, read
from holdfast.domain.text_types import one_line
from holdfast.domain.wording import escape, say
from tests.domain.anything import acts, conversations, forks, shuffled, stories, texts
from tests.domain.given import FLOWS, Act, Worker, buttons, says, up_to
from tests.domain.reading import fault, plain

Fork = tuple[Worker, Worker]


def union(fork: Fork) -> list[Event]:
    """Give every event of both workers, once."""
    return list({event.event_id: event for worker in fork for event in worker.events}.values())


@hypothesis.given(conversations)
def test_every_input_is_exactly_one_event(told: tuple[Act, ...]) -> None:
    """Whatever a person sends becomes one event of a known kind, and never an error."""
    worker = Worker().hears(*told)

    assert [event.dedup_key for event in worker.inputs] == [f"u{number}" for number in range(1, len(told) + 1)]
    assert {event.kind for event in worker.events} <= set(Kind)
    assert [event.version for event in worker.events] == list(range(1, len(worker.events) + 1))


@hypothesis.given(conversations)
def test_every_reply_can_be_shown(told: tuple[Act, ...]) -> None:
    """Each screen is neither empty nor too long, its buttons fit, its markup is sound, and it says what it means."""
    worker = Worker().hears(*told)

    assert len(worker.screens) >= sum(owes_reply(event) for event in worker.events)
    assert [found for screen in worker.screens if (found := fault(screen))] == []
    assert [screen for screen in worker.screens if say("rule.failed") in screen.text] == []


@hypothesis.given(conversations)
def test_the_question_always_follows(told: tuple[Act, ...]) -> None:
    """While a conversation is open, its question or its card stands below every reply, with a way out."""
    worker = Worker()
    for number, act in enumerate(told, start=1):
        event = worker.takes(number, act)
        active = worker.state.active
        reply = render(FLOWS, worker.state, event)
        if active is None or event.facts.rule == "group" or all(screen.in_place == "any" for screen in reply):
            continue
        flow, step = FLOWS.get(active.flow, active.flow_version), worker.current_step()
        card = escape(flow.card.partition("{")[0]) or say("card.ask")
        asked = card if step == CONFIRM else escape(flow.step(step).prompt)

        assert asked in worker.screens[-1].text
        assert buttons(worker.screens[-1])[-1].label == "Cancel"


@hypothesis.given(conversations)
def test_the_step_is_a_function_of_the_events(told: tuple[Act, ...]) -> None:
    """After each input the state carried along is the fold of all events so far."""
    worker = Worker()
    for number, act in enumerate(told, start=1):
        worker.takes(number, act)

        assert worker.state == fold(worker.events)


@hypothesis.given(conversations)
def test_what_was_decided_before_stays_so(told: tuple[Act, ...]) -> None:
    """The step an event says comes next is the step the fold arrives at."""
    worker = Worker()
    for number, act in enumerate(told, start=1):
        before = worker.current_step()
        facts = worker.takes(number, act).facts

        assert facts.step in {before, ""} or facts.parked
        assert facts.next_step in {worker.current_step(), ""}


@hypothesis.given(conversations)
def test_facts_are_never_personal(told: tuple[Act, ...]) -> None:
    """Nothing in the facts depends on the letters a person typed, but for which rule they met."""
    worker = Worker().hears(*told)
    known = {name for flow in (*FLOWS, *MACHINE_FLOWS) for name in (*flow.order, flow.name, "")}

    for event in worker.events:
        facts = asdict(event.facts)
        assert {facts[name] for name in ("flow", "step", "next_step", "field", "reopens")} <= known
        assert facts["rule"].replace("_", "").isalpha() or facts["rule"] == ""
        assert facts["replaces"] in {other.dedup_key for other in worker.events} | {""}


@hypothesis.given(texts)
def test_a_typed_text_is_shown_as_it_was_understood(text: str) -> None:
    """What is echoed reads exactly as the value that was filed; nothing of it turns into markup."""
    worker = Worker().hears(*up_to("manufacturer"), says(text))
    filed = worker.values().get("manufacturer")
    if filed is not None:
        assert f"✓ Manufacturer: {filed}\n" in plain(worker.screens[-1].text)
        assert escape(filed) in worker.screens[-1].text


@hypothesis.given(texts)
def test_normalising_twice_changes_nothing(text: str) -> None:
    """The normal form of a line is its own normal form."""
    assert one_line(one_line(text)) == one_line(text)


@hypothesis.given(texts | st.text("AZaz09:-_=", max_size=64))
def test_any_data_of_a_button_is_read_or_refused(data: str) -> None:
    """Reading a button's data never fails."""
    assert isinstance(read(data), Tap | None)


@hypothesis.given(forks(), st.integers())
def test_the_order_of_arrival_does_not_matter(fork: Fork, seed: int) -> None:
    """Any permutation of a set of events, forks and copies among them, gives an equal state."""
    events = union(fork)

    assert fold(shuffled(events, seed)) == fold(events)
    assert counted(shuffled(events, seed)) == counted(events)
    assert duplicates(shuffled(events, seed)) == duplicates(events)


@hypothesis.given(forks())
def test_two_workers_that_met_agree(fork: Fork) -> None:
    """Union is commutative and idempotent, and the merged thread goes on."""
    a, b = fork
    a.learns(b)
    b.learns(a)

    assert a.state == b.state
    assert a.learns(b).state == b.state


@hypothesis.given(forks(), st.lists(acts, max_size=5) | stories)
def test_a_merged_thread_goes_on(fork: Fork, told: list[Act]) -> None:
    """After a merge every input is one event again, with a reply that can be shown."""
    a, b = fork
    a.learns(b)
    first = 1 + max((event.ots for event in a.events), default=0)
    for number, act in enumerate(told, start=first):
        a.takes(number, act)

    assert a.state == fold(a.events)
    assert [found for screen in a.screens if (found := fault(screen))] == []


@hypothesis.given(forks())
def test_each_input_counts_once(fork: Fork) -> None:
    """Of the copies of one input exactly one counts, an accepted one where there is one; void expiries do not."""
    events = union(fork)
    sequence = counted(events)
    keys = [event.dedup_key for event in sequence]

    assert len(set(keys)) == len(keys)
    assert {event.dedup_key for event in events if event.kind != Kind.EXPIRED} <= set(keys)
    firsts = {key: min(place(event) for event in events if event.dedup_key == key) for key in keys}
    assert [firsts[key] for key in keys] == sorted(firsts.values())


@hypothesis.given(forks())
def test_duplicates_are_exactly_the_copies_that_do_not_count(fork: Fork) -> None:
    """Every copy beside the one that counts is named, with that one, and nothing else is."""
    events = union(fork)
    counts = {event.dedup_key: event.event_id for event in counted(events)}
    spare = {
        event.event_id: counts[event.dedup_key]
        for event in events
        if event.dedup_key in counts and event.event_id not in counts.values()
    }

    assert duplicates(events) == spare


@hypothesis.given(forks())
def test_an_answer_that_was_filed_is_never_lost(fork: Fork) -> None:
    """Each value of a conversation that is open came from an input that counts."""
    events = union(fork)
    keys = {event.dedup_key for event in counted(events)}
    sources = {answer.source for one in fold(events).open for answer in one.fields.values()}

    assert sources <= keys


@hypothesis.given(forks(), st.integers())
def test_erased_words_never_fail(fork: Fork, seed: int) -> None:
    """With any of the words gone the events still fold, and each has a reply that can be shown."""
    events = [
        replace(event, words=None) if place % 2 else event for place, event in enumerate(shuffled(union(fork), seed))
    ]
    state = EMPTY
    for event in counted(events):
        state = evolve(state, event)

        assert [found for screen in render(FLOWS, state, event) if (found := fault(screen))] == []


@hypothesis.given(forks())
def test_at_most_one_conversation_of_a_flow_is_open(fork: Fork) -> None:
    """Whatever two workers started, one run of each flow is left, and nothing open has ended."""
    state = fold(union(fork))
    flows = [one.flow for one in state.open]

    assert len(set(flows)) == len(flows)
    assert not {one.conversation_id for one in state.open} & state.ended.keys()

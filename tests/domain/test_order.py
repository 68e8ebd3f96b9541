from holdfast.domain.event import Event
from holdfast.domain.kinds import Kind
from holdfast.domain.order import counted, duplicates, place
from tests.domain.given import Worker, conversation, says, sends, up_to


def kinds(events: list[Event]) -> list[str]:
    return [event.kind for event in events]


def test_the_order_is_by_origin_then_version_then_identity() -> None:
    """The canonical order of a thread is (ots, version, event id)."""
    event = Worker().takes(3, says("hello"))

    assert place(event) == (3, 1, event.event_id)


def test_one_persons_inputs_keep_their_order_across_workers() -> None:
    """A worker that knows less numbers its versions lower; the inputs are still told in the order they were sent."""
    a, b = Worker(name="A"), Worker(name="B")
    for number in (1, 2, 3):
        a.takes(number, says(f"{number}"))
    b.takes(4, says("4"))

    assert [event.dedup_key for event in counted([*b.events, *a.events])] == ["u1", "u2", "u3", "u4"]


def test_of_two_copies_the_accepted_one_counts() -> None:
    """A stale worker's copy comes first in the order, and the accepted one counts all the same."""
    a, b = Worker(name="A").hears(says("/addmachine")), Worker(name="B")
    accepted, stale = a.takes(2, says("Press 4")), b.takes(2, says("Press 4"))

    assert place(stale) < place(accepted)
    assert counted([*b.events, *a.events]) == a.events
    assert duplicates([*b.events, *a.events]) == {stale.event_id: accepted.event_id}


def test_of_two_accepted_copies_the_first_counts() -> None:
    """Two workers with the same knowledge decide the same; the first in the order counts."""
    a = Worker(name="A").hears(says("/addmachine"))
    b = a.copy("B")
    first, second = a.takes(2, says("Press 4")), b.takes(2, says("Press 4"))

    assert counted([second, *a.events]) == a.events
    assert duplicates([second, *a.events]) == {second.event_id: first.event_id}


def test_of_two_refused_copies_the_first_counts() -> None:
    """When no copy was accepted, the order alone decides."""
    a, b = Worker(name="A"), Worker(name="B")
    first, second = a.takes(1, sends("sticker")), b.takes(1, sends("sticker"))

    assert counted([second, first]) == [first]


def test_of_three_copies_the_first_accepted_one_counts() -> None:
    """A refused copy before, an accepted one after: neither moves the first accepted one from its place."""
    a, b = Worker(name="A").hears(says("/addmachine")), Worker(name="B")
    c = a.copy("C")
    copies = [worker.takes(2, says("Press 4")) for worker in (c, b, a)]

    assert kinds(copies) == [Kind.ANSWERED, Kind.NOTED, Kind.ANSWERED]
    assert counted([*copies, *a.events])[1] == copies[2]
    assert duplicates([*copies, *a.events]) == {
        copies[1].event_id: copies[2].event_id,
        copies[0].event_id: copies[2].event_id,
    }


def test_an_input_stands_at_the_place_of_its_first_copy() -> None:
    """A copy decided late, after later inputs, is told where the input first was."""
    a = Worker(name="A").hears(says("/addmachine"), says("Press 4"), says("Acme"))
    stale = Worker(name="B").takes(2, says("Press 4"))
    late = a.copy("C").takes(2, says("PX-4"))
    thread = [event for event in a.events if event.dedup_key != "u2"]

    assert late.ots == 3
    assert counted([late, stale, *thread]) == [thread[0], late, thread[1]]


def test_a_history_without_copies_counts_whole() -> None:
    """Where nothing forked, every event counts and nothing is a duplicate."""
    events = Worker().hears(*up_to("confirm")).events

    assert counted(reversed(events)) == events
    assert duplicates(events) == {}


def test_an_expiry_counts_while_it_has_seen_everything() -> None:
    """An expiry whose basis holds every accepted input of its conversation is effective, also for refused ones."""
    worker = Worker().hears(says("/addmachine"), says("Press 4"), sends("sticker"))
    expiry = worker.expires(conversation(1), "u1", "u2")

    assert expiry in counted(worker.events)


def test_an_expiry_that_missed_an_accepted_input_is_void() -> None:
    """One accepted input outside the basis makes an expiry void, wherever it stands in the order."""
    worker = Worker().hears(says("/addmachine"), says("Press 4"))
    stale = worker.copy("B").expires(conversation(1), "u1", "u2")
    worker.takes(3, says("Acme"))

    assert stale not in counted([stale, *worker.events])
    assert duplicates([stale, *worker.events]) == {}


def test_an_expiry_needs_to_have_seen_only_its_own_conversation() -> None:
    """What was said in another conversation does not keep an expiry from counting."""
    worker = Worker().hears(says("/addmachine"), says("/report"), says("Hall 3"))
    expiry = worker.expires(conversation(1), "u1")

    assert expiry in counted(worker.events)

from holdfast.infrastructure.tiers.store import (
    Appended,
    Mark,
    TierStore,
)
from tests.conformance.clocks import NOON
from tests.conformance.scribe import (
    BEN,
    Scribe,
    inbound,
    noted,
    open_state,
    thread,
)
from tests.conformance.tiers import LONG, TierBackend
from tests.conformance.turns import after, append, appended, chain, fork, mark, push, read, turn_of


async def test_a_push_twice_is_a_push(tier: TierStore) -> None:
    """What is there is not inserted again, and nothing moves."""
    events = chain(3)

    first = await push(tier, events)

    assert first == {thread(): after(events[-1])}
    assert await push(tier, events) == first
    assert await read(tier) == (set(events), set())


async def test_a_child_before_its_parent_leaves_the_thread_open(tier: TierStore) -> None:
    """A thread is closed again once the parent came, and its heads are the right ones throughout."""
    root, middle, last = chain(3)

    assert (await push(tier, [middle, last]))[thread()] == after(last, closed=False)
    assert (await push(tier, [root]))[thread()] == after(last, rev=2)


async def test_a_fork_has_two_heads(tier: TierStore) -> None:
    """Both sides of a fork are heads, in the order of their identities."""
    root, left, right = fork()

    assert (await push(tier, [left, right]))[thread()] == after(left, right, closed=False)
    assert (await push(tier, [root]))[thread()] == after(left, right, rev=2)


async def test_pushed_events_in_any_pieces_end_in_the_same_heads(tier: TierStore) -> None:
    """However a thread arrives, it ends where it ends, closed."""
    events = chain(12)
    pieces = [events[8:], events[3:5], events[5:8], events[:1], events[1:3]]

    closed = [(await push(tier, piece))[thread()].closed for piece in pieces]

    assert closed == [False, False, False, False, True]
    assert (await mark(tier)).head_ids == (events[-1].event_id,)


async def test_a_push_leaves_what_it_does_not_touch(tier: TierStore) -> None:
    """Only the threads of the events are told, and only those that got one move on."""
    mine, theirs = chain(2), chain(1, BEN)
    await push(tier, [mine[0], *theirs])

    stands = await push(tier, [mine[1], *theirs])

    assert stands == {thread(): after(mine[1], rev=2), thread(BEN): after(*theirs)}


async def test_an_append_goes_on_from_a_push(tier_backend: TierBackend, tier: TierStore) -> None:
    """What was pushed can be built on and compared; its rows are not there, so a turn's are left alone too."""
    scribe = Scribe()
    first, second = scribe.append(inbound(1)), scribe.append(inbound(2), rows=[open_state()])
    stands = (await push(tier, [first.record]))[thread()]

    assert await append(tier, turn_of(second, stands)) == [Appended(after(second.record, rev=2), rows_written=False)]
    assert await tier_backend.rows("conversation_states") == []


async def test_a_twin_is_kept_aside(tier_backend: TierBackend, tier: TierStore) -> None:
    """A record with a known identity and another hash changes nothing and goes to quarantine, once."""
    [event] = chain(1)
    delivery = Scribe().delivery(event).record
    twin, other_delivery = event._replace(hash=bytes(32)), delivery._replace(hash=bytes(32), occurred_at=NOON - 1)
    await push(tier, [event], [delivery])

    stands = await push(tier, [twin], [other_delivery])
    await push(tier, [twin], [other_delivery])

    assert stands == {thread(): after(event)}
    assert await read(tier) == ({event}, {delivery})
    assert await tier_backend.twins() == {event.event_id, delivery.event_id}


async def test_twins_in_one_push_are_told_apart(tier_backend: TierBackend, tier: TierStore) -> None:
    """Of two twins that come together one is inserted and the other is kept aside."""
    [event] = chain(1)
    twin = event._replace(hash=bytes(32))

    stands = await push(tier, [event, twin])

    assert stands == {thread(): after(event)}
    assert await read(tier) == ({event}, set())
    assert await tier_backend.twins() == {event.event_id}


async def test_a_delivery_settles_one_debt(tier_backend: TierBackend, tier: TierStore) -> None:
    """Only the first delivery of an event there lowers what is owed, and never below nothing."""
    scribe = Scribe()
    first, second = scribe.append(inbound(1)), scribe.append(inbound(2))
    [stands] = await appended(tier, turn_of(first))
    await appended(tier, turn_of(second, stands, owes=False))
    one, again, nothing_owed = (scribe.delivery(write.record).record for write in (first, first, second))

    debts = []
    for deliveries in ([one], [one, again], [nothing_owed]):
        assert await push(tier, [], deliveries) == {}
        debts.append(await tier_backend.debt(thread()))

    assert debts == [0, 0, 0]
    assert await read(tier) == ({first.record, second.record}, {one, again, nothing_owed})


async def test_two_deliveries_of_one_event_settle_one_debt(tier_backend: TierBackend, tier: TierStore) -> None:
    """Of two fates of one reply that come together, one counts."""
    scribe = Scribe()
    first, second = scribe.append(inbound(1)), scribe.append(inbound(2))
    [stands] = await appended(tier, turn_of(first))
    await appended(tier, turn_of(second, stands))

    await push(tier, [], [scribe.delivery(first.record).record, scribe.delivery(first.record).record])

    assert await tier_backend.debt(thread()) == 1


async def test_the_reply_to_a_copy_settles_the_same_debt(tier_backend: TierBackend, tier: TierStore) -> None:
    """A copy's reply settles its input's debt where the same was decided, and does not where something else was."""
    scribe = Scribe()
    counts = scribe.append(inbound(1))
    alike, unlike = scribe.append(inbound(1)), scribe.append(inbound(1), noted(inbound(1), "busy"))
    await appended(tier, turn_of(counts))
    await push(tier, [alike.record, unlike.record])

    debts = []
    for one in (unlike, alike):
        await push(tier, [], [scribe.delivery(one.record).record])
        debts.append(await tier_backend.debt(thread()))

    assert debts == [1, 0]


async def test_a_delivery_may_come_before_its_event(tier: TierStore) -> None:
    """A delivery whose thread is not there yet is kept, and a first turn still goes through."""
    scribe = Scribe()
    write = scribe.append(inbound(1))
    delivery = scribe.delivery(write.record).record

    assert await push(tier, [], [delivery]) == {}
    assert await mark(tier) == Mark()
    assert await appended(tier, turn_of(write)) == [after(write.record)]
    assert await read(tier) == ({write.record}, {delivery})


async def test_a_thousand_records_in_one_push(tier: TierStore) -> None:
    """A push takes a thousand records of many threads, in any order."""
    threads = [chain(10, person) for person in range(1000, 1090)]
    events = [event for events in zip(*threads, strict=True) for event in events][::-1]
    deliveries = [
        Scribe(seed=7).delivery(events[-1]).record,
        *(Scribe(seed=n).delivery(events[n]).record for n in range(50, 149)),
    ]

    stands = await push(tier, events, deliveries)

    assert stands == {one[0].thread_id: after(one[-1]) for one in threads}
    facts = await tier.facts(LONG)
    assert (facts.events, facts.deliveries) == (900, 100)

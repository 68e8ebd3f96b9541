"""What the log does over every journal, alone and beside a tier; poolers and roles are held to by the tiers' suite."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from holdfast.domain.errors import BrokenLog, Conflict, LogUnavailable, OtherBot, RowRefused
from holdfast.domain.event import Draft, Event
from holdfast.domain.ids import ConversationId, EventId, ThreadId
from holdfast.domain.inbound import Inbound
from holdfast.domain.ports import Head, Minted, RowChange, Turn
from holdfast.infrastructure.log.event_log import EventLog, MakeTiers
from holdfast.infrastructure.log.stores import JournalStore
from tests.conformance.backends import Backend
from tests.conformance.beside import tiers_beside
from tests.conformance.clocks import Dice, StandingClock
from tests.conformance.scribe import (
    BEN,
    BOT,
    EMPTY,
    answered,
    codec,
    delivery_of,
    inbound,
    machine,
    noted,
    set_aside,
    started,
    thread,
)
from tests.conformance.tiers import TIER_BACKENDS


def log_over(store: JournalStore, seed: int = 5, tiers: MakeTiers | None = None) -> EventLog:
    return EventLog(store, codec(), StandingClock(), Dice(seed), tiers=tiers)


@pytest.fixture(params=["alone", "memory", "postgres"])
async def log(backend: Backend, request: pytest.FixtureRequest) -> AsyncIterator[EventLog]:
    """A log that is open and empty: a journal alone, or one beside a tier."""
    async with AsyncExitStack() as stack:
        beside = None
        if request.param != "alone":
            made = await stack.enter_async_context(TIER_BACKENDS[request.param](request))
            beside = tiers_beside([made.tier()])
        log = log_over(backend.store(), tiers=beside)
        await log.open(BOT)
        yield log
        await log.close()


def turn(log: EventLog, given: Inbound, head: Head, draft: Draft | None = None, *rows: RowChange) -> Turn:
    draft = draft or noted(given)
    return Turn(
        thread_id=given.thread_id,
        expected=head,
        minted=log.mint(given, head, draft),
        rows=rows,
        owes_reply=True,
        last_conversation_id=draft.conversation_id or head.last_conversation_id,
    )


async def say(log: EventLog, given: Inbound, draft: Draft | None = None) -> Head:
    """Load, mint and append one input."""
    loaded = await log.load(given.thread_id, given)
    return (await log.append(turn(log, given, loaded.head, draft))).head


async def debts(log: EventLog) -> dict[ThreadId, tuple[EventId, ...]]:
    return {owed.thread_id: owed.event_ids async for owed in log.owed()}


async def test_what_is_appended_is_loaded(log: EventLog) -> None:
    """The head an append gives is the head that is loaded next, and the thread's history holds the event."""
    given = inbound(1)
    minted = turn(log, given, EMPTY).minted.event
    head = await say(log, given)

    loaded = await log.load(thread(), inbound(2))

    assert loaded.head == head
    assert (loaded.events, loaded.copies, loaded.machines) == ((), (), ())
    [event] = await log.history(thread())
    assert (event.event_id,) == head.head_ids
    assert (event.dedup_key, event.words, event.facts) == (given.dedup_key, minted.words, minted.facts)


async def test_history_is_what_was_appended(log: EventLog) -> None:
    """A thread's history gives every event as it was minted, in canonical order, and no other thread's."""
    appended: list[Event] = []
    head = EMPTY
    for update in (5, 3, 9, 9):
        given = inbound(update, f"Press {update} \ud800\0😀")
        planned = turn(log, given, head)
        head = (await log.append(planned)).head
        appended.append(planned.minted.event)
    await say(log, inbound(4, person=BEN))

    assert await log.history(thread()) == tuple(appended)
    assert [event.version for event in appended] == [1, 2, 3, 4]
    assert [event.ots for event in appended] == [5, 5, 9, 9]


async def test_an_event_follows_the_head_it_was_minted_on(log: EventLog) -> None:
    """Its version and its origin order are at least those of the event before it."""
    first = await say(log, inbound(7))
    second = await say(log, inbound(6))

    assert (first.rev, first.version, first.ots) == (1, 1, 7)
    assert (second.rev, second.version, second.ots) == (2, 2, 7)


async def test_a_turn_on_an_old_head_is_a_conflict(log: EventLog) -> None:
    """A turn decided before another was written is refused, and nothing of it stays."""
    late = turn(log, inbound(2), EMPTY, None, machine(1, "Press 4"))
    head = await say(log, inbound(1))

    with pytest.raises(Conflict):
        await log.append(late)

    loaded = await log.load(thread(), inbound(2))
    assert (loaded.head, loaded.copies, loaded.machines) == (head, (), ())
    assert await debts(log) == {thread(): head.head_ids}


async def test_a_row_that_breaks_a_rule_refuses_its_turn(log: EventLog) -> None:
    """Two machines of one person with one nickname do not come about, and the person's thread goes on."""
    head = (await log.append(turn(log, inbound(1), EMPTY, None, machine(1, "Press 4")))).head
    with pytest.raises(RowRefused):
        await log.append(turn(log, inbound(2), head, None, machine(2, "Press 4")))

    after = (await log.append(turn(log, inbound(2), head))).head

    assert after.rev == 2
    assert len((await log.load(thread(), inbound(3))).machines) == 1


async def test_copies_of_an_input_are_found(log: EventLog) -> None:
    """An input that came before is loaded with what it became, also outside the last conversation."""
    await say(log, inbound(1))
    head = await say(log, inbound(2), started(inbound(2)))

    loaded = await log.load(thread(), inbound(1))

    assert [copy.dedup_key for copy in loaded.copies] == [inbound(1).dedup_key]
    assert loaded.copies == await log.copies(thread(), inbound(1).dedup_key)
    assert [event.conversation_id for event in loaded.events] == [head.last_conversation_id]
    assert await log.copies(thread(BEN), inbound(1).dedup_key) == ()


async def test_a_load_follows_the_conversations_set_aside(log: EventLog) -> None:
    """The last conversation comes with those it set aside, and with those that they set aside."""
    identities: list[ConversationId] = []
    for update, flow in enumerate(("one", "two", "three"), start=1):
        draft = started(inbound(update), flow=flow, parked=identities[-1:])
        await say(log, inbound(update), draft)
        assert draft.conversation_id is not None
        identities.append(draft.conversation_id)
    await say(log, inbound(4), answered(inbound(4), identities[-1]))
    await say(log, inbound(5))

    loaded = await log.load(thread(), inbound(6))

    assert {event.conversation_id for event in loaded.events} == set(identities)
    assert len(loaded.events) == 4


async def test_a_load_has_every_conversation_set_aside_at_once(log: EventLog) -> None:
    """Of several conversations that one event set aside, none is left out."""
    drafts = [started(inbound(update), flow=f"flow {update}") for update in (1, 2, 3)]
    identities = [draft.conversation_id for draft in drafts if draft.conversation_id]
    for update, draft in enumerate(drafts, start=1):
        await say(log, inbound(update), draft)
    await say(log, inbound(4), started(inbound(4), parked=identities))

    loaded = await log.load(thread(), inbound(5))

    assert {event.conversation_id for event in loaded.events} > set(identities)
    assert len(loaded.events) == 4


async def test_conversations_that_set_each_other_aside_are_loaded_once(log: EventLog) -> None:
    """Two conversations that name each other do not send the load in circles."""
    one, two = started(inbound(1), flow="one"), started(inbound(2), flow="two")
    assert one.conversation_id is not None
    assert two.conversation_id is not None
    await say(log, inbound(1), started(inbound(1), flow="one", parked=[two.conversation_id]))
    await say(log, inbound(2), started(inbound(2), flow="two", parked=[one.conversation_id, bytes(16)]))

    loaded = await log.load(thread(), inbound(3))

    assert sorted(event.version for event in loaded.events) == [1, 2]


async def test_a_reply_is_owed_until_a_delivery_is_recorded(log: EventLog) -> None:
    """A debt lasts from the append to the first delivery, whatever its outcome, and a second changes nothing."""
    first, second = await say(log, inbound(1)), await say(log, inbound(2))
    before = await log.delivered(first.head_ids[0])
    await log.record(delivery_of(thread(), first.head_ids[0], "blocked"))
    await log.record(delivery_of(thread(), first.head_ids[0], "sent"))

    assert before is False
    assert await log.delivered(first.head_ids[0]) is True
    assert await log.delivered(second.head_ids[0]) is False
    assert await debts(log) == {thread(): second.head_ids}


async def test_a_delivery_needs_its_event(log: EventLog) -> None:
    """The delivery of a reply to an event that is not in the log is refused."""
    with pytest.raises(BrokenLog, match="no event 0000"):
        await log.record(delivery_of(thread(), EventId(bytes(16))))


async def test_nothing_is_minted_before_the_log_is_open(backend: Backend) -> None:
    """Without its journal's origin the log gives no event an identity."""
    with pytest.raises(BrokenLog):
        log_over(backend.store()).mint(inbound(1), EMPTY, noted(inbound(1)))


async def test_only_what_this_log_minted_is_appended(log: EventLog) -> None:
    """A turn around an event without frozen bytes is a mistake of the program."""

    class Unfrozen:
        event: Event = turn(log, inbound(1), EMPTY).minted.event

    unfrozen: Minted = Unfrozen()
    loose = Turn(
        thread_id=thread(), expected=EMPTY, minted=unfrozen, rows=(), owes_reply=True, last_conversation_id=None
    )

    with pytest.raises(TypeError):
        await log.append(loose)


async def test_a_log_goes_on_after_opening_again(backend: Backend) -> None:
    """Opened again, the log gives heads, history, copies and debts as before, and counts its events on."""
    log = log_over(backend.store())
    await log.open(BOT)
    head = await say(log, inbound(1), started(inbound(1)))
    await log.remember("update_epoch", "3")
    history = await log.history(thread())
    await log.close()

    again = log_over(backend.store(), seed=6)
    opened = await again.open(BOT)
    loaded = await again.load(thread(), inbound(1))

    assert (opened.origin_seq, opened.meta["update_epoch"], opened.last_ots) == (1, "3", 1)
    assert (loaded.head, loaded.events, loaded.copies) == (head, history, history)
    assert await debts(again) == {thread(): head.head_ids}
    assert (await say(again, inbound(2))).version == 2
    assert await again.delivered(head.head_ids[0]) is False
    await again.record(delivery_of(thread(), head.head_ids[0]))
    assert await again.delivered(head.head_ids[0]) is True
    await again.close()


async def test_another_bots_journal_is_refused(backend: Backend) -> None:
    """A journal serves the bot that opened it first, and after a refusal it is free to be opened by it."""
    log = log_over(backend.store())
    await log.open(BOT)
    await log.close()

    with pytest.raises(OtherBot, match="belongs to the bot 42, not to 43"):
        await log_over(backend.store()).open(BOT + 1)

    rightful = log_over(backend.store())
    await rightful.open(BOT)
    assert (await say(rightful, inbound(1))).rev == 1
    await rightful.close()


async def test_an_input_can_be_set_aside(backend: Backend) -> None:
    """What goes into quarantine is kept once."""
    store = backend.store()
    log = log_over(store)
    await log.open(BOT)
    await log.quarantine(set_aside("odd").item)
    await log.quarantine(set_aside("odd").item)

    assert await store.counts() == (0, 0, 1)
    await log.close()


async def test_a_closed_log_takes_nothing(backend: Backend) -> None:
    """After closing, an append, a delivery and a fact are refused as unavailable."""
    log = log_over(backend.store())
    await log.open(BOT)
    late = turn(log, inbound(1), EMPTY)
    await log.close()

    with pytest.raises(LogUnavailable):
        await log.append(late)
    with pytest.raises(LogUnavailable):
        await log.remember("name", "value")


async def test_a_debt_older_than_the_logs_memory_is_settled(log: EventLog) -> None:
    """A reply that was owed while thousands of others were appended finds its event in the journal."""
    first = (await log.append(turn(log, inbound(1), EMPTY))).head
    others = [inbound(update, person=update) for update in range(100, 4300)]
    await asyncio.gather(*(log.append(turn(log, given, EMPTY)) for given in others))
    unanswered = await log.delivered(first.head_ids[0])
    await log.record(delivery_of(thread(), first.head_ids[0]))

    assert unanswered is False
    assert await log.delivered(first.head_ids[0]) is True
    assert thread() not in await debts(log)


async def test_a_picture_comes_back_as_it_was_kept(log: EventLog) -> None:
    """Its bytes are given back whole, to their own person's thread alone."""
    digest = bytes(range(32))
    await log.keep(thread(), digest, b"a picture")

    assert await log.kept(thread(), digest) == b"a picture"
    assert await log.kept(ThreadId(bytes(16)), digest) is None

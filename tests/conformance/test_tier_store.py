import asyncio

import pytest
from msgspec.structs import replace

from holdfast.domain.errors import KeyMissing, NotExecuted, OtherBot, RowRefused
from holdfast.domain.ids import ThreadId
from holdfast.domain.ports import RowChange
from holdfast.infrastructure.migrations import migrations
from holdfast.infrastructure.tiers.store import (
    Appended,
    Mark,
    TierStore,
    lane_of,
)
from tests.conformance.scribe import (
    ADA,
    BEN,
    BOT,
    EMPTY,
    Scribe,
    inbound,
    machine,
    machine_id,
    open_state,
    thread,
)
from tests.conformance.tiers import LONG, TierBackend
from tests.conformance.turns import after, append, appended, chain, fork, mark, push, settlement, turn_of


async def test_the_first_bot_owns_the_database(tier_backend: TierBackend, tier: TierStore) -> None:
    """A second bot is refused, and the first may come again."""
    await tier.close()
    with pytest.raises(OtherBot):
        await tier_backend.tier().open(BOT + 1, LONG)

    again = tier_backend.tier()
    facts = await again.open(BOT, LONG)
    await again.close()

    assert facts.bot_id == BOT


async def test_a_tier_keeps_to_the_key_of_its_first_words(tier: TierStore) -> None:
    """A tier without a key may begin to have one; another one, or none, is refused after that."""
    await tier.keep_to_key("none", LONG)
    await tier.keep_to_key("aabb", LONG)
    await tier.keep_to_key("aabb", LONG)

    for other in ("ccdd", "none"):
        with pytest.raises(KeyMissing, match="another master key"):
            await tier.keep_to_key(other, LONG)


async def test_two_names_for_one_database_have_one_identity(tier: TierStore, other_tier: TierStore) -> None:
    """A tier's identity is the database's, whatever it is called."""
    assert (await tier.facts(LONG)).tier_id == (await other_tier.facts(LONG)).tier_id


async def test_a_tier_says_what_it_holds(tier: TierStore) -> None:
    """The facts count events and deliveries, and name the bot, the canary and the migrations."""
    scribe = Scribe()
    write = scribe.append(inbound(1))
    await appended(tier, turn_of(write))
    await push(tier, [], [scribe.delivery(write.record).record])

    facts = await tier.facts(LONG)

    assert (facts.bot_id, facts.events, facts.deliveries, facts.canary) == (BOT, 1, 1, 0)
    assert facts.migrations == tuple(one.number for one in migrations("postgres"))
    assert facts.writable


async def test_a_tier_that_is_closed_does_nothing(tier_backend: TierBackend, tier: TierStore) -> None:
    """What is asked of a closed tier is not executed, and it may be opened again."""
    await tier.close()
    with pytest.raises(NotExecuted):
        await tier.probe(LONG)

    await tier.open(BOT, LONG)

    assert await tier.probe(LONG) == 1


async def test_marks_come_in_the_order_asked(tier: TierStore) -> None:
    """A thread that is not there stands at an empty mark, and one asked twice is told twice."""
    [ada], [ben] = chain(1), chain(1, BEN)
    await push(tier, [ada, ben])

    marks = await tier.marks([thread(BEN), thread(999), thread(ADA), thread(BEN)], LONG)

    assert list(marks) == [after(ben), Mark(), after(ada), after(ben)]


async def test_settling_replaces_a_persons_rows(tier_backend: TierBackend, tier: TierStore) -> None:
    """All rows of one person give way to those that shall stand, and nobody else's do."""
    scribe = Scribe()
    photo = RowChange("photos_wanted", (machine_id(9),), (ADA, ADA, "file", 0))
    mine = scribe.append(inbound(1), rows=[open_state(), machine(1, "Press 4"), photo])
    theirs = scribe.append(inbound(2, person=BEN), rows=[open_state(BEN)])
    await appended(tier, turn_of(mine), turn_of(theirs))

    assert await tier.settle([settlement(mine.record, rows=[machine(2, "Press 4")])], LONG) == [True]

    assert await tier_backend.rows("user_machines") == [machine(2, "Press 4")]
    assert await tier_backend.rows("conversation_states") == [open_state(BEN)]
    assert await tier_backend.rows("photos_wanted") == []
    assert await tier_backend.debt(thread()) == 0
    assert await mark(tier) == after(mine.record)


async def test_settling_without_a_person_leaves_all_rows(tier_backend: TierBackend, tier: TierStore) -> None:
    """A settlement of nobody's rows still sets what the thread is owed."""
    write = Scribe().append(inbound(1), rows=[open_state()])
    await appended(tier, turn_of(write, owes=False))
    nobodys = settlement(write.record, person=ADA, owed=[write.record])
    nobodys = replace(nobodys, user_id=0)

    assert await tier.settle([nobodys], LONG) == [True]

    assert await tier_backend.rows("conversation_states") == [open_state()]
    assert await tier_backend.debt(thread()) == 1


async def test_settling_leaves_out_what_was_answered_there(tier_backend: TierBackend, tier: TierStore) -> None:
    """What a settlement says is owed is not, where the tier knows of a reply to it or to a copy decided the same."""
    scribe = Scribe()
    first = scribe.append(inbound(1))
    copy, other, still = (scribe.append(inbound(number)) for number in (1, 2, 3))
    await push(tier, [one.record for one in (first, copy, other, still)])
    await push(tier, [], [scribe.delivery(one.record).record for one in (copy, other)])
    owed = [first.record, other.record, still.record]

    assert await tier.settle([settlement(still.record, owed=owed)], LONG) == [True]

    assert await tier_backend.debt(thread()) == 1


async def test_what_was_pushed_is_unsettled_until_it_is_settled(tier: TierStore) -> None:
    """Threads with events that came by a push are named, in pages, until each is settled; others never are."""
    people = range(20, 25)
    records = [chain(1, person)[0] for person in people]
    await push(tier, records)
    await appended(tier, turn_of(Scribe().append(inbound(1))))
    await push(tier, [], [Scribe().delivery(records[0]).record])
    threads = sorted(thread(person) for person in people)

    pages = [await tier.unsettled(after, 3, LONG) for after in (ThreadId(bytes(16)), threads[2])]
    assert [list(page) for page in pages] == [threads[:3], threads[3:]]

    settled = [settlement(one, person=person) for one, person in zip(records, people, strict=True)]
    assert await tier.settle(settled, LONG) == [True] * 5
    assert list(await tier.unsettled(ThreadId(bytes(16)), 3, LONG)) == []


async def test_a_turn_leaves_the_rows_of_an_unsettled_thread(tier_backend: TierBackend, tier: TierStore) -> None:
    """A turn on top of what was pushed says that its rows were not written; once settled, the next one's are."""
    scribe = Scribe()
    first, second, third = (scribe.append(inbound(number), rows=[machine(number, f"P{number}")]) for number in range(3))
    stands = (await push(tier, [first.record]))[thread()]
    [verdict] = await append(tier, turn_of(second, stands))
    assert isinstance(verdict, Appended)
    assert not verdict.rows_written
    assert await tier_backend.rows("user_machines") == []

    rows = [machine(0, "P0"), machine(1, "P1")]
    assert await tier.settle([settlement(second.record, rows=rows)], LONG) == [True]
    [verdict] = await append(tier, turn_of(third, verdict.mark))

    assert isinstance(verdict, Appended)
    assert verdict.rows_written
    assert await tier_backend.rows("user_machines") == [*rows, machine(2, "P2")]


async def test_settling_is_for_just_these_heads(tier_backend: TierBackend, tier: TierStore) -> None:
    """Where a thread has other heads, is not closed or is not there, nothing is changed; elsewhere it is."""
    root, left, right = fork()
    ben_root, ben_last = chain(2, BEN)
    await push(tier, [root, left, right, ben_last])
    rows = [open_state()]

    settled = await tier.settle(
        [
            settlement(left, rows=rows),
            settlement(ben_last, rows=[open_state(BEN)], person=BEN),
            settlement(ben_root, person=9),
        ],
        LONG,
    )

    assert settled == [False, False, False]
    assert await tier_backend.rows("conversation_states") == []
    assert await tier.settle([settlement(right, left, rows=rows)], LONG) == [True]
    assert await tier_backend.rows("conversation_states") == rows


async def test_settling_many_threads_says_which(tier: TierStore) -> None:
    """The answers come in the order of the settlements."""
    threads = {person: chain(1, person)[0] for person in range(100, 120)}
    await push(tier, list(threads.values())[::2])

    settled = await tier.settle([settlement(event, person=person) for person, event in threads.items()], LONG)

    assert settled == [True, False] * 10


async def test_a_settlement_that_breaks_a_rule_changes_nothing(tier_backend: TierBackend, tier: TierStore) -> None:
    """Rows that cannot stand beside each other are refused, and all stays as it was."""
    write = Scribe().append(inbound(1), rows=[open_state()])
    await appended(tier, turn_of(write))

    if tier_backend.bounds_its_values:
        with pytest.raises(RowRefused):
            await tier.settle([settlement(write.record, rows=[machine(1, "Press 4"), machine(2, "Press 4")])], LONG)

    assert await tier_backend.rows("conversation_states") == [open_state()]


async def test_the_canary_only_ever_grows(tier: TierStore, other_tier: TierStore) -> None:
    """Each probe raises the canary by one, whoever probes."""
    canaries = [await one.probe(LONG) for one in (tier, other_tier, tier)]

    assert canaries == [1, 2, 3]
    assert (await tier.facts(LONG)).canary == 3


async def test_when_any_worker_was_there_last_is_raised_and_never_lowered(
    tier: TierStore, other_tier: TierStore
) -> None:
    """Whoever says that it was there hears what the latest moment said before was; an earlier one changes nothing."""
    told = [await one.seen(at, LONG) for one, at in ((tier, 0), (tier, 500), (other_tier, 300), (tier, 1 << 50))]

    assert told == [0, 0, 500, 500]
    assert await other_tier.seen(0, LONG) == 1 << 50


async def test_many_calls_at_once_all_come_to_their_end(tier: TierStore) -> None:
    """A tier can be asked from many tasks at once."""
    scribe = Scribe()
    writes = [scribe.append(inbound(person, person=person), on=EMPTY) for person in range(100, 160)]

    verdicts = await asyncio.gather(*(append(tier, turn_of(write)) for write in writes))
    marks, canaries = await asyncio.gather(
        tier.marks([write.record.thread_id for write in writes], LONG),
        asyncio.gather(*(tier.probe(LONG) for _ in range(5))),
    )

    assert {type(verdict) for [verdict] in verdicts} == {Appended}
    assert list(marks) == [after(write.record) for write in writes]
    assert sorted(canaries) == [1, 2, 3, 4, 5]
    assert {lane_of(write.record.thread_id, tier.lanes) for write in writes} == set(range(tier.lanes))

"""What every journal does: the definition of the port `JournalStore`."""

import asyncio

import pytest
from msgspec.structs import replace

from holdfast.domain.errors import Conflict, LogUnavailable, RowRefused
from holdfast.domain.ids import ConversationId, EventId, ThreadId
from holdfast.domain.ports import Head
from holdfast.infrastructure.log.stores import AppendWrite, Cursor, JournalStore, MetaWrite, Snapshot, UnionWrite, Write
from tests.conformance.backends import Backend, Reopen
from tests.conformance.scribe import (
    ADA,
    BEN,
    EMPTY,
    Scribe,
    answered,
    behind,
    commit,
    head_of,
    inbound,
    machine,
    machine_id,
    no_machine,
    no_state,
    noted,
    open_state,
    owed_by,
    set_aside,
    started,
    thread,
    write,
)

CONVERSATION = ConversationId(b"a conversation..")
FAR_TOO_LATE = 1 << 62
"""Microseconds: no calendar has this day."""


async def test_a_new_journal_is_empty(backend: Backend) -> None:
    """A journal that was just made has an origin, and knows no event, thread, debt or fact."""
    journal = backend.store()
    opened = await journal.open()

    assert len(opened.origin) == 16
    assert (opened.origin_seq, opened.last_ots, opened.last_received_at) == (0, -1, 0)
    assert await journal.counts() == (0, 0, 0)
    assert [one async for one in journal.threads()] == []
    assert await owed_by(journal) == {}
    assert await head_of(journal) == EMPTY
    await journal.close()


async def test_an_append_moves_the_head(journal: JournalStore) -> None:
    """The head that a turn leads to stands after it, with the hash of the event it names."""
    scribe = Scribe()
    first, second = scribe.append(inbound(1)), scribe.append(inbound(2))

    await write(journal, first)
    after_one = await head_of(journal)
    assert await journal.forked() == ()
    await write(journal, second)

    assert after_one == first.head
    assert await head_of(journal) == second.head
    assert second.head.rev == 2
    assert await journal.head_ids(thread()) == (second.record.event_id,)


async def test_a_record_comes_back_as_it_was_written(journal: JournalStore) -> None:
    """Every column is read as it was stored, in and outside of a conversation."""
    scribe = Scribe()
    start = scribe.append(inbound(1), started(inbound(1)))
    talk = scribe.append(inbound(2, "\0 😀 \ud800 \x1b[2J"))
    await write(journal, start, talk)

    assert set(await journal.thread(thread())) == {start.record, talk.record}
    assert await journal.record(start.record.event_id) == start.record
    assert await journal.record(EventId(bytes(16))) is None


async def test_a_head_with_two_ends_comes_back_in_order(journal: JournalStore) -> None:
    """A head may name several events, each beside its own hash; its thread is one of those that have several ends."""
    scribe = Scribe()
    first, second = scribe.append(inbound(1)), scribe.append(inbound(2))
    ends = (second.record, first.record)
    forked = behind(
        second.head, head_ids=tuple(end.event_id for end in ends), head_hashes=tuple(end.hash for end in ends)
    )
    await write(journal, first, AppendWrite(second.record, second.expected, forked, (), owes_reply=True))

    assert await head_of(journal) == forked
    assert await journal.forked() == (thread(),)


@pytest.mark.parametrize("fault", [{"rev": 9}, {"head_ids": (EventId(bytes(16)),)}, {"rev": 0, "head_ids": ()}])
async def test_a_turn_decided_on_another_head_is_a_conflict(journal: JournalStore, fault: dict[str, object]) -> None:
    """A turn is written only where both the revision and the events of the head are those it was decided on."""
    scribe = Scribe()
    first = scribe.append(inbound(1))
    await write(journal, first)
    late = scribe.append(inbound(2), rows=[machine(1, "Press 4")], on=behind(first.head, **fault))

    [outcome] = await commit(journal, late)

    assert isinstance(outcome, Conflict)
    assert await head_of(journal) == first.head
    assert await journal.thread(thread()) == (first.record,)
    assert await journal.rows("user_machines") == []
    assert await owed_by(journal) == {thread(): (first.record.event_id,)}
    assert await journal.counts() == (1, 0, 0)


async def test_a_turn_that_expects_a_head_where_none_is_is_a_conflict(journal: JournalStore) -> None:
    """A thread without events has the empty head and no other."""
    scribe = Scribe()
    scribe.append(inbound(1))
    [outcome] = await commit(journal, scribe.append(inbound(2)))

    assert isinstance(outcome, Conflict)
    assert await journal.counts() == (0, 0, 0)
    assert await head_of(journal) == EMPTY


async def test_a_conflict_does_not_disturb_its_neighbours(journal: JournalStore) -> None:
    """Of a batch the turns before and after a conflict are written."""
    scribe = Scribe()
    first = scribe.append(inbound(1))
    await write(journal, first)
    before = scribe.append(inbound(2, person=BEN), rows=[machine(1, "Lathe", BEN)])
    stale = scribe.append(inbound(3), on=EMPTY)
    after = scribe.append(inbound(4, person=BEN), rows=[machine(2, "Press", BEN)])

    outcomes = await commit(journal, before, stale, set_aside("odd"), after, MetaWrite("name", "value"))

    assert [type(one) for one in outcomes] == [type(None), Conflict, type(None), type(None), type(None)]
    assert await head_of(journal) == first.head
    assert await head_of(journal, BEN) == after.head
    assert [row.key for row in await journal.rows("user_machines")] == [(machine_id(1),), (machine_id(2),)]
    assert await journal.counts() == (3, 0, 1)


async def test_two_machines_of_one_person_cannot_share_a_nickname(journal: JournalStore) -> None:
    """A turn whose row breaks a rule of its table is refused whole, and its neighbours are written."""
    scribe = Scribe()
    await write(journal, scribe.append(inbound(1), rows=[machine(1, "Press 4")]))
    stood = await head_of(journal)
    clash = scribe.append(inbound(2), rows=[open_state(), machine(2, "Press 4")])
    namesake = scribe.append(inbound(3, person=BEN), rows=[machine(3, "Press 4", BEN)])

    refused, accepted = await commit(journal, clash, namesake)

    assert isinstance(refused, RowRefused)
    assert accepted is None
    assert await head_of(journal) == stood
    assert await journal.rows("conversation_states") == []
    assert [row.key for row in await journal.rows("user_machines")] == [(machine_id(1),), (machine_id(3),)]
    assert len(await journal.thread(thread())) == 1


async def test_a_machine_may_be_written_again_under_its_own_name(journal: JournalStore) -> None:
    """A row takes the place of the row with its key."""
    scribe = Scribe()
    await write(journal, scribe.append(inbound(1), rows=[machine(1, "Press 4")]))
    await write(journal, scribe.append(inbound(2), rows=[machine(1, "Press 4"), machine(1, "Press 5")]))

    assert await journal.rows("user_machines") == [machine(1, "Press 5")]


async def test_a_nickname_is_free_when_its_machine_is_gone(journal: JournalStore) -> None:
    """Rows are written in their order, so a name given up in a turn can be taken in the same turn."""
    scribe = Scribe()
    await write(journal, scribe.append(inbound(1), rows=[machine(1, "Press 4"), machine(2, "Lathe")]))
    await write(journal, scribe.append(inbound(2), rows=[no_machine(1), machine(3, "Press 4")]))
    await write(journal, scribe.append(inbound(3), rows=[machine(2, "Saw"), machine(3, "Lathe")]))

    assert await journal.rows("user_machines") == [machine(2, "Saw"), machine(3, "Lathe")]


async def test_two_machines_of_one_turn_cannot_share_a_nickname(journal: JournalStore) -> None:
    """The rule of the table holds between the rows of one turn too."""
    [outcome] = await commit(journal, Scribe().append(inbound(1), rows=[machine(1, "Press 4"), machine(2, "Press 4")]))

    assert isinstance(outcome, RowRefused)
    assert await journal.rows("user_machines") == []


async def test_rows_come_back_as_they_were_put(journal: JournalStore) -> None:
    """A projection's rows keep their times and their empty columns, and go when they are taken away."""
    scribe = Scribe()
    await write(
        journal,
        scribe.append(inbound(1), rows=[open_state(), machine(1, "Press 4")]),
        scribe.append(inbound(2, person=BEN), rows=[open_state(BEN, "notes")]),
    )
    stood = await journal.rows("conversation_states"), await journal.rows("user_machines")
    await write(journal, scribe.append(inbound(3), rows=[no_state(), no_machine(1), no_machine(2)]))

    assert stood == ([open_state(), open_state(BEN, "notes")], [machine(1, "Press 4")])
    assert await journal.rows("conversation_states") == [open_state(BEN, "notes")]
    assert await journal.rows("user_machines") == []


async def test_a_turn_that_cannot_be_stored_is_refused_alone(backend: Backend, journal: JournalStore) -> None:
    """A value that no column can hold is its own turn's fault, and the neighbours are written."""
    scribe = Scribe()
    before = scribe.append(inbound(1))
    huge = scribe.append(replace(inbound(2, person=BEN), order=1 << 70))
    late = scribe.append(inbound(3, person=9), rows=[machine(FAR_TOO_LATE, "Press 4", 9)])
    after = scribe.append(inbound(4, person=10))

    outcomes = await commit(journal, before, huge, late, after)

    assert (outcomes[0], outcomes[3]) == (None, None)
    refusals = [type(outcome) for outcome in outcomes[1:3]]
    assert refusals == ([RowRefused] * 2 if backend.bounds_its_values else [type(None)] * 2)
    assert await head_of(journal, 10) == after.head


async def test_an_event_is_written_once(journal: JournalStore) -> None:
    """The identity of an event is the one unique key: it is refused the second time."""
    scribe = Scribe()
    first = scribe.append(inbound(1))
    await write(journal, first)
    again = AppendWrite(first.record, first.head, behind(first.head, rev=2), (), owes_reply=True)

    [outcome] = await commit(journal, again)

    assert isinstance(outcome, RowRefused)
    assert await head_of(journal) == first.head
    assert await journal.thread(thread()) == (first.record,)


async def test_a_batch_may_hold_many_threads_and_many_turns_of_one(journal: JournalStore) -> None:
    """All turns of a batch are written, also those that build on one another."""
    scribe = Scribe()
    batch = [scribe.append(inbound(update, person=update % 100)) for update in range(300)]

    await write(journal, *batch)

    assert await journal.counts() == (300, 0, 0)
    assert {await head_of(journal, person) for person in range(100)} == {scribe.heads[thread(n)] for n in range(100)}
    assert [one async for one in journal.threads()] == sorted(scribe.heads)


async def test_an_empty_batch_is_no_news(journal: JournalStore) -> None:
    """A batch without writes has no outcomes and changes nothing."""
    assert await commit(journal) == []
    assert await journal.counts() == (0, 0, 0)


async def test_a_snapshot_holds_the_last_conversation(journal: JournalStore) -> None:
    """A cold load reads the conversation that was started or taken up last, and no other."""
    scribe = Scribe()
    one = scribe.append(inbound(1), started(inbound(1)))
    two = scribe.append(inbound(2), started(inbound(2), flow="other"))
    talk = scribe.append(inbound(3))
    answer = scribe.append(inbound(4), answered(inbound(4), two.head.last_conversation_id))
    await write(journal, one, two, talk, answer)

    snapshot = await journal.snapshot(thread(), "no such input", ADA)

    assert snapshot.head == answer.head
    assert set(snapshot.records) == {two.record, answer.record}
    assert (snapshot.copies, snapshot.machines) == ((), ())


async def test_a_snapshot_is_of_one_moment(journal: JournalStore) -> None:
    """While a thread grows, each snapshot has a head with its own hashes, and every event up to that head."""
    scribe = Scribe()
    turns = [scribe.append(inbound(update), answered(inbound(update), CONVERSATION)) for update in range(1, 200)]
    heads = {turn.head.rev: turn.head for turn in turns}
    seen: list[Snapshot] = []

    async def look() -> None:
        while len(seen) < len(turns):
            seen.append(await journal.snapshot(thread(), "no such input", ADA))
            await asyncio.sleep(0)

    looking = [asyncio.create_task(look()) for _ in range(3)]
    for turn in turns:
        await write(journal, turn)
    await asyncio.gather(*looking)

    assert all(one.head == heads.get(one.head.rev, EMPTY) for one in seen)
    assert all(len(one.records) >= one.head.rev for one in seen)


async def test_a_snapshot_holds_every_copy_of_its_input(journal: JournalStore) -> None:
    """The copies of an input are found by its dedup key, whatever conversation they stand in."""
    scribe = Scribe()
    start = scribe.append(inbound(1), started(inbound(1)))
    copy = scribe.append(inbound(1))
    other = scribe.append(inbound(1, person=BEN))
    await write(journal, start, copy, scribe.append(inbound(2)), other)

    snapshot = await journal.snapshot(thread(), inbound(1).dedup_key, ADA)

    assert set(snapshot.copies) == {start.record, copy.record}
    assert set(await journal.copies(thread(), inbound(1).dedup_key)) == {start.record, copy.record}
    assert await journal.copies(thread(), inbound(3).dedup_key) == ()


async def test_a_snapshot_holds_the_persons_machines(journal: JournalStore) -> None:
    """A person's machines come with the snapshot, another person's do not."""
    scribe = Scribe()
    await write(
        journal,
        scribe.append(inbound(1), rows=[machine(1, "Press 4"), machine(2, "Lathe")]),
        scribe.append(inbound(2, person=BEN), rows=[machine(3, "Saw", BEN)]),
    )

    found = (await journal.snapshot(thread(), "no such input", ADA)).machines

    assert {one.machine_id: one.nickname for one in found} == {
        ConversationId((1).to_bytes(16, "big")): "Press 4",
        ConversationId((2).to_bytes(16, "big")): "Lathe",
    }
    [press] = [one for one in found if one.nickname == "Press 4"]
    assert ("ACME", None, "S/N 1", *(machine(1, "").values or ())[-2:]) == (
        press.manufacturer,
        press.model_number,
        press.serial_number,
        press.created_at,
        press.updated_at,
    )


async def test_a_conversation_is_found_with_its_thread(journal: JournalStore) -> None:
    """A conversation's events are read by its id, and its id leads to its thread."""
    scribe = Scribe()
    start = scribe.append(inbound(1), started(inbound(1)))
    identity = start.head.last_conversation_id
    assert identity is not None
    answer = scribe.append(inbound(2), answered(inbound(2), identity))
    await write(journal, start, answer, scribe.append(inbound(3)))

    assert set(await journal.conversation(thread(), identity)) == {start.record, answer.record}
    assert await journal.conversation(thread(BEN), identity) == ()
    assert await journal.thread_of(identity) == thread()
    assert await journal.thread_of(ConversationId(bytes(16))) is None


async def test_a_conversation_brings_other_copies_of_its_inputs(journal: JournalStore) -> None:
    """With a conversation come the copies its inputs have in other conversations, also with the one that was last."""
    scribe = Scribe()
    [one, other] = [scribe.append(inbound(update), started(inbound(update))) for update in (1, 2)]
    first, last = one.head.last_conversation_id, other.head.last_conversation_id
    assert first is not None
    assert last is not None
    misled = scribe.append(inbound(3), answered(inbound(3), first))
    copy = scribe.append(inbound(3), answered(inbound(3), last))
    await write(journal, one, other, misled, copy)

    assert set(await journal.conversation(thread(), first)) == {one.record, misled.record, copy.record}
    found = (await journal.snapshot(thread(), "no such input", ADA)).records
    assert sorted(found) == sorted([other.record, misled.record, copy.record])


async def test_a_snapshot_says_when_what_is_open_moved_on(journal: JournalStore) -> None:
    """By the rows of this person alone, each flow they have open with its time; nothing when none is."""
    await write(journal, Scribe().append(inbound(1), rows=[open_state(), open_state(BEN)]))

    mine = await journal.snapshot(thread(), "no such input", ADA)
    nobodys = await journal.snapshot(thread(), "no such input", 999)

    assert (mine.touched, nobodys.touched) == ({"add_machine": (open_state().values or ())[3]}, {})


async def test_a_thread_that_never_spoke_is_empty(journal: JournalStore) -> None:
    """What is not there reads as empty."""
    nobody = ThreadId(bytes(16))

    assert await journal.thread(nobody) == ()
    assert await journal.deliveries(nobody) == ()
    assert await journal.head_ids(nobody) == ()
    assert await journal.delivered(EventId(bytes(16))) is False


async def test_everything_is_there_after_opening_again(journal: JournalStore, reopen: Reopen) -> None:
    """Heads, events, rows, deliveries, debts and facts stand when the journal is opened again."""
    scribe = Scribe()
    start = scribe.append(inbound(1), started(inbound(1)), [open_state(), machine(1, "Press 4")])
    talk = scribe.append(inbound(2))
    await write(journal, start, talk, scribe.delivery(start.record), set_aside("odd"), MetaWrite("update_epoch", "3"))

    again, opened = await reopen(journal)

    assert await head_of(again) == talk.head
    assert set(await again.thread(thread())) == {start.record, talk.record}
    assert await again.rows("conversation_states") == [open_state()]
    assert await again.rows("user_machines") == [machine(1, "Press 4")]
    assert await owed_by(again) == {thread(): (talk.record.event_id,)}
    assert await again.counts() == (2, 1, 1)
    assert opened.meta["update_epoch"] == "3"
    assert (opened.last_ots, opened.last_received_at) == (2, inbound(2).received_at)


async def test_an_origin_goes_on_numbering(backend: Backend, reopen: Reopen) -> None:
    """Opened again, a journal has its origin still, and tells the greatest number given out so far."""
    journal = backend.store()
    opened = await journal.open()
    scribe = Scribe(opened.origin, opened.origin_seq)
    turn = scribe.append(inbound(1))
    await write(journal, turn, scribe.delivery(turn.record))

    _, again = await reopen(journal)

    assert (again.origin, again.origin_seq) == (opened.origin, 2)


async def test_a_fact_is_overwritten_by_the_next(journal: JournalStore, reopen: Reopen) -> None:
    """Of one name the journal remembers the last value, and none when that is empty."""
    await write(journal, *(MetaWrite("update_epoch", value) for value in ("1", "2")))
    await write(journal, *(MetaWrite("other", value) for value in ("1", "")))

    _, opened = await reopen(journal)

    assert (opened.meta["update_epoch"], opened.meta.get("other")) == ("2", None)


async def test_a_reply_is_owed_until_its_fate_is_recorded(journal: JournalStore) -> None:
    """Events that owe a reply are named as owed, oldest first, until a delivery answers them."""
    scribe = Scribe()
    turns = [scribe.append(inbound(update)) for update in (1, 2, 3)]
    await write(journal, *turns)
    before = await owed_by(journal)
    await write(journal, scribe.delivery(turns[1].record, outcome="blocked"))

    assert before == {thread(): tuple(turn.record.event_id for turn in turns)}
    assert await owed_by(journal) == {thread(): (turns[0].record.event_id, turns[2].record.event_id)}
    assert await journal.delivered(turns[1].record.event_id) is True
    assert await journal.delivered(turns[0].record.event_id) is False


async def test_a_second_delivery_settles_nothing_more(journal: JournalStore) -> None:
    """Two deliveries of one reply are both kept, and the other replies stay owed."""
    scribe = Scribe()
    first, second = scribe.append(inbound(1)), scribe.append(inbound(2))
    fates = [scribe.delivery(first.record), scribe.delivery(first.record)]
    await write(journal, first, second, fates[0])
    await write(journal, fates[1])

    assert await owed_by(journal) == {thread(): (second.record.event_id,)}
    assert await journal.deliveries(thread()) == tuple(fate.record for fate in fates)
    assert await journal.counts() == (2, 2, 0)


async def test_two_deliveries_of_one_reply_in_one_batch_count_once(journal: JournalStore) -> None:
    """Deliveries that meet in a batch are counted as if they had come one after the other."""
    scribe = Scribe()
    first, second = scribe.append(inbound(1)), scribe.append(inbound(2))
    await write(journal, first, second, scribe.delivery(first.record), scribe.delivery(first.record))

    assert await owed_by(journal) == {thread(): (second.record.event_id,)}


async def test_an_event_that_owes_no_reply_makes_no_debt(journal: JournalStore) -> None:
    """A thread whose events owe nothing is not among those that are owed replies."""
    await write(journal, Scribe().append(inbound(1), owes=False))

    assert await owed_by(journal) == {}


async def test_a_silent_event_does_not_hide_a_debt(journal: JournalStore) -> None:
    """The reply that is owed is named also when events came after it that owe none."""
    scribe = Scribe()
    owing = scribe.append(inbound(1))
    await write(journal, owing, *(scribe.append(inbound(update), owes=False) for update in (2, 3)))

    assert owing.record.event_id in (await owed_by(journal))[thread()]


async def test_a_delivery_that_nobody_was_owed_settles_nothing(journal: JournalStore) -> None:
    """The delivery of a reply that was not owed leaves no debt behind, now or later."""
    scribe = Scribe()
    silent = scribe.append(inbound(1), owes=False)
    await write(journal, silent, scribe.delivery(silent.record))
    before = await owed_by(journal)
    loud = scribe.append(inbound(2))
    await write(journal, loud)

    assert before == {}
    assert await owed_by(journal) == {thread(): (loud.record.event_id,)}


async def test_the_reply_to_a_copy_settles_the_same_debt(journal: JournalStore) -> None:
    """A copy's reply settles its input's debt where the same was decided, and does not where something else was."""
    scribe = Scribe()
    counts, alike = scribe.append(inbound(1)), scribe.append(inbound(1), owes=False)
    unlike = scribe.append(inbound(1), noted(inbound(1), "busy"), owes=False)
    await write(journal, counts, alike, unlike)

    debts = []
    for one in (unlike, alike):
        await write(journal, scribe.delivery(one.record))
        debts.append(await journal.debt(thread()))

    assert debts == [1, 0]


async def test_a_turn_may_void_an_older_debt(journal: JournalStore) -> None:
    """What a turn voids is not owed any more, and all else is."""
    scribe = Scribe()
    void, still, turn = (scribe.append(inbound(number)) for number in (1, 2, 3))
    await write(journal, void, still)

    await write(journal, replace(turn, voids=[void.record.event_id]))

    [settlement] = await journal.settlements([thread()], Cursor())
    assert set(settlement.owed) == {still.record.event_id, turn.record.event_id}


async def test_a_thread_folded_anew_owes_what_counts(journal: JournalStore) -> None:
    """Of what a thread folded anew owes, that is left out whose reply, or that of a copy decided the same, went out."""
    scribe = Scribe()
    copy, counts, still, silent = (scribe.append(inbound(number)) for number in (1, 1, 2, 3))
    await write(journal, copy, counts, still, silent, scribe.delivery(copy.record))
    head = silent.head
    union = UnionWrite(
        thread_id=thread(),
        expected=head,
        head=replace(head, rev=head.rev + 1),
        closed=True,
        learned=(),
        deliveries=(),
        aborted=(),
        owing=[counts.record.event_id, still.record.event_id],
        user_id=0,
        rows=(),
    )

    await write(journal, union)

    assert await journal.debt(thread()) == 1
    [settlement] = await journal.settlements([thread()], Cursor(deliveries=9))
    assert settlement.owed == (still.record.event_id,)
    [for_one_without_deliveries] = await journal.settlements([thread()], Cursor())
    assert set(for_one_without_deliveries.owed) == {still.record.event_id, copy.record.event_id}


async def test_debts_of_many_threads_are_all_named(journal: JournalStore) -> None:
    """However many threads there are, each is listed once, and so is each debt."""
    scribe = Scribe()
    batch: list[Write] = [scribe.append(inbound(person, person=person)) for person in range(1, 1203)]
    await write(journal, *batch)

    debts = [(thread_id, events) async for thread_id, events in journal.owed()]

    assert len(debts) == len(dict(debts)) == 1202
    assert dict(debts) == {key: tuple((one, None) for one in head.head_ids) for key, head in scribe.heads.items()}
    assert [one async for one in journal.threads()] == sorted(scribe.heads)


async def test_an_input_is_set_aside_once(journal: JournalStore) -> None:
    """The second time an input is put into quarantine nothing is added."""
    await write(journal, set_aside("odd"), set_aside("odd"), set_aside("other"))
    await write(journal, set_aside("odd", b"[]"))

    assert await journal.counts() == (0, 0, 2)


async def test_a_closed_journal_takes_nothing(journal: JournalStore) -> None:
    """What is handed to a closed journal is refused as unavailable."""
    await journal.close()

    with pytest.raises(LogUnavailable):
        await journal.commit([MetaWrite("name", "value")])


async def test_closing_twice_is_closing(journal: JournalStore) -> None:
    """A journal that is closed can be closed again."""
    await journal.close()
    await journal.close()

    with pytest.raises(LogUnavailable):
        await journal.commit([set_aside("odd")])


async def test_an_append_keeps_the_head_it_was_given(journal: JournalStore) -> None:
    """A turn outside any conversation leaves the last conversation in the head as it says."""
    scribe = Scribe()
    start = scribe.append(inbound(1), started(inbound(1)))
    talk = scribe.append(inbound(2))
    await write(journal, start, talk)
    head: Head = await head_of(journal)

    assert head.last_conversation_id == start.record.conversation_id

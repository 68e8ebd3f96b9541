import asyncio

import pytest

from holdfast.domain.errors import RowRefused
from holdfast.domain.ports import Head, RowChange
from holdfast.infrastructure.tiers.store import (
    Appended,
    Mark,
    Stale,
    TierStore,
    TierTurn,
)
from tests.conformance.clocks import NOON
from tests.conformance.scribe import (
    ADA,
    BEN,
    Scribe,
    inbound,
    machine,
    machine_id,
    no_machine,
    no_state,
    open_state,
    thread,
)
from tests.conformance.tiers import LONG, TierBackend
from tests.conformance.turns import after, append, appended, chain, fork, mark, push, read, settlement, turn_of


async def test_a_first_turn_is_kept_byte_for_byte(tier: TierStore) -> None:
    """A record comes back as it was given, and the thread ends in it."""
    write = Scribe().append(inbound(1, "Füße \u2028 🏭"), rows=[open_state()])

    verdicts = await append(tier, turn_of(write))

    assert verdicts == [Appended(after(write.record), rows_written=True)]
    assert await read(tier) == ({write.record}, set())
    assert await mark(tier) == after(write.record)


async def test_a_turn_goes_on_from_the_one_before(tier: TierStore) -> None:
    """The second turn replaces the first as the head, and raises the revision."""
    scribe = Scribe()
    first, second = scribe.append(inbound(1)), scribe.append(inbound(2))

    [stands] = await appended(tier, turn_of(first))
    [stands] = await appended(tier, turn_of(second, stands))

    assert stands == after(second.record, rev=2)


@pytest.mark.parametrize("wrong", [{"rev": 0}, {"rev": 2}, {"head_ids": ()}])
async def test_a_turn_on_another_head_writes_nothing(
    tier_backend: TierBackend, tier: TierStore, wrong: dict[str, object]
) -> None:
    """Revision and heads are both compared, and a stale turn is told where the thread stands."""
    scribe = Scribe()
    first, second = scribe.append(inbound(1)), scribe.append(inbound(2), rows=[open_state()])
    [stands] = await appended(tier, turn_of(first))
    expected = Mark(**{"rev": stands.rev, "head_ids": stands.head_ids, **wrong})  # type: ignore[arg-type]

    assert await append(tier, turn_of(second, expected)) == [Stale(stands)]
    assert await read(tier) == ({first.record}, set())
    assert await tier_backend.rows("conversation_states") == []


async def test_a_turn_on_a_thread_that_is_not_there_is_stale(tier: TierStore) -> None:
    """A tier that lacks the thread says so with an empty mark."""
    first, second = chain(2)
    turn = TierTurn(second, Mark(1, (first.event_id,)), (), owes_reply=True, last_conversation_id=None)

    assert await append(tier, turn) == [Stale(Mark())]


async def test_rows_stand_as_the_turn_says(tier_backend: TierBackend, tier: TierStore) -> None:
    """Rows are written, replaced and taken away, to the microsecond."""
    scribe = Scribe()
    wanted = RowChange("photos_wanted", (machine_id(9),), (ADA, ADA, "file", 2**40))
    first = scribe.append(inbound(1), rows=[machine(1, "Press 4"), open_state(), open_state(BEN), wanted])
    second = scribe.append(inbound(2), rows=[no_state(), machine(1, "Press 5"), open_state(BEN, "location")])
    third = scribe.append(inbound(3), rows=[RowChange(wanted.table, wanted.key, None), no_machine(1), no_state(BEN)])

    [stands] = await appended(tier, turn_of(first))
    assert await tier_backend.rows("conversation_states") == [open_state(), open_state(BEN)]
    assert await tier_backend.rows("photos_wanted") == [wanted]
    [stands] = await appended(tier, turn_of(second, stands))
    assert await tier_backend.rows("conversation_states") == [open_state(BEN, "location")]
    assert await tier_backend.rows("user_machines") == [machine(1, "Press 5")]
    await appended(tier, turn_of(third, stands))

    assert [await tier_backend.rows(table) for table in ("user_machines", "conversation_states", "photos_wanted")] == [
        []
    ] * 3


async def test_a_machine_may_be_replaced_by_its_namesake(tier_backend: TierBackend, tier: TierStore) -> None:
    """Rows are written in their order: a name that was given up may be taken."""
    scribe = Scribe()
    first = scribe.append(inbound(1), rows=[machine(1, "Press 4")])
    second = scribe.append(inbound(2), rows=[no_machine(1), machine(2, "Press 4")])

    [stands] = await appended(tier, turn_of(first))
    await appended(tier, turn_of(second, stands))

    assert await tier_backend.rows("user_machines") == [machine(2, "Press 4")]


async def test_a_turn_owes_a_reply_or_none(tier_backend: TierBackend, tier: TierStore) -> None:
    """What a thread is owed grows by one for each turn that owes a reply."""
    scribe = Scribe()
    writes = [scribe.append(inbound(number)) for number in range(1, 4)]
    [stands] = await appended(tier, turn_of(writes[0]))
    [stands] = await appended(tier, turn_of(writes[1], stands, owes=False))
    await appended(tier, turn_of(writes[2], stands))

    assert await tier_backend.debt(thread()) == 2


async def test_a_turn_beside_a_head_leaves_that_head(tier_backend: TierBackend, tier: TierStore) -> None:
    """Heads that are no parents of the event stay heads, and the rows are left alone."""
    root, left, right = fork()
    await push(tier, [root, left])
    stands = await mark(tier)

    turn = TierTurn(right, stands, [open_state()], owes_reply=True, last_conversation_id=None)

    assert await append(tier, turn) == [Appended(after(left, right, rev=2), rows_written=False)]
    assert await tier_backend.rows("conversation_states") == []


async def test_a_merge_ends_both_sides(tier_backend: TierBackend, tier: TierStore) -> None:
    """An event that names both heads as its parents, in any order, is the only head, also for its rows."""
    scribe = Scribe()
    root = scribe.append(inbound(1))
    left, right = scribe.append(inbound(2), on=root.head), scribe.append(inbound(3), on=root.head)
    both = sorted((left.head, right.head), key=lambda head: head.head_ids, reverse=True)
    seen = Head(
        rev=3,
        version=2,
        ots=3,
        head_ids=both[0].head_ids + both[1].head_ids,
        head_hashes=both[0].head_hashes + both[1].head_hashes,
    )
    merge = scribe.append(inbound(4), rows=[open_state()], on=seen)
    stands = (await push(tier, [root.record, left.record, right.record]))[thread()]
    assert await tier.settle([settlement(left.record, right.record)], LONG) == [True]

    assert await append(tier, turn_of(merge, stands)) == [Appended(after(merge.record, rev=2), rows_written=True)]
    assert await tier_backend.rows("conversation_states") == [open_state()]


async def test_a_turn_whose_parent_is_missing_opens_the_thread(tier_backend: TierBackend, tier: TierStore) -> None:
    """The event is kept, the thread is no longer closed, and no rows are written until it is."""
    scribe = Scribe()
    missing = scribe.append(inbound(1))
    child, grandchild = scribe.append(inbound(2), rows=[open_state()]), scribe.append(inbound(3), rows=[open_state()])

    [verdict] = await append(tier, turn_of(child))
    assert verdict == Appended(after(child.record, closed=False), rows_written=False)
    [verdict] = await append(tier, turn_of(grandchild, after(child.record)))
    assert verdict == Appended(after(grandchild.record, rev=2, closed=False), rows_written=False)
    assert await tier_backend.rows("conversation_states") == []
    assert (await push(tier, [missing.record]))[thread()] == after(grandchild.record, rev=3)


async def test_a_batch_tells_each_turn_its_own_outcome(tier_backend: TierBackend, tier: TierStore) -> None:
    """One stale turn among many harms none, and verdicts come in the order of the turns."""
    scribe = Scribe()
    people = range(100, 140)
    writes = [scribe.append(inbound(person, person=person), rows=[open_state(person)]) for person in people]
    stale = turn_of(writes[7], Mark(3, (writes[8].record.event_id,)))
    turns = [stale if at == 7 else turn_of(write) for at, write in enumerate(writes)]

    verdicts = await append(tier, *turns)

    assert verdicts == [
        Stale(Mark()) if at == 7 else Appended(after(write.record), rows_written=True)
        for at, write in enumerate(writes)
    ]
    assert len(await tier_backend.rows("conversation_states")) == 39


async def test_one_turns_clash_harms_no_other(tier_backend: TierBackend, tier: TierStore) -> None:
    """A nickname that is taken refuses its own turn, of which nothing is written, and no other."""
    scribe = Scribe()
    await appended(tier, turn_of(scribe.append(inbound(1), rows=[machine(1, "Press 4")])))
    clash = scribe.append(inbound(2, person=BEN), rows=[open_state(BEN), machine(2, "Press 4")])
    others = [scribe.append(inbound(person, person=person), rows=[open_state(person)]) for person in (100, 101)]

    first, refused, last = await append(tier, turn_of(others[0]), turn_of(clash), turn_of(others[1]))

    assert isinstance(refused, RowRefused)
    assert "Press 4" not in str(refused)
    assert first == Appended(after(others[0].record), rows_written=True)
    assert last == Appended(after(others[1].record), rows_written=True)
    assert await tier_backend.rows("conversation_states") == [open_state(100), open_state(101)]
    assert await mark(tier, BEN) == Mark()


@pytest.mark.parametrize(
    "row",
    [
        RowChange("conversation_states", (2**63, ADA, "add"), ("nickname", "{}", NOON, NOON, NOON)),
        RowChange("conversation_states", (ADA, ADA, "add"), ("nick\0name", "{}", NOON, NOON, NOON)),
        RowChange("conversation_states", (ADA, ADA, "add"), ("nick\ud800name", "{}", NOON, NOON, NOON)),
        RowChange("conversation_states", (ADA, ADA, "add"), ("nickname", "{}", NOON, NOON, 2**63 - 1)),
        RowChange("user_machines", (machine_id(1),), (ADA, "Press\0 4", *(None,) * 7, NOON, NOON)),
        RowChange("user_machines", (machine_id(1),), (ADA, "Press\udfff 4", *(None,) * 7, NOON, NOON)),
        RowChange("user_machines", (machine_id(1),), (2**70, "Press 4", *(None,) * 7, NOON, NOON)),
        RowChange("user_machines", (machine_id(1),), (ADA, None, *(None,) * 7, NOON, NOON)),
        RowChange("no_such_table", (1,), (1,)),
    ],
)
async def test_a_value_that_no_column_holds_harms_its_own_turn_alone(
    tier_backend: TierBackend, tier: TierStore, row: RowChange
) -> None:
    """A row that cannot be stored refuses its turn, alone or in a batch; the others go through."""
    scribe = Scribe()
    bad = scribe.append(inbound(1), rows=[row])
    good = scribe.append(inbound(2, person=BEN))

    verdicts = [*await append(tier, turn_of(bad)), *await append(tier, turn_of(bad), turn_of(good))]

    if tier_backend.bounds_its_values:
        assert [type(verdict) for verdict in verdicts] == [RowRefused, RowRefused, Appended]
        assert await mark(tier) == Mark()
    assert await mark(tier, BEN) == after(good.record)


async def test_long_texts_are_kept(tier_backend: TierBackend, tier: TierStore) -> None:
    """Ten thousand characters in a message and in every text of a row come back whole."""
    text = "Maß 🏭" * 2000
    values = (ADA, "Press 4", *(text,) * 7, NOON, NOON)
    row = RowChange("user_machines", (machine_id(1),), values)
    write = Scribe().append(inbound(1, text), rows=[row])

    await appended(tier, turn_of(write))

    assert await tier_backend.rows("user_machines") == [row]
    assert await read(tier) == ({write.record}, set())


async def test_an_event_that_is_there_is_not_appended_twice(tier: TierStore) -> None:
    """The same turn again is stale: its own event is the head by then."""
    turn = turn_of(Scribe().append(inbound(1)))
    [stands] = await appended(tier, turn)

    assert await append(tier, turn) == [Stale(stands)]


async def test_nothing_comes_of_nothing(tier: TierStore) -> None:
    """Empty batches are done at once."""
    assert (await append(tier), await tier.marks([], LONG), await push(tier, []), await tier.settle([], LONG)) == (
        [],
        [],
        {},
        [],
    )


async def test_of_two_workers_one_comes_first(tier: TierStore, other_tier: TierStore) -> None:
    """Whoever races for a thread, one turn goes through and the other is told of it."""
    for number in range(1, 30):
        mine = Scribe(seed=number).append(inbound(1, person=number))
        theirs = Scribe(seed=-number).append(inbound(1, person=number))

        [[first], [second]] = await asyncio.gather(append(tier, turn_of(mine)), append(other_tier, turn_of(theirs)))

        winner = mine if isinstance(first, Appended) else theirs
        assert sorted([type(first).__name__, type(second).__name__]) == ["Appended", "Stale"]
        assert {first.mark, second.mark} == {after(winner.record)}  # type: ignore[union-attr]


async def test_opposite_orders_never_wait_for_each_other(tier: TierStore, other_tier: TierStore) -> None:
    """Batches over the same threads in opposite orders, with pushes between them, all come to an end."""
    people = range(100, 130)
    scribe = Scribe()
    known = [scribe.append(inbound(1, person=person)) for person in people]
    marks = dict(zip(people, await appended(tier, *map(turn_of, known)), strict=True))
    mine = [scribe.append(inbound(2, person=person)) for person in people]
    rival, third = Scribe(seed=9), Scribe(seed=8)
    theirs = [rival.append(inbound(3, person=person), on=known[person - 100].head) for person in people]
    fresh = [third.append(inbound(4, person=person)).record for person in range(90, 140)]

    outcomes = await asyncio.gather(
        append(tier, *(turn_of(write, marks[person]) for person, write in zip(people, mine, strict=True))),
        append(other_tier, *reversed([turn_of(write, marks[p]) for p, write in zip(people, theirs, strict=True)])),
        push(tier, fresh),
        push(other_tier, fresh[::-1]),
    )

    verdicts = outcomes[0] + outcomes[1]
    assert {type(verdict) for verdict in verdicts} <= {Appended, Stale}
    assert (await tier.facts(LONG)).events == 30 + 50 + sum(isinstance(verdict, Appended) for verdict in verdicts)

"""What a journal knows of time: what is due next, and where its people are."""

from msgspec.structs import replace

from holdfast.domain.event import Draft, Facts, Words
from holdfast.domain.inbound import Inbound
from holdfast.domain.kinds import Kind
from holdfast.domain.ports import Due, RowChange
from holdfast.infrastructure.log.stores import JournalStore
from tests.conformance.clocks import NOON
from tests.conformance.scribe import ADA, BEN, Scribe, codec, inbound, open_state, thread, write

FOR_EVER = 1 << 60
SECOND = 1_000_000


def due_at(person: int, at: int, flow: str = "add_machine") -> RowChange:
    """A row of `conversation_states` that says when it is due."""
    row = open_state(person)
    step, _, *times = row.values or ()
    return replace(row, key=(person, person, flow), values=(step, f'{{"due_at":{at}}}', *times))


def zone(update: int, name: str, person: int = ADA) -> tuple[Inbound, Draft]:
    given = inbound(update, person=person)
    words = Words(said=given.said, value=name)
    return given, Draft(kind=Kind.NOTED, conversation_id=None, facts=Facts(rule="timezone"), words=words)


async def test_what_is_due_comes_in_its_order(journal: JournalStore) -> None:
    """The earliest first, whoever's it is, up to a moment, and no more than is asked for."""
    scribe = Scribe()
    rows = [due_at(ADA, NOON + 30), due_at(BEN, NOON + 10), due_at(ADA, NOON + 20, "other")]
    await write(journal, scribe.append(inbound(1), rows=rows))
    ordered = [
        Due(NOON + 10, BEN, BEN, "add_machine"),
        Due(NOON + 20, ADA, ADA, "other"),
        Due(NOON + 30, ADA, ADA, "add_machine"),
    ]

    assert await journal.due(FOR_EVER, None, 10) == ordered
    assert await journal.due(FOR_EVER, None, 2) == ordered[:2]
    assert await journal.due(NOON + 20, None, 10) == ordered[:2]
    assert await journal.due(NOON + 9, None, 10) == []


async def test_what_is_due_is_read_page_by_page(journal: JournalStore) -> None:
    """Behind the last of a page the next one begins, also among many that are due at one moment."""
    scribe = Scribe()
    rows = [due_at(person, NOON + person // 10) for person in range(1, 41)]
    await write(journal, scribe.append(inbound(1), rows=rows))
    found: list[Due] = []
    while page := await journal.due(FOR_EVER, found[-1] if found else None, 7):
        found += page

    assert found == sorted(found)
    assert [one.user_id for one in found] == list(range(1, 41))


async def test_a_row_of_before_there_were_timers_is_due_when_it_expires(journal: JournalStore) -> None:
    """It does not say when to look at it; its end is known to the second."""
    await write(journal, Scribe().append(inbound(1), rows=[open_state()]))
    [due] = await journal.due(FOR_EVER, None, 10)

    assert abs(due.at - (NOON + 2)) < SECOND


async def test_a_snapshot_holds_the_zone_that_was_named_last(journal: JournalStore) -> None:
    """Of several it is the last in the thread's order; other inputs and other people's are none."""
    scribe = Scribe()
    turns = [scribe.append(*zone(update, name)) for update, name in ((1, "Asia/Tokyo"), (2, "Europe/Berlin"))]
    turns += [scribe.append(inbound(3)), scribe.append(*zone(4, "UTC", BEN))]
    await write(journal, *turns)

    [found] = [(await journal.snapshot(thread(), "no such input", ADA)).zone]
    assert found == turns[1].record
    assert codec().event(found).words == Words(said=inbound(2).said, value="Europe/Berlin")


async def test_who_has_named_no_zone_has_none(journal: JournalStore) -> None:
    """A thread without such an input, and one that is not there, have no zone."""
    await write(journal, Scribe().append(inbound(1)))

    assert (await journal.snapshot(thread(), "no such input", ADA)).zone is None
    assert (await journal.snapshot(thread(BEN), "no such input", BEN)).zone is None

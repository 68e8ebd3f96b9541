"""What every journal answers about who waits and who spoke, page by page."""

from holdfast.domain.ids import ConversationId, ThreadId
from holdfast.domain.ports import RowChange, Waiting
from holdfast.infrastructure.log.stores import JournalStore
from tests.conformance.clocks import NOON
from tests.conformance.scribe import Scribe, inbound, machine_id, thread, write

PEOPLE = (7, 8, 100)


def open_since(person: int, flow: str, moved_at: int) -> RowChange:
    """The row of an open conversation that somebody moved on at some time."""
    data = f'{{"conversation_id":"{machine_id(person)}","flow_version":1,"fields":{{}}}}'
    return RowChange("conversation_states", (person, person, flow), ("nickname", data, NOON, moved_at, NOON + 1))


def waiting(person: int, flow: str) -> Waiting:
    return Waiting(person, person, flow, ConversationId(bytes.fromhex(machine_id(person).replace("-", ""))))


async def test_who_waits_is_given_in_order_and_page_by_page(journal: JournalStore) -> None:
    """Open conversations that have not moved on since a moment come by person, chat and flow, behind the last one."""
    scribe = Scribe()
    for person in reversed(PEOPLE):
        rows = [open_since(person, flow, NOON - 1) for flow in ("edit", "add")]
        await write(journal, scribe.append(inbound(1, person=person), rows=rows))

    everybody = [waiting(person, flow) for person in PEOPLE for flow in ("add", "edit")]
    first = await journal.waiting(NOON, Waiting(), 4)
    rest = await journal.waiting(NOON, first[-1], 4)

    assert [*first, *rest] == everybody
    assert await journal.waiting(NOON, rest[-1], 4) == []


async def test_who_moved_on_after_the_moment_does_not_wait(journal: JournalStore) -> None:
    """The very moment still counts as before; a microsecond later does not."""
    scribe = Scribe()
    for person, moved_at in zip(PEOPLE, (NOON - 1, NOON, NOON + 1), strict=True):
        await write(journal, scribe.append(inbound(1, person=person), rows=[open_since(person, "add", moved_at)]))

    assert [one.user_id for one in await journal.waiting(NOON, Waiting(), 10)] == [7, 8]


async def test_who_spoke_between_two_moments_is_given_once_and_page_by_page(journal: JournalStore) -> None:
    """Each thread comes once, in the order of the threads, however much was said in it."""
    scribe = Scribe()
    received = {}
    for update, person in enumerate((*PEOPLE, *PEOPLE), start=1):
        append = scribe.append(inbound(update, person=person))
        received[person] = append.record.received_at
        await write(journal, append)
    first, last = min(received.values()), max(received.values())
    threads = sorted(map(thread, PEOPLE))

    page = await journal.threads_between(first, last, ThreadId(b""), 2)
    assert [*page, *await journal.threads_between(first, last, page[-1], 2)] == threads
    assert await journal.threads_between(last + 1, last + 2, ThreadId(b""), 2) == []


async def test_one_wanted_photo_is_read_by_its_event(journal: JournalStore) -> None:
    """A row of `photos_wanted` comes alone, as it was put; one that is not there is none."""
    row = RowChange("photos_wanted", (machine_id(1),), (7, 7, "file", 9))
    await write(journal, Scribe().append(inbound(1), rows=[row]))

    assert await journal.row("photos_wanted", (machine_id(1),)) == row
    assert await journal.row("photos_wanted", (machine_id(2),)) is None

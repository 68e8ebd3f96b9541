"""What every journal does with inputs set aside, with photos' bytes, and with the photos still wanted."""

from hashlib import sha256

from holdfast.domain.ports import RowChange
from holdfast.infrastructure.log.stores import BlobWrite, JournalStore, MetaWrite, ReplayedWrite
from tests.conformance.backends import Backend, Reopen
from tests.conformance.clocks import NOON
from tests.conformance.scribe import (
    ADA,
    BEN,
    Scribe,
    behind,
    commit,
    inbound,
    machine_id,
    set_aside,
    thread,
    write,
)

CONTENT = bytes(range(256)) * 400
DIGEST = sha256(CONTENT).digest()


def wanted(number: int, file_id: str = "file") -> RowChange:
    """A row of `photos_wanted`."""
    return RowChange("photos_wanted", (machine_id(number),), (ADA, ADA, file_id, 1 << 40))


def no_longer(number: int) -> RowChange:
    """The same row taken away."""
    return RowChange("photos_wanted", (machine_id(number),), None)


async def test_what_is_set_aside_is_read_oldest_first(journal: JournalStore) -> None:
    """Each input in quarantine comes back byte for byte, in the order in which it came."""
    odd = [set_aside("z", b"{"), set_aside("a", bytes(range(256))), set_aside("m", b"")]
    await write(journal, *odd)

    assert await journal.quarantine() == [one.item for one in odd]


async def test_an_input_is_set_aside_once(journal: JournalStore) -> None:
    """A second input of the same name leaves the first as it is."""
    await write(journal, set_aside("one", b"first"), set_aside("one", b"second"))
    await write(journal, set_aside("one", b"third"))

    assert [item.raw for item in await journal.quarantine()] == [b"first"]
    assert await journal.counts() == (0, 0, 1)


async def test_what_was_taken_in_after_all_is_remembered(journal: JournalStore) -> None:
    """The time of the replay stands beside the one it concerns, which is kept with its bytes."""
    await write(journal, set_aside("one"), set_aside("two"))
    await write(journal, ReplayedWrite("two", NOON + 5))

    assert [(item.dedup_key, item.replayed_at) for item in await journal.quarantine()] == [
        ("one", None),
        ("two", NOON + 5),
    ]
    assert [item.raw for item in await journal.quarantine()] == [b"{}", b"{}"]


async def test_settling_what_was_never_set_aside_does_nothing(journal: JournalStore) -> None:
    """An unknown name is no error, and its neighbours in the batch are written."""
    outcomes = await commit(journal, ReplayedWrite("nobody", NOON), MetaWrite("name", "value"))

    assert outcomes == [None, None]
    assert await journal.quarantine() == []


async def test_an_input_that_comes_again_stays_settled(journal: JournalStore) -> None:
    """What was taken in and is set aside once more, by a redelivery, does not wait again."""
    await write(journal, set_aside("one"), ReplayedWrite("one", NOON))
    await write(journal, set_aside("one"))

    assert [item.replayed_at for item in await journal.quarantine()] == [NOON]


async def test_bytes_are_kept_by_person_and_digest(journal: JournalStore) -> None:
    """A photo is found by its thread and digest, and by no other."""
    await write(journal, BlobWrite(thread(), DIGEST, CONTENT, NOON))

    assert await journal.blob(thread(), DIGEST) == CONTENT
    assert await journal.blob(thread(BEN), DIGEST) is None
    assert await journal.blob(thread(), bytes(32)) is None


async def test_bytes_kept_twice_are_kept_once(journal: JournalStore) -> None:
    """Keeping the same bytes again, as after a crash, is no error."""
    await write(journal, BlobWrite(thread(), DIGEST, CONTENT, NOON), BlobWrite(thread(), DIGEST, CONTENT, NOON))
    await write(journal, BlobWrite(thread(), DIGEST, CONTENT, NOON + 1), BlobWrite(thread(BEN), DIGEST, CONTENT, NOON))

    assert await journal.blob(thread(), DIGEST) == await journal.blob(thread(BEN), DIGEST) == CONTENT


async def test_an_empty_picture_is_kept_too(journal: JournalStore) -> None:
    """No bytes at all are told from none kept."""
    digest = sha256(b"").digest()
    await write(journal, BlobWrite(thread(), digest, b"", NOON))

    assert await journal.blob(thread(), digest) == b""


async def test_a_wanted_photo_is_a_row_of_its_turn(journal: JournalStore) -> None:
    """The row comes with the event, may change, and goes with the event that tells of the bytes."""
    scribe = Scribe()
    await write(journal, scribe.append(inbound(1), rows=[wanted(1), wanted(2)]))
    both = await journal.rows("photos_wanted")
    await write(journal, scribe.append(inbound(2), rows=[wanted(2, "other"), no_longer(1)]))

    assert both == [wanted(1), wanted(2)]
    assert await journal.rows("photos_wanted") == [wanted(2, "other")]
    await write(journal, scribe.append(inbound(3), rows=[no_longer(2), no_longer(9)]))
    assert await journal.rows("photos_wanted") == []


async def test_a_conflict_wants_no_photo(journal: JournalStore) -> None:
    """A turn that was not written leaves no row behind."""
    scribe = Scribe()
    first = scribe.append(inbound(1))
    await write(journal, first)
    await commit(journal, scribe.append(inbound(2), rows=[wanted(1)], on=behind(first.head, rev=9)))

    assert await journal.rows("photos_wanted") == []


async def test_all_of_it_outlives_a_restart(backend: Backend, journal: JournalStore, reopen: Reopen) -> None:
    """The next process finds what was set aside, settled, kept and wanted."""
    await write(journal, set_aside("one"), set_aside("two"), ReplayedWrite("one", NOON))
    await write(journal, BlobWrite(thread(), DIGEST, CONTENT, NOON), Scribe().append(inbound(1), rows=[wanted(1)]))
    again, _ = await reopen(journal)

    assert [item.replayed_at for item in await again.quarantine()] == [NOON, None]
    assert await again.blob(thread(), DIGEST) == CONTENT
    assert await again.rows("photos_wanted") == [wanted(1)]

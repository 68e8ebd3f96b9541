"""An application's events as events of the log: which thread, which key, what is sealed, and what an append checks."""

from collections.abc import Sequence
from uuid import UUID

from eventsourcing.persistence import DataError, Notification, StoredEvent
from msgspec import Struct

from holdfast.domain.errors import BrokenLog, Conflict
from holdfast.domain.event import Facts
from holdfast.domain.ids import ThreadId, thread_of_aggregate
from holdfast.domain.kinds import Kind
from holdfast.domain.ports import Head
from holdfast.domain.reading import Reader
from holdfast.infrastructure.log.codec import Codec
from holdfast.infrastructure.log.envelope import Record
from holdfast.infrastructure.log.mint import Fact, Mint
from holdfast.infrastructure.log.stores import AppendWrite

GREATEST = 2**63 - 1
"""The greatest version and the greatest place there can be."""

_UUID, _TEXT = "uuid", "text"


class Entry(Struct, frozen=True):
    """One stored event for one series. `upwards`: its version must be above all that its originator has there."""

    series: str
    stored: StoredEvent
    thread_id: ThreadId
    key: str
    upwards: bool = False


class Content(Struct, frozen=True):
    """What is sealed: whose event it is, of which topic, and the state as the application's mapper made it."""

    originator_id: str
    id_type: str
    topic: str
    state: bytes


class Standing(Struct, frozen=True):
    """What an append is checked against, read where nobody else can write.

    `last` are the greatest places by series; `taken` those of the asked keys that are there; `latest` the greatest
    keys of the threads whose entries go upwards.
    """

    last: dict[str, int]
    heads: dict[ThreadId, Head]
    taken: set[tuple[ThreadId, str]]
    latest: dict[ThreadId, str]


_contents = Reader(Content)


def thread_of(series: str, originator_id: UUID | str) -> ThreadId:
    """Name an originator's thread within a series."""
    return thread_of_aggregate(series, str(originator_id))


def key_of(version: int) -> str:
    """Write an originator's version as the key of its event, such that keys sort as versions do; DataError."""
    if not 0 <= version <= GREATEST:
        raise DataError(f"an originator's version is a number from 0 to {GREATEST}, not {version}")
    return f"aggregate:{version:019d}"


def entry_of(series: str, stored: StoredEvent, *, upwards: bool = False) -> Entry:
    """Say where in the log a stored event belongs; DataError for a version that is none."""
    return Entry(series, stored, thread_of(series, stored.originator_id), key_of(stored.originator_version), upwards)


def version_in(key: str) -> int:
    """Read the version back."""
    return int(key.rpartition(":")[2])


def plan(entries: Sequence[Entry], standing: Standing, mint: Mint) -> list[AppendWrite]:
    """Mint entries in their order, each on top of the one before; Conflict when a version is there already.

    The origin order of each record is its place in its series: 1 and up, without gaps.
    """
    writes = []
    for entry in entries:
        _check(standing, entry)
        standing.taken.add((entry.thread_id, entry.key))
        standing.latest[entry.thread_id] = entry.key
        standing.last[entry.series] += 1
        head = standing.heads.get(entry.thread_id, Head())
        record = mint.fact(_fact(entry, standing.last[entry.series]), head)
        standing.heads[entry.thread_id] = _on_top(head, record)
        writes.append(AppendWrite(record, head, standing.heads[entry.thread_id], (), owes_reply=False))
    return writes


def _check(standing: Standing, entry: Entry) -> None:
    if (entry.thread_id, entry.key) in standing.taken:
        raise Conflict(f"version {entry.stored.originator_version} of an originator is there already")
    if entry.upwards and entry.key <= standing.latest.get(entry.thread_id, ""):
        raise Conflict(f"{entry.stored.originator_version} is not above what was tracked before")


def _fact(entry: Entry, place: int) -> Fact:
    stored = entry.stored
    id_type = _UUID if isinstance(stored.originator_id, UUID) else _TEXT
    return Fact(
        thread_id=entry.thread_id,
        kind=Kind.RECORDED.value,
        order=place,
        dedup_key=entry.key,
        facts=Facts(series=entry.series),
        content=Content(str(stored.originator_id), id_type, stored.topic, stored.state),
    )


def _on_top(head: Head, record: Record) -> Head:
    return Head(
        rev=head.rev + 1,
        version=record.version,
        ots=record.ots,
        head_ids=(record.event_id,),
        head_hashes=(record.hash,),
        last_conversation_id=head.last_conversation_id,
    )


def _content(codec: Codec, record: Record) -> Content | None:
    opened = codec.open(record)
    if opened is None:
        return None
    try:
        return _contents.read(opened[1])
    except ValueError:
        raise BrokenLog(f"event {record.event_id.hex()} holds no stored event") from None


def _originator(content: Content) -> UUID | str:
    return UUID(content.originator_id) if content.id_type == _UUID else content.originator_id


def stored_event(codec: Codec, record: Record) -> StoredEvent:
    """Read a record back; DataError when what it held was erased, BrokenLog, KeyMissing."""
    content = _content(codec, record)
    if content is None:
        raise DataError(f"version {version_in(record.dedup_key)} of an originator was erased")
    return StoredEvent(_originator(content), version_in(record.dedup_key), content.topic, content.state)


def notification(codec: Codec, record: Record) -> Notification | None:
    """Read a record back with its place in the series; None when what it held was erased. BrokenLog, KeyMissing."""
    content = _content(codec, record)
    if content is None:
        return None
    version = version_in(record.dedup_key)
    return Notification(_originator(content), version, content.topic, content.state, record.ots)

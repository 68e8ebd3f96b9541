import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from msgspec.structs import replace

from holdfast.domain.event import Words
from holdfast.domain.ids import as_text
from holdfast.infrastructure.log.envelope import Record
from holdfast.infrastructure.log.export import export_lines
from holdfast.infrastructure.log.memory import MemoryJournal
from holdfast.infrastructure.log.stores import AppendWrite, JournalStore
from tests.conformance.scribe import (
    ADA,
    BEN,
    Scribe,
    answered,
    behind,
    codec,
    inbound,
    noted,
    set_aside,
    started,
    thread,
    write,
)
from tests.infrastructure import auditor
from tests.infrastructure.files import hand_on, journal
from tests.infrastructure.json_values import words

KEY = bytes(range(32))
SHOWN = {*Record._fields, "salt", "duplicate_of"}


@pytest.fixture
async def memory() -> AsyncIterator[MemoryJournal]:
    store = MemoryJournal()
    await store.open()
    yield store
    await store.close()


async def lines_of(store: JournalStore, key: bytes | None = None) -> list[str]:
    return [line async for line in export_lines(store, codec(key))]


def read(lines: list[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines]


async def test_an_empty_log_is_no_line(memory: MemoryJournal) -> None:
    """Where nothing was said nothing is exported, and what stands in quarantine is no event."""
    await write(memory, set_aside("odd"))

    assert await lines_of(memory) == []


async def test_every_column_stands_in_a_line(memory: MemoryJournal) -> None:
    """A line has each field of an event, with facts and words as JSON and ids as UUIDs."""
    scribe = Scribe()
    said = inbound(1, "Press 4 \u2028 \n \0 😀 \ud800")
    turn = scribe.append(said, started(said))
    await write(memory, turn, scribe.delivery(turn.record))
    record = turn.record

    [text] = await lines_of(memory)
    [line] = read([text])

    assert line.keys() == SHOWN
    assert "\n" not in text
    assert text == json.dumps(line, ensure_ascii=False, separators=(",", ":"), sort_keys=True).replace(
        "\ud800", r"\ud800"
    )
    assert (line["event_id"], line["thread_id"]) == (as_text(record.event_id), as_text(record.thread_id))
    assert (line["parents"], line["duplicate_of"]) == ([], None)
    assert (line["hash"], line["commitment"]) == (record.hash.hex(), record.commitment.hex())
    assert line["facts"] == json.loads(record.facts)
    assert line["payload"]["said"]["text"] == said.said.text
    assert len(bytes.fromhex(line["salt"])) == 32


async def test_lines_stand_in_canonical_order(memory: MemoryJournal) -> None:
    """Thread after thread, the events come by origin order, version and id, however they were stored."""
    scribe = Scribe()
    first = scribe.append(inbound(5))
    late = scribe.append(inbound(3), on=behind(first.head, ots=-1, version=0, head_ids=(), head_hashes=()))
    both = behind(first.head, rev=2, head_ids=(first.record.event_id, late.record.event_id))
    other = scribe.append(inbound(4, person=BEN))
    await write(memory, first, AppendWrite(late.record, first.head, both, (), owes_reply=True), other)

    lines = read(await lines_of(memory))

    assert [line["ots"] for line in lines if line["thread_id"] == as_text(thread())] == [3, 5]
    assert [line["thread_id"] for line in lines] == sorted(line["thread_id"] for line in lines)


async def test_a_second_copy_of_an_input_is_marked(memory: MemoryJournal) -> None:
    """Of the copies of one input the accepted one that had seen most counts, and each other names it."""
    scribe = Scribe()
    stray = scribe.append(inbound(1))
    accepted = scribe.append(inbound(1), started(inbound(1)))
    again = scribe.append(inbound(1), answered(inbound(1), accepted.record.conversation_id))
    await write(memory, stray, accepted, again, scribe.append(inbound(2)))

    marks = {line["event_id"]: line["duplicate_of"] for line in read(await lines_of(memory))}

    counts = as_text(again.record.event_id)
    assert marks.pop(as_text(stray.record.event_id)) == counts
    assert marks.pop(as_text(accepted.record.event_id)) == counts
    assert list(marks.values()) == [None, None]


async def story(store: JournalStore, key: bytes | None = None) -> None:
    """Two people, odd signs, a long text, and a fork that was merged."""
    scribe = Scribe(by=codec(key))
    start = scribe.append(inbound(1, '\ud800 \x00 \u2028 😀 \\ " </b>'), started(inbound(1)))
    long = scribe.append(inbound(2, "A long story. " * 300))
    side = scribe.append(inbound(3, "aside"), on=start.head)
    ends = (long.record, side.record)
    forked = behind(
        long.head, rev=3, head_ids=tuple(end.event_id for end in ends), head_hashes=tuple(end.hash for end in ends)
    )
    merged = scribe.append(inbound(4), on=forked)
    fork = AppendWrite(side.record, long.head, forked, (), owes_reply=True)
    await write(store, start, long, fork, merged, scribe.append(inbound(5, person=BEN)))


@pytest.mark.parametrize("key", [None, KEY])
async def test_the_standard_library_is_enough_to_audit(memory: MemoryJournal, key: bytes | None) -> None:
    """From its lines alone an auditor computes every hash and every commitment of the log."""
    await story(memory, key)
    lines = await lines_of(memory, key)

    assert len(lines) == 5
    assert auditor.faults(lines) == []


@given(words)
@settings(max_examples=50)
def test_any_words_can_be_audited(content: Words) -> None:
    """Whatever a person said, the commitment to it holds when it is computed from the exported line."""

    async def export() -> list[str]:
        store = MemoryJournal()
        await store.open()
        draft = noted(inbound(1))
        await write(store, Scribe().append(inbound(1), replace(draft, words=content)))
        return await lines_of(store)

    assert auditor.faults(asyncio.run(export())) == []


@pytest.mark.parametrize(
    ("place", "fault"),
    [
        (("payload", "said", "text"), "commitment"),
        (("salt",), "commitment"),
        (("facts", "rule"), "hash"),
        (("occurred_at",), "hash"),
        (("hash",), "hash"),
        (("commitment",), "hash"),
    ],
)
async def test_an_auditor_sees_what_was_changed(memory: MemoryJournal, place: tuple[str, ...], fault: str) -> None:
    """A field that is changed in an export does not fit its digests any more."""
    await story(memory)
    lines = await lines_of(memory)
    line = json.loads(lines[-1])
    *path, last = place
    inner = line
    for name in path:
        inner = inner[name]
    inner[last] = 7 if last == "occurred_at" else "00" * 32
    lines[-1] = json.dumps(line)

    assert any(found == f"{line['event_id']}: {fault}" for found in auditor.faults(lines))


async def test_an_auditor_misses_what_was_taken_out(memory: MemoryJournal) -> None:
    """A line that is missing is noticed by those that name it as a parent."""
    await story(memory)
    lines = await lines_of(memory)
    named = {parent for line in read(lines) for parent in line["parents"]}
    first = next(place for place, line in enumerate(read(lines)) if line["event_id"] in named)
    del lines[first]

    assert any("a parent is missing" in found for found in auditor.faults(lines))


async def test_locked_words_are_left_out_without_their_key(memory: MemoryJournal) -> None:
    """Without the master key the log is exported with its facts and hashes, its words and salts being null."""
    await story(memory, KEY)
    lines = await lines_of(memory)

    assert [(line["payload"], line["salt"]) for line in read(lines)] == [(None, None)] * 5
    assert auditor.faults(lines) == []


async def test_erased_words_are_left_out(tmp_path: Path) -> None:
    """An event whose words were erased is exported without them, and its hash still holds."""
    path = tmp_path / "local.db"
    store = journal(path)
    await store.open()
    await story(store)
    await store.close()
    with hand_on(path) as connection:
        connection.execute("INSERT INTO erasures VALUES (?, 2000, 0)", (thread(ADA),))
        connection.execute("UPDATE events SET payload = NULL WHERE thread_id = ?", (thread(ADA),))
    reader = journal(path, read_only=True)
    await reader.open()
    lines = await lines_of(reader)
    await reader.close()

    gone = [line["payload"] is None for line in read(lines) if line["thread_id"] == as_text(thread(ADA))]
    assert gone == [True] * 4
    assert auditor.faults(lines) == []


async def test_a_log_is_exported_while_it_grows(tmp_path: Path) -> None:
    """Beside a running bot the export is the log as it stood when the export began, whole and sound."""
    path = tmp_path / "local.db"
    writer, scribe = journal(path), Scribe(seed=8)
    await writer.open()
    await write(writer, *(scribe.append(inbound(update, person=update % 7)) for update in range(1, 100)))
    reader = journal(path, read_only=True)
    await reader.open()
    lines: list[str] = []

    async for line in export_lines(reader, codec()):
        lines.append(line)
        await write(writer, scribe.append(inbound(100 + len(lines), person=len(lines) % 9)))
    await reader.close()

    assert len(lines) == 99
    assert auditor.faults(lines) == []
    assert len(await lines_of(writer)) == 198
    await writer.close()


async def test_an_export_is_the_same_from_any_store(memory: MemoryJournal, tmp_path: Path) -> None:
    """The same log gives the same lines each time, be it in memory or in a file."""
    store = journal(tmp_path / "local.db")
    await store.open()
    await story(memory)
    await story(store)

    assert await lines_of(memory) == await lines_of(store) == await lines_of(store)
    await store.close()

import asyncio
import sqlite3
from pathlib import Path

import pytest

from holdfast.domain.errors import BrokenLog
from holdfast.infrastructure.log.envelope import Record, hash_of
from holdfast.infrastructure.log.stores import AppendWrite
from holdfast.infrastructure.log.verify import Verdict, Verifier
from tests.conformance.scribe import (
    ADA,
    BEN,
    Scribe,
    answered,
    codec,
    inbound,
    started,
    thread,
    write,
)
from tests.infrastructure.files import hand_on, journal

KEY = bytes(range(32))
EVENTS, DELIVERIES = 5, 2
TRIGGERS = [
    f"{table}_{what}"
    for table in ("events", "deliveries")
    for what in ("keep_what_they_say", "lose_words_only_by_an_erasure", "stay")
]


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    """A sound journal: a conversation of four events with two deliveries, and another person's word."""
    await make(tmp_path / "local.db")
    return tmp_path / "local.db"


async def make(path: Path, key: bytes | None = None) -> None:
    store = journal(path)
    opened = await store.open()
    scribe = Scribe(opened.origin, by=codec(key))
    start = scribe.append(inbound(1), started(inbound(1)))
    conversation = start.record.conversation_id
    answer = scribe.append(inbound(2), answered(inbound(2), conversation))
    talk = scribe.append(inbound(3, "A long story. " * 200))
    last = scribe.append(inbound(4))
    fates = [scribe.delivery(start.record), scribe.delivery(answer.record, outcome="blocked")]
    await write(store, start, answer, talk, last, scribe.append(inbound(5, person=BEN)), *fates)
    await store.close()


async def verdict_on(path: Path, key: bytes | None = None) -> Verdict:
    store = journal(path, read_only=True)
    await store.open()
    try:
        return await Verifier(store, codec(key)).verify()
    finally:
        await store.close()


def behind_our_back(path: Path, *statements: str) -> None:
    """Change a journal as somebody can who has its file: without the triggers."""
    with hand_on(path) as connection:
        for trigger in TRIGGERS:
            connection.execute(f"DROP TRIGGER {trigger}")
        for sql in statements:
            changed = connection.execute(sql).rowcount
            assert changed > 0, sql


def expect_problems(verdict: Verdict, *says: str) -> None:
    told = "\n".join(verdict.problems)
    assert verdict.problems
    for one in says:
        assert one in told


async def test_a_sound_log_passes(path: Path) -> None:
    """Every event and every delivery is counted, and nothing is found."""
    assert await verdict_on(path) == Verdict(events=EVENTS, deliveries=DELIVERIES, problems=[])


async def test_an_empty_log_passes(tmp_path: Path) -> None:
    """Where nothing was said there is nothing wrong."""
    await journal(tmp_path / "local.db").open_and_close()

    assert await verdict_on(tmp_path / "local.db") == Verdict(problems=[])


@pytest.mark.parametrize("key", [KEY, None])
async def test_locked_words_are_sealed_to_who_has_no_key(tmp_path: Path, key: bytes | None) -> None:
    """With the key all words are checked, without it they count as sealed, and the hashes hold either way."""
    await make(tmp_path / "local.db", KEY)
    sealed = 0 if key else EVENTS + DELIVERIES

    found = await verdict_on(tmp_path / "local.db", key)

    assert found == Verdict(events=EVENTS, deliveries=DELIVERIES, sealed=sealed, problems=[])


@pytest.mark.parametrize("key", [KEY, None])
async def test_a_change_to_a_locked_log_is_found_without_the_key(tmp_path: Path, key: bytes | None) -> None:
    """Whoever has no key still sees that a fact was changed."""
    await make(tmp_path / "local.db", KEY)
    behind_our_back(tmp_path / "local.db", "UPDATE events SET occurred_at = 7 WHERE pos = 2")

    expect_problems(await verdict_on(tmp_path / "local.db", key), "is not what its hash says")


async def test_changed_locked_words_are_found_with_the_key(tmp_path: Path) -> None:
    """A bit turned in encrypted words is a problem, not a crash."""
    await make(tmp_path / "local.db", KEY)
    behind_our_back(
        tmp_path / "local.db",
        "UPDATE events SET payload = CAST(substr(payload, 1, length(payload) - 1) || x'00' AS BLOB) WHERE pos = 1",
    )

    expect_problems(await verdict_on(tmp_path / "local.db", KEY), "were changed")


async def test_an_erasure_is_no_problem(path: Path) -> None:
    """Words that were erased are counted, and the hashes hold without them."""
    with hand_on(path) as connection:
        connection.execute("INSERT INTO erasures VALUES (?, 2000, 0)", (thread(ADA),))
        connection.execute("UPDATE events SET payload = NULL WHERE thread_id = ?", (thread(ADA),))

    assert await verdict_on(path) == Verdict(events=EVENTS, deliveries=DELIVERIES, erased=4, problems=[])


WORDS = [
    "UPDATE events SET payload = CAST(replace(CAST(payload AS TEXT), 'Press 4', 'Press 5') AS BLOB) WHERE pos = 2",
    "UPDATE events SET payload = (SELECT payload FROM events WHERE pos = 4) WHERE pos = 2",
    "UPDATE events SET payload = x'' WHERE pos = 2",
    "UPDATE events SET payload = x'01020304' WHERE pos = 2",
    "UPDATE events SET payload = substr(payload, 1, 60) WHERE pos = 3",
    "UPDATE events SET payload = CAST(x'00' || randomblob(200) AS BLOB) WHERE pos = 1",
    "UPDATE deliveries SET payload = CAST(x'00' || randomblob(200) AS BLOB) WHERE pos = 1",
    "UPDATE deliveries SET payload = (SELECT payload FROM deliveries WHERE pos = 2) WHERE pos = 1",
]


@pytest.mark.parametrize("sql", WORDS)
async def test_changed_words_are_found(path: Path, sql: str) -> None:
    """Words that are not those an event was committed to are a problem, however little was changed."""
    behind_our_back(path, sql)

    expect_problems(await verdict_on(path))


VALUES = {
    "kind": "'answer.skipped'",
    "kind_version": "2",
    "version": "7",
    "ots": "99",
    "dedup_key": "'tg:42:99:7:99'",
    "occurred_at": "occurred_at + 1",
    "received_at": "received_at + 1",
    "origin_seq": "origin_seq + 1",
    "facts": "'{}'",
    "event_id": "randomblob(16)",
    "thread_id": "(SELECT thread_id FROM events WHERE pos = 5)",
    "conversation_id": "randomblob(16)",
    "origin": "randomblob(16)",
    "parents": "randomblob(16)",
    "commitment": "randomblob(32)",
    "hash": "randomblob(32)",
}


@pytest.mark.parametrize("table", ["events", "deliveries"])
@pytest.mark.parametrize("column", [name for name in Record._fields if name != "payload"])
async def test_a_change_to_any_column_is_found(path: Path, table: str, column: str) -> None:
    """There is no column of an event or a delivery that could be changed unnoticed."""
    behind_our_back(path, f"UPDATE {table} SET {column} = {VALUES[column]} WHERE pos = 2")  # noqa: S608 - our names

    expect_problems(await verdict_on(path))


@pytest.mark.parametrize("facts", ["'{'", "'null'", "''"])
async def test_facts_that_cannot_be_read_are_found(path: Path, facts: str) -> None:
    """Facts that are no JSON are a problem, not a crash."""
    behind_our_back(path, f"UPDATE events SET facts = {facts} WHERE pos = 2")  # noqa: S608 - our values

    expect_problems(await verdict_on(path), "is not what its hash says")


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("DELETE FROM events WHERE pos = 4", "does not end where its head says"),
        ("DELETE FROM events WHERE pos = 2", "names a parent that is not there"),
        ("DELETE FROM events WHERE pos = 1", "names a parent that is not there"),
        ("DELETE FROM events WHERE pos < 5", "does not end where its head says"),
        ("DELETE FROM heads WHERE undelivered > 1", "but not all in a thread"),
        ("UPDATE heads SET head_ids = randomblob(16)", "does not end where its head says"),
    ],
)
async def test_what_was_taken_away_is_found(path: Path, sql: str, says: str) -> None:
    """An event that is gone is missed, be it the first, the last, one between, or all; and so is a head."""
    behind_our_back(path, sql)

    expect_problems(await verdict_on(path), says)


async def test_a_thread_whose_end_is_gone_is_not_gone_on_with(path: Path) -> None:
    """A thread whose head names an event that is not there is refused by name when it is loaded."""
    behind_our_back(path, "DELETE FROM events WHERE pos = 4")
    store = journal(path)
    await store.open()

    with pytest.raises(BrokenLog, match="names an event that is not there"):
        await store.snapshot(thread(), "no such input", ADA)
    assert (await store.snapshot(thread(BEN), "no such input", BEN)).head.rev == 1

    await store.close()


async def test_an_event_put_in_by_hand_is_found(path: Path) -> None:
    """An event with sound digests that no head names does not pass for one of the thread."""
    record = Scribe(seed=9).append(inbound(2, "I never said this")).record
    put(path, record)

    expect_problems(await verdict_on(path), "does not end where its head says")


async def test_a_rewritten_event_is_found_by_those_after_it(path: Path) -> None:
    """Whoever rewrites an event with its commitment and its hash must rewrite all that follow it, too."""
    with hand_on(path) as connection:
        old = the_record(connection, 1)
    forged = Scribe(seed=9).append(inbound(1, "Something else"), started(inbound(1))).record
    forged = forged._replace(event_id=old.event_id)
    behind_our_back(path, "DELETE FROM events WHERE pos = 1")
    put(path, forged)

    expect_problems(await verdict_on(path), "is not what its hash says")


async def test_an_event_that_does_not_follow_its_parents_is_found(tmp_path: Path) -> None:
    """A version that leaves a gap is a problem, also when the event's own hash holds."""
    store, scribe = journal(tmp_path / "local.db"), Scribe()
    await store.open()
    first, second = scribe.append(inbound(1)), scribe.append(inbound(2))
    leap = second.record._replace(version=7)
    leap = leap._replace(hash=hash_of(leap, [first.record.hash]))
    await write(store, first, AppendWrite(leap, second.expected, second.head, (), owes_reply=True))
    await store.close()

    expect_problems(await verdict_on(tmp_path / "local.db"), "does not follow its parents' versions")


def the_record(connection: sqlite3.Connection, pos: int) -> Record:
    columns = ", ".join(Record._fields)
    row = connection.execute(f"SELECT {columns} FROM events WHERE pos = ?", (pos,)).fetchone()  # noqa: S608 - our names
    return Record(*row)


def put(path: Path, record: Record) -> None:
    columns, marks = ", ".join(Record._fields), ", ".join("?" for _ in record)
    with hand_on(path) as connection:
        connection.execute(f"INSERT INTO events ({columns}) VALUES ({marks})", record)  # noqa: S608 - our names


async def test_every_problem_names_its_event(path: Path) -> None:
    """What is found can be looked up: each problem tells the event or the thread it is about."""
    behind_our_back(path, "UPDATE events SET occurred_at = 7", "UPDATE events SET payload = x'' WHERE pos < 3")
    found = await verdict_on(path)

    assert len(found.problems) == EVENTS + 2
    assert all(any(len(word.strip(":")) == 36 for word in problem.split()) for problem in found.problems)


async def test_a_busy_log_passes(path: Path) -> None:
    """While a bot goes on writing, its log is verified as it stood, and nothing is found."""
    writer, scribe = journal(path), Scribe(seed=8)
    await writer.open()
    turns = [scribe.append(inbound(update, person=update % 7 + 100)) for update in range(100, 300)]

    async def write_on() -> None:
        for turn in turns:
            await write(writer, turn, scribe.delivery(turn.record))

    writing = asyncio.create_task(write_on())
    verdicts = await asyncio.gather(*(verdict_on(path) for _ in range(5)))
    await writing
    await writer.close()

    assert [found.problems for found in verdicts] == [[]] * 5
    assert (await verdict_on(path)).events == EVENTS + len(turns)


async def test_a_delivery_that_was_taken_away_is_found(path: Path) -> None:
    """Without its delivery a reply is owed again, and the head says otherwise."""
    behind_our_back(path, "DELETE FROM deliveries WHERE pos = 1")

    expect_problems(await verdict_on(path), "is owed 3 replies")


async def test_words_that_went_without_an_erasure_are_found(path: Path) -> None:
    """A payload set to NULL is no erasure as long as nobody asked for one."""
    behind_our_back(path, "UPDATE events SET payload = NULL WHERE pos = 2")

    expect_problems(await verdict_on(path), "nobody asked for it")


async def test_words_that_went_by_an_erasure_are_no_problem(path: Path) -> None:
    """After an erasure the words are gone, and everything still holds."""
    with hand_on(path) as connection:
        [(person,)] = connection.execute("SELECT thread_id FROM events WHERE pos = 2").fetchall()
        connection.execute("INSERT INTO erasures VALUES (?, 1, 1)", (person,))
        connection.execute("UPDATE events SET payload = NULL WHERE pos = 2")

    verdict = await verdict_on(path)
    assert (verdict.erased, verdict.problems) == (1, [])

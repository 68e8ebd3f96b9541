import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.conformance.scribe import ADA, BEN, set_aside, thread, write
from tests.infrastructure.files import ProbedJournal, filled, journal

LOG_TABLES = ("events", "deliveries")
COLUMNS = (
    *("pos", "event_id", "thread_id", "conversation_id", "kind", "kind_version", "version", "ots", "parents"),
    *("origin", "origin_seq", "dedup_key", "occurred_at", "received_at", "facts", "commitment", "hash"),
)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[ProbedJournal]:
    """A journal with two events and a delivery of each of a few people."""
    await filled(tmp_path / "local.db", people=BEN)
    store = journal(tmp_path / "local.db")
    await store.open()
    yield store
    await store.close()


async def everything(store: ProbedJournal) -> list[list[object]]:
    return [await store.ask(f"SELECT * FROM {table} ORDER BY pos") for table in LOG_TABLES]  # noqa: S608 - our names


async def expect_refusal(store: ProbedJournal, sql: str, *values: object) -> None:
    before = await everything(store)
    with pytest.raises(sqlite3.IntegrityError, match="are append-only"):
        await store.ask(sql, *values)
    assert await everything(store) == before


@pytest.mark.parametrize("table", LOG_TABLES)
async def test_no_column_can_be_changed(store: ProbedJournal, table: str) -> None:
    """The database refuses to change any column of an event or a delivery, even to the value it has."""
    for column in (*COLUMNS, "answers") if table == "deliveries" else COLUMNS:
        await expect_refusal(store, f"UPDATE {table} SET {column} = {column}")  # noqa: S608 - our names


async def test_an_input_set_aside_keeps_its_first_form(store: ProbedJournal) -> None:
    """What was put into quarantine is not replaced by a later form of the same input."""
    await write(store, set_aside("odd", b"[1]"))
    await write(store, set_aside("odd", b"[2]"), set_aside("other", b"[3]"))

    assert await store.ask("SELECT raw FROM quarantine ORDER BY pos") == [(b"[1]",), (b"[3]",)]


@pytest.mark.parametrize("table", LOG_TABLES)
async def test_no_row_can_be_taken_away(store: ProbedJournal, table: str) -> None:
    """The database refuses to delete an event or a delivery, whatever the way."""
    await expect_refusal(store, f"DELETE FROM {table}")  # noqa: S608 - our names
    await expect_refusal(store, f"DELETE FROM {table} WHERE pos = 1")  # noqa: S608 - our names
    await expect_refusal(store, f"INSERT OR REPLACE INTO {table} SELECT * FROM {table} WHERE pos = 1")  # noqa: S608 - our names


@pytest.mark.parametrize("table", LOG_TABLES)
@pytest.mark.parametrize("value", ["NULL", "x'00'", "payload"])
async def test_words_stay_without_an_erasure(store: ProbedJournal, table: str, value: str) -> None:
    """Nobody who did not ask to be forgotten loses words, or has others put in their place."""
    await expect_refusal(store, f"UPDATE {table} SET payload = {value}")  # noqa: S608 - our names


@pytest.mark.parametrize("table", LOG_TABLES)
async def test_an_erasure_takes_words_and_nothing_else(store: ProbedJournal, table: str) -> None:
    """With an erasure a person's payloads can become NULL; other columns, values and people stay protected."""
    await store.ask("INSERT INTO erasures (thread_id, upto, requested_at) VALUES (?, 2000, 0)", thread(ADA))

    await expect_refusal(store, f"UPDATE {table} SET payload = x'00' WHERE thread_id = ?", thread(ADA))  # noqa: S608 - our names
    await expect_refusal(store, f"UPDATE {table} SET payload = NULL, facts = '{{}}' WHERE thread_id = ?", thread(ADA))  # noqa: S608 - our names
    await expect_refusal(store, f"UPDATE {table} SET payload = NULL WHERE thread_id = ?", thread(BEN))  # noqa: S608 - our names
    await expect_refusal(store, f"DELETE FROM {table} WHERE thread_id = ?", thread(ADA))  # noqa: S608 - our names
    await store.ask(f"UPDATE {table} SET payload = NULL WHERE thread_id = ?", thread(ADA))  # noqa: S608 - our names

    left = await store.ask(f"SELECT DISTINCT thread_id = ?, payload IS NULL FROM {table}", thread(ADA))  # noqa: S608 - our names
    assert sorted(left) == [(0, 0), (1, 1)]

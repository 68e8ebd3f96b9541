"""Looking at what applications left, with the log's own eyes."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from holdfast.domain.ports import Head
from holdfast.infrastructure.clock import SystemClock, system_randomness
from holdfast.infrastructure.log.codec import Codec
from holdfast.infrastructure.log.envelope import Record
from holdfast.infrastructure.log.export import export_lines
from holdfast.infrastructure.log.journal import SqliteJournal
from holdfast.infrastructure.log.keys import Keyring
from holdfast.infrastructure.log.stores import Cursor
from holdfast.infrastructure.log.union import Refolding
from holdfast.infrastructure.log.verify import Verifier
from holdfast.infrastructure.tiers.postgres import PostgresTier
from holdfast.infrastructure.tiers.store import Place
from holdfast.projections.fold import rows_of
from tests.conformance.scribe import BOT, ORIGIN
from tests.conformance.tiers import LONG
from tests.domain.given import FLOWS

KEY = bytes(range(32))
MOST = 10_000


def codec(key: bytes | None = None) -> Codec:
    return Codec(Keyring(key, system_randomness))


async def proven(path: Path, key: bytes | None = None) -> list[dict[str, Any]]:
    """Check a journal, and give its export line by line."""
    journal = SqliteJournal(path, SystemClock(), system_randomness, read_only=True)
    await journal.open()
    try:
        verdict = await Verifier(journal, codec(key)).verify()
        assert verdict.problems == []
        lines = [json.loads(line) async for line in export_lines(journal, codec(key))]
        assert verdict.events == len(lines)
        return lines
    finally:
        await journal.close()


async def recorded_on(dsn: str) -> Sequence[Record]:
    """Read the tail of a tier, as a bot's worker pulls it."""
    tier = PostgresTier("one", dsn)
    await tier.open(BOT, LONG)
    try:
        return (await tier.pull(Place(), ORIGIN, MOST, LONG)).events
    finally:
        await tier.close()


async def push(journal: Path, dsn: str) -> None:
    """Give a tier a whole journal, as its keeper does."""
    store = SqliteJournal(journal, SystemClock(), system_randomness)
    tier = PostgresTier("one", dsn)
    await store.open()
    await tier.open(BOT, LONG)
    try:
        tail = await store.tail(Cursor(), MOST)
        await tier.push([record for _, record in tail.events], [], LONG)
    finally:
        await tier.close()
        await store.close()


async def learn(path: Path, records: Sequence[Record]) -> None:
    """Take records into a journal, thread by thread, folded as a bot's worker folds them."""
    store = SqliteJournal(path, SystemClock(), system_randomness)
    refolding = Refolding(codec(), lambda events: list(rows_of(FLOWS, events).values()))
    await store.open()
    try:
        for thread_id in {record.thread_id for record in records}:
            some = [record for record in records if record.thread_id == thread_id]
            union = refolding.union(thread_id, Head(), (), learned=some)
            assert not union.rows
            assert await store.commit([union]) == [None]
    finally:
        await store.close()

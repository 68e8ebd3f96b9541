"""Bare asyncpg: each turn's rows, written on the tier by one statement, without a batch.

Arguments: the tier's address, how many write at once, how many connections they share.
"""

import asyncio
import re
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import asyncpg

from benchmarks.house import recording
from benchmarks.slices import Slice, many_at_once, serve
from benchmarks.supply import Supply
from holdfast.domain.errors import Conflict
from holdfast.domain.ids import EventId, ThreadId
from holdfast.domain.ports import RowChange
from holdfast.infrastructure.log.envelope import Record, split_ids
from holdfast.infrastructure.log.stores import AppendWrite
from holdfast.infrastructure.tiers import postgres_migrations

_WITHIN = 30.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SQL = dict(re.findall(r"-- name: (\w+)\n(.*?);\n", Path(__file__).with_suffix(".sql").read_text("utf-8"), re.DOTALL))


class Statement(NamedTuple):
    """A turn, ready to be written."""

    name: str
    values: tuple[object, ...]


def statement_of(turn: AppendWrite) -> Statement:
    """Write a turn's parameters as the driver wants them."""
    (row,) = turn.rows
    head = turn.head
    place = (head.rev, _uuids(head.head_ids), _uuid(head.last_conversation_id), int(turn.owes_reply))
    values = (*_columns(turn.record), *place, *row.key, *_times(row))
    return Statement("drop" if row.values is None else "put", values)


def _columns(record: Record) -> tuple[object, ...]:
    conversation, parents = _uuid(record.conversation_id), _uuids(split_ids(record.parents))
    ids = (_uuid(record.event_id), _uuid(record.thread_id), conversation)
    order = (record.kind, record.kind_version, record.version, record.ots, parents)
    return (*ids, *order, _uuid(record.origin), *record[record._fields.index("origin_seq") :])


def _uuid(value: bytes | None) -> UUID | None:
    return UUID(bytes=value) if value else None


def _uuids(ids: Sequence[bytes]) -> list[UUID]:
    return [UUID(bytes=one) for one in ids]


def _times(row: RowChange) -> tuple[object, ...]:
    if row.values is None:
        return ()
    return (*row.values[:2], *(_EPOCH + timedelta(microseconds=int(str(at))) for at in row.values[2:]))


class Writer:
    """Runs statements on a connection of its own, or on any of a pool."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record] | asyncpg.Pool[asyncpg.Record]") -> None:
        """Begin with nothing made ready."""
        self._connection = connection
        self._ready: dict[EventId, Statement] = {}
        self._begun: set[ThreadId] = set()

    async def make_ready(self, writes: Iterable[AppendWrite]) -> None:
        """Write the parameters, and the heads of threads that begin, before the clock runs."""
        turns = list(writes)
        self._ready = {turn.record.event_id: statement_of(turn) for turn in turns}
        threads = {turn.record.thread_id for turn in turns}
        for thread_id in threads - self._begun:
            await self._connection.execute(_SQL["first"], _uuid(thread_id))
        self._begun |= threads

    async def write(self, turn: AppendWrite) -> None:
        """Write one turn."""
        name, values = self._ready[turn.record.event_id]
        if await self._connection.fetchval(_SQL[name], *values) is None:
            raise Conflict


async def main(dsn: str, count: int, connections: int) -> None:
    """Serve slices."""
    await postgres_migrations.migrate(dsn, _WITHIN)
    pool = await asyncpg.create_pool(dsn, min_size=connections, max_size=connections) if connections > 1 else None
    async with recording() as (turns, recorder):
        supply = Supply(turns, recorder, count)
        writer = Writer(pool or await asyncpg.connect(dsn))

        async def turn(seat: int) -> None:
            if write := supply.next(seat):
                await writer.write(write)
            else:
                raise RuntimeError("the supply is used up")

        async def run(seconds: float) -> Slice:
            await supply.refill(seconds)
            await writer.make_ready(chain.from_iterable(supply.writes))
            done = await many_at_once(turn, count, seconds)
            supply.used(done.rate)
            return done

        await serve(run)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))

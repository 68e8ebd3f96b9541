"""A tier as the place of an application's events, reached through the driver that Holdfast has already."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from holdfast.domain.errors import Conflict
from holdfast.domain.ids import OriginId, ThreadId
from holdfast.domain.ports import Clock, Head
from holdfast.infrastructure.eventsourcing.loop_thread import LoopThread
from holdfast.infrastructure.eventsourcing.place import Bell
from holdfast.infrastructure.eventsourcing.series import Entry, Standing, plan
from holdfast.infrastructure.log.codec import Codec
from holdfast.infrastructure.log.envelope import Record
from holdfast.infrastructure.log.mint import Mint, Randomness
from holdfast.infrastructure.log.stores import AppendWrite
from holdfast.infrastructure.sql import statements
from holdfast.infrastructure.tiers import postgres_migrations, wire
from holdfast.infrastructure.tiers.address import read_address
from holdfast.infrastructure.tiers.link import Link, Session
from holdfast.infrastructure.tiers.store import Mark, TierTurn

T = TypeVar("T")
_WITHIN = 15.0
"""Seconds for a call, with its wait for the calls before it and for another process's append."""


class TierPlace:
    """One connection writes and one reads. Its origin is new each time it is opened: it has no file to go on from."""

    def __init__(self, dsn: str, codec: Codec, clock: Clock, randomness: Randomness) -> None:
        """Connect, and migrate where that is allowed; SettingsError, NotMigrated, LogUnavailable."""
        self.codec = codec
        self.bell = Bell()
        address = read_address(dsn)
        self._writer, self._reader = Link("of the application", address), Link("of the application", address)
        self._mint = Mint(codec, clock, randomness, OriginId(randomness(16)), 0)
        self._loop = LoopThread("eventsourcing")
        try:
            self._loop.run(self._open)
        except BaseException:
            self.close()
            raise

    async def _open(self) -> None:
        self._writer.open()
        self._reader.open()
        await self._writer.run(_WITHIN, postgres_migrations.bring_up_to_date)

    def close(self) -> None:
        """Let go of both connections, without waiting for answers."""
        self._loop.run_last(self._let_go)

    async def _let_go(self) -> None:
        self._writer.close()
        self._reader.close()

    def append(self, entries: Sequence[Entry]) -> list[int]:
        """Write all entries or none, in one transaction under the locks of their series."""

        async def call(session: Session) -> list[int]:
            async with session.transaction():
                for series in sorted({entry.series for entry in entries}):
                    await session.rows("lock_series", series)
                writes = plan(entries, await _standing(session, entries), self._mint)
                await _write(session, writes)
            return [write.record.ots for write in writes]

        return self._run(self._writer, call)

    def recorded(
        self, thread_id: ThreadId, keys: tuple[str, str], limit: int | None, *, backwards: bool
    ) -> list[Record]:
        """Read an originator's events."""
        name = "read_recorded_backwards" if backwards else "read_recorded"
        return list(map(wire.as_record, self._rows(name, thread_id, *keys, limit)))

    def series(self, series: str, places: tuple[int, int], limit: int) -> list[Record]:
        """Read some events of a series."""
        return list(map(wire.as_record, self._rows("read_series", series, *places, limit)))

    def last_of_series(self, series: str) -> int:
        """Give the greatest place of a series."""
        return int(self._rows("read_last_of_series", series)[0][0])

    def latest_key(self, thread_id: ThreadId) -> str | None:
        """Give the greatest key of an originator."""
        found = self._rows("read_latest_keys", [thread_id])
        return str(found[0][1]) if found else None

    def _rows(self, name: str, *values: object) -> list[tuple[Any, ...]]:
        return self._run(self._reader, lambda session: session.rows(name, *values))

    def _run(self, link: Link, call: Callable[[Session], Awaitable[T]]) -> T:
        async def run() -> T:
            return await link.run(_WITHIN, call)

        return self._loop.run(run)


async def _standing(session: Session, entries: Sequence[Entry]) -> Standing:
    threads = list({entry.thread_id for entry in entries})
    asked = [(entry.thread_id, entry.key) for entry in entries if not entry.upwards]
    upwards = list({entry.thread_id for entry in entries if entry.upwards})
    heads = await session.rows("read_thread_heads", threads)
    taken = await session.rows("read_taken_keys", *wire.columns(asked)) if asked else []
    latest = await session.rows("read_latest_keys", upwards) if upwards else []
    return Standing(
        last={name: await _last(session, name) for name in {entry.series for entry in entries}},
        heads=dict(map(_head, heads)),
        taken={(thread_id, key) for thread_id, key in taken},
        latest=dict(latest),
    )


async def _last(session: Session, series: str) -> int:
    return int((await session.rows("read_last_of_series", series))[0][0])


def _head(row: tuple[Any, ...]) -> tuple[ThreadId, Head]:
    thread_id, rev, version, ots, head_ids, last, hashes = row
    return thread_id, Head(
        rev=rev,
        version=version,
        ots=ots,
        head_ids=tuple(head_ids),
        head_hashes=tuple(hashes),
        last_conversation_id=last,
    )


async def _write(session: Session, writes: Sequence[AppendWrite]) -> None:
    """Append each as a turn; threads in the order of their identities, as everybody locks them."""
    in_order = sorted(writes, key=lambda write: write.record.thread_id)
    values = [wire.turn_values(_turn(write)) for write in in_order]
    done = await session.fetchmany(statements("tier.sql")["append_turn"], values)
    if not all(row["appended"] for row in done):
        raise Conflict


def _turn(write: AppendWrite) -> TierTurn:
    expected = Mark(write.expected.rev, write.expected.head_ids)
    return TierTurn(write.record, expected, write.rows, write.owes_reply, write.head.last_conversation_id)

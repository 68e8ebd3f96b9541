"""A tier in PostgreSQL."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from operator import itemgetter
from typing import Any, TypeVar

from msgspec.structs import replace

from holdfast.domain.errors import KeyMissing, LogUnavailable, NotExecuted, OtherBot, RowRefused
from holdfast.domain.ids import EventId, OriginId, ThreadId
from holdfast.infrastructure.log.envelope import Record
from holdfast.infrastructure.tiers import postgres_migrations, wire
from holdfast.infrastructure.tiers.address import read_address
from holdfast.infrastructure.tiers.link import Link, Session
from holdfast.infrastructure.tiers.store import (
    HOUR,
    OTHER_KEY,
    Appended,
    Digest,
    Holding,
    Mark,
    Place,
    Pulled,
    Settlement,
    Stale,
    Table,
    TierFacts,
    TierTurn,
    Verdict,
    lane_of,
)

T = TypeVar("T")
_LOOKED_AT = 10
"""How many rows of a tail are looked at for each that may be taken: most are the reader's own."""
_APPENDING = ("append_turn", "append_turns")


class PostgresTier:
    """A tier in one PostgreSQL database, with lanes for turns and one more connection for everything else."""

    def __init__(self, name: str, dsn: str, *, connections: int = 3, pooled: bool = False) -> None:
        """Name it and say where it is; SettingsError when the DSN is none. Nothing is connected yet.

        `connections` is the number of lanes. `pooled`: a transaction pooler stands before it, also where the DSN
        does not show it.
        """
        address = read_address(dsn, name)
        if pooled:
            address = replace(address, pooled=True)
        self.name = name
        self.lanes = connections
        self._lanes = [Link(name, address, _APPENDING) for _ in range(connections)]
        self._side = Link(name, address)

    async def open(self, bot_id: int, within: float) -> TierFacts:
        """Connect, migrate where that is allowed, and make sure that this is a tier for this bot."""
        for link in (*self._lanes, self._side):
            link.open()
        loop = asyncio.get_running_loop()
        end = loop.time() + within
        try:
            await self._reading(within, postgres_migrations.bring_up_to_date)
            await self._connect_lanes(end - loop.time())
            facts = await self.facts(end - loop.time())
            if facts.bot_id is None:
                facts = replace(facts, bot_id=await self._name_bot(bot_id, end - loop.time()))
        except BaseException:
            await self.close()
            raise
        if facts.bot_id != bot_id:
            await self.close()
            raise OtherBot(f"the tier {self.name} belongs to the bot {facts.bot_id}, this is {bot_id}")
        return facts

    async def keep_to_key(self, key: str, within: float) -> None:
        """Go on under the key that words here were written with first."""
        rows = await self._side.run(within, lambda session: session.rows("name_key", key))
        if rows[0][0] != key:
            raise KeyMissing(OTHER_KEY.format(name=self.name))

    @property
    def generation(self) -> int:
        """A number that grows with each connection made."""
        return sum(link.made for link in (*self._lanes, self._side))

    async def close(self) -> None:
        """Let go of every connection, without waiting for answers."""
        for link in (*self._lanes, self._side):
            link.close()

    async def append(self, batch: Sequence[TierTurn], within: float) -> Sequence[Verdict]:
        """Write a batch of turns; when one turn's values break it, each is tried by itself."""
        if not batch:
            return []
        loop = asyncio.get_running_loop()
        end = loop.time() + within
        link = self._lanes[lane_of(batch[0].record.thread_id, self.lanes)]
        try:
            return await _append(link, batch, within)
        except RowRefused as error:
            if len(batch) == 1:
                return [error]
        return [await _append_alone(link, turn, end - loop.time()) for turn in batch]

    async def marks(self, thread_ids: Sequence[ThreadId], within: float) -> Sequence[Mark]:
        """Read where threads stand, in the order asked."""
        if not thread_ids:
            return []
        rows = await self._read(self._link_of(thread_ids), "read_marks", within, thread_ids)
        found = wire.as_marks(rows)
        return [found.get(thread_id, Mark()) for thread_id in thread_ids]

    async def thread(self, thread_id: ThreadId, within: float) -> tuple[tuple[Record, ...], tuple[Record, ...]]:
        """Read a whole thread, as of one moment."""
        rows = await self._read(self._link_of([thread_id]), "read_thread", within, thread_id)
        events = tuple(wire.as_record(row[1:]) for row in rows if not row[0])
        return events, tuple(wire.as_record(row[1:]) for row in rows if row[0])

    async def push(self, events: Sequence[Record], deliveries: Sequence[Record], within: float) -> dict[ThreadId, Mark]:
        """Insert what is not there, in one transaction; a record that no column can hold is NotExecuted for all."""
        if not events and not deliveries:
            return {}

        async def call(session: Session) -> list[tuple[Any, ...]]:
            return await session.rows("push_records", *wire.pushed(events, deliveries))

        try:
            link = self._link_of([one.thread_id for one in (*events, *deliveries)])
            return wire.as_marks(await link.run(within, call))
        except RowRefused as error:
            raise NotExecuted(f"the tier {self.name} did not do it: {error}") from None

    async def settle(self, settlements: Sequence[Settlement], within: float) -> Sequence[bool]:
        """Put threads right, all in one transaction; RowRefused when a row breaks it, and nothing was changed."""
        if not settlements:
            return []

        async def call(session: Session) -> list[tuple[Any, ...]]:
            values = wire.columns(map(wire.settlement_values, settlements))
            return await session.rows("settle_threads", *values)

        rows = sorted(await self._side.run(within, call))
        return [settled for _, settled in rows]

    async def unsettled(self, after: ThreadId, at_most: int, within: float) -> Sequence[ThreadId]:
        """Name the next threads that nobody has settled."""
        rows = await self._read(self._side, "read_unsettled", within, after, at_most)
        return [thread_id for (thread_id,) in rows]

    async def probe(self, within: float) -> int:
        """Raise the canary by one, and connect what has lost its connection: the next turn finds all ready."""
        raised, _ = await asyncio.gather(
            self._side.run(within, lambda session: session.rows("raise_canary")), self._connect_lanes(within)
        )
        return int(raised[0][0])

    async def seen(self, at: int, within: float) -> int:
        """Say that a worker was there at a moment, and give the latest said before."""
        rows = await self._side.run(within, lambda session: session.rows("raise_seen", at))
        return int(rows[0][0])

    async def hold(self, worker: OriginId, others: Sequence[OriginId], seconds: float, within: float) -> Holding:
        """Hold leases; on a lane, where no great batch stands in the way."""
        lane = self._lanes[worker[-1] % self.lanes]
        rows = await lane.run(within, lambda session: session.rows("hold_leases", worker, list(others), seconds))
        return Holding(frozenset(row[0] for row in rows), was_away=rows[0][1], alive=rows[0][2])

    async def facts(self, within: float) -> TierFacts:
        """Read what the tier says of itself; rows beyond a hundred thousand are the server's estimate."""

        async def call(session: Session) -> tuple[dict[str, Any], bool]:
            return await session.mapping("read_facts"), session.encrypted

        row, encrypted = await self._reading(within, call)
        row["migrations"] = tuple(map(int, row["migrations"].split()))
        return TierFacts(**row, encrypted=encrypted)

    async def pull(self, after: Place, but: OriginId, at_most: int, within: float) -> Pulled:
        """Read the tail behind a place, without one origin's own."""

        async def call(session: Session) -> Pulled:
            # What a delivery answers was there before it: read in this order, no delivery comes without its event.
            most = (but, at_most, _LOOKED_AT * at_most)
            deliveries = await session.rows("pull_deliveries", *after.deliveries, *most)
            events = await session.rows("pull_events", *after.events, *most)
            held_back = not events and bool((await session.rows("read_held_back"))[0][0])
            place = Place(wire.last_place(events, after.events), wire.last_place(deliveries, after.deliveries))
            return Pulled(wire.others(events), wire.others(deliveries), place, held_back)

        return await self._reading(within, call)

    async def digest(self, of: Table, since: int, within: float) -> Digest:
        """Sum up what was received in an hour and after."""
        rows = await self._read(self._side, f"digest_{of}", within, since * HOUR)
        return {hour: (count, xor) for hour, count, xor in rows}

    async def hashes(self, of: Table, since: int, until: int, within: float) -> dict[EventId, bytes]:
        """Read what was received from a moment on up to another."""
        return dict(await self._read(self._side, f"hashes_{of}", within, since, until))

    async def records(self, of: Table, event_ids: Sequence[EventId], within: float) -> tuple[Record, ...]:
        """Read some events or deliveries."""
        return tuple(map(wire.as_record, await self._read(self._side, f"records_{of}", within, event_ids)))

    def _link_of(self, thread_ids: Sequence[ThreadId]) -> Link:
        """Choose a connection: what is about one thread takes its lane, and never waits behind a great batch."""
        first = thread_ids[0]
        alone = all(thread_id == first for thread_id in thread_ids)
        return self._lanes[lane_of(first, self.lanes)] if alone else self._side

    async def _read(self, link: Link, name: str, within: float, *values: object) -> list[tuple[Any, ...]]:
        return await _reading(link, within, lambda session: session.rows(name, *values))

    async def _reading(self, within: float, call: Callable[[Session], Awaitable[T]]) -> T:
        return await _reading(self._side, within, call)

    async def _name_bot(self, bot_id: int, within: float) -> int:
        rows = await self._side.run(within, lambda session: session.rows("name_bot", str(bot_id)))
        return int(rows[0][0])

    async def _connect_lanes(self, within: float) -> None:
        gone = [link for link in self._lanes if link.idle_without_connection]
        outcomes = await asyncio.gather(*(link.connect(within) for link in gone), return_exceptions=True)
        for outcome in outcomes:
            if outcome is not None:
                raise outcome


async def _reading(link: Link, within: float, call: Callable[[Session], Awaitable[T]]) -> T:
    """Run what only reads: when no answer came, nothing was done."""
    try:
        return await link.run(within, call)
    except LogUnavailable as error:
        raise error if isinstance(error, NotExecuted) else NotExecuted(f"{error}") from None


async def _append(link: Link, batch: Sequence[TierTurn], within: float) -> list[Verdict]:
    if len(batch) == 1:
        [turn] = batch
        [row] = await link.run(within, lambda session: session.rows("append_turn", *wire.turn_values(turn)))
        return [_verdict(row)]

    async def call(session: Session) -> list[tuple[Any, ...]]:
        return await session.rows("append_turns", *wire.columns(map(wire.turn_values, batch)))

    rows = sorted(await link.run(within, call), key=itemgetter(0))
    return [_verdict(row[1:]) for row in rows]


async def _append_alone(link: Link, turn: TierTurn, within: float) -> Verdict:
    try:
        return (await _append(link, [turn], within))[0]
    except (LogUnavailable, RowRefused) as error:
        return error


def _verdict(row: Sequence[Any]) -> Verdict:
    appended, rows_written, rev, head_ids, closed = row
    mark = Mark() if rev is None else Mark(rev, tuple(head_ids), closed)
    return Appended(mark, rows_written) if appended else Stale(mark)

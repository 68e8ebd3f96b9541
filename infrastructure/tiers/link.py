"""One connection to a tier that lives as long as it may, used by one call at a time and made anew when it is gone."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import asyncpg
from asyncpg.prepared_stmt import PreparedStatement

from holdfast.domain.errors import HoldfastError, NotExecuted
from holdfast.infrastructure.sql import statements
from holdfast.infrastructure.tiers.address import Address
from holdfast.infrastructure.tiers.faults import fault, refusal

T = TypeVar("T")
Row = asyncpg.Record


class Session(asyncpg.Connection):
    """A connection that speaks our identities, sixteen bytes each, and runs statements by their names."""

    __slots__ = ("_prepared", "pooled")

    async def make_ready(self, *, pooled: bool, warm: tuple[str, ...]) -> None:
        """Teach it our identities; prepare what must not cost a turn two more round trips."""
        self.pooled = pooled
        self._prepared: dict[str, PreparedStatement[Row]] = {}
        await self.set_type_codec("uuid", schema="pg_catalog", encoder=bytes, decoder=bytes, format="binary")
        if not pooled:
            # A plan made while the tables were small is kept while they grow.
            await self.execute("SET enable_seqscan = off")
            for name in warm:
                await self._statement(name)

    async def _statement(self, name: str) -> "PreparedStatement[Row]":
        found = self._prepared.get(name)
        if found is None:
            found = self._prepared[name] = await self.prepare(statements("tier.sql")[name])
        return found

    async def rows(self, name: str, *values: object) -> list[tuple[Any, ...]]:
        """Run a statement of `tier.sql` and give its rows."""
        return list(map(tuple, await self._run(name, *values)))

    async def mapping(self, name: str) -> dict[str, Any]:
        """Run a statement of `tier.sql` and give its first row, by the columns' names."""
        return dict((await self._run(name))[0].items())

    def _run(self, name: str, *values: object) -> Awaitable[list[Row]]:
        if self.pooled:
            return self.fetch(statements("tier.sql")[name], *values)
        if name in self._prepared:
            return self._prepared[name].fetch(*values)
        return self._run_first(name, *values)

    async def _run_first(self, name: str, *values: object) -> list[Row]:
        return await (await self._statement(name)).fetch(*values)

    @property
    def encrypted(self) -> bool:
        """Whether nobody between here and there can read along."""
        transport = self._transport  # type: ignore[attr-defined] # the driver has no other way to tell
        return transport.get_extra_info("ssl_object") is not None


class Link:
    """The keeper of one connection. It connects when first used, within that call's own time."""

    def __init__(self, tier: str, address: Address, warm: tuple[str, ...] = ()) -> None:
        """Name the tier for messages; `warm` are the statements made ready with each connection."""
        self._called = f"{tier} ({address.shown})"
        self._address = address
        self._warm = warm
        self._lock = asyncio.Lock()
        self._session: Session | None = None
        self._closed = True
        self.made = 0
        """How many connections were made so far."""

    def open(self) -> None:
        """Allow connections."""
        self._closed = False

    def close(self) -> None:
        """Drop the connection, and make no other."""
        self._closed = True
        self._drop()

    @property
    def idle_without_connection(self) -> bool:
        """Whether the next call would have to connect first."""
        return not self._lock.locked() and (self._session is None or self._session.is_closed())

    async def connect(self, within: float) -> None:
        """Make the connection, if there is none."""

        async def nothing(_: Session) -> None:
            """Ask nothing of it."""

        await self.run(within, nothing)

    async def run(self, within: float, call: Callable[[Session], Awaitable[T]]) -> T:
        """Run a call on the connection, alone; NotExecuted, Ambiguous, RowRefused, or what the call itself raises.

        `within` seconds are for all of it: waiting for its turn, connecting, and the answer.
        """
        if within <= 0:
            raise NotExecuted(f"the tier {self._called} did not do it: there was no time to ask")
        sent = False
        try:
            async with asyncio.timeout(within), self._lock:
                session = self._session
                if session is None or session.is_closed():
                    session = await self._connect()
                sent = True
                try:
                    return await call(session)
                except BaseException as error:
                    self._drop_unless_whole(error)
                    raise
        except HoldfastError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a driver raises, it means one of two things
            refused = refusal(error) if sent else None
            raise refused or fault(self._called, error, sent=sent) from None

    def _drop_unless_whole(self, error: BaseException) -> None:
        """Keep the connection only after an answer, or when nothing was sent."""
        if not isinstance(error, asyncpg.PostgresError | HoldfastError) and refusal(error) is None:
            self._drop()

    async def _connect(self) -> Session:
        self._check_open()
        pooled = self._address.pooled
        options: dict[str, Any] = {"statement_cache_size": 0} if pooled else {}
        session = await asyncpg.connect(
            self._address.dsn,
            connection_class=Session,
            server_settings={"application_name": "holdfast"},
            **options,
        )
        try:
            await session.make_ready(pooled=pooled, warm=self._warm)
            self._check_open()
        except BaseException:
            session.terminate()
            raise
        self._session = session
        self.made += 1
        return session

    def _check_open(self) -> None:
        if self._closed:
            raise NotExecuted(f"the tier {self._called} is closed")

    def _drop(self) -> None:
        """Let go without a word: a farewell would wait for an answer."""
        if self._session is not None:
            self._session.terminate()
            self._session = None

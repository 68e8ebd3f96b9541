"""Raw updates become inputs: each is taken in, or kept in quarantine; none stops the others."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from holdfast.bot.updates import number_of, read_update, said_in
from holdfast.domain.errors import LogUnavailable
from holdfast.domain.event import Said
from holdfast.domain.ids import ThreadId, thread_of
from holdfast.domain.inbound import Inbound
from holdfast.domain.ports import Clock, Log, Quarantined
from holdfast.engine.blame import where
from holdfast.engine.gate import Gate
from holdfast.engine.orders import Orders
from holdfast.engine.outage import Outage
from holdfast.engine.turns import Turns

T = TypeVar("T")
logger = logging.getLogger("holdfast.bot")
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0
_SECOND = 1_000_000
_FOR_EVER = 1 << 62


class _Parsed(Struct, frozen=True):
    raw: bytes
    said: Said | None
    error: str


class Intake:
    """Takes raw updates in. When `take` returns, each of them is durable."""

    def __init__(  # noqa: PLR0913 - what an intake is wired to
        self, bot_id: int, turns: Turns, log: Log, *, orders: Orders, gate: Gate, clock: Clock
    ) -> None:
        """Take in for one bot, what its gate lets pass."""
        self._gate = gate
        self._bot_id = bot_id
        self._turns = turns
        self._log = log
        self._orders = orders
        self._clock = clock
        self._outage = Outage()

    async def take(self, batch: list[bytes]) -> None:
        """Take a batch in: each person's updates in their order, many people's at once."""
        people: dict[int, list[_Parsed]] = {}
        for raw in batch:
            parsed = _parse(raw)
            people.setdefault(_lane_of(parsed.said), []).append(parsed)
        async with asyncio.TaskGroup() as group:
            for parsed_of_one in people.values():
                group.create_task(self._take_in_order(parsed_of_one))

    async def take_one(self, raw: bytes, within: float) -> None:
        """Take one update in; LogUnavailable when it is not durable after so many seconds, and must come again."""
        await self._take_one(_parse(raw), self._clock.now() + round(within * _SECOND))

    async def replay(self, raw: bytes) -> str:
        """Take in what once stood in quarantine; give what still stands in the way, or nothing."""
        parsed = _parse(raw)
        if parsed.said is None:
            return parsed.error
        try:
            await self._turns.take(await self._inbound(parsed.said))
        except Exception as error:  # noqa: BLE001 - the others are tried all the same
            return where(error)
        return ""

    async def _take_in_order(self, batch: list[_Parsed]) -> None:
        for parsed in batch:
            await self._take_one(parsed)

    async def _take_one(self, parsed: _Parsed, until: int = _FOR_EVER) -> None:
        said, error = parsed.said, parsed.error
        if said is not None:
            try:
                inbound = await self._until_durable(lambda: self._inbound(said), until, said.user_id)
                # One that was given back came again, and may be the first to be stored after an outage.
                refused = self._outage.refuses(said.user_id)
                return await self._until_durable(lambda: self._take_in(inbound), until, said.user_id, refused=refused)
            except LogUnavailable:
                raise
            except Exception as failure:  # noqa: BLE001 - one update must not stop the bot; it is kept raw
                error = where(failure)
        logger.error("an update was set aside: %s", error)
        return await self._until_durable(lambda: self._set_aside(parsed, error), until)

    async def _until_durable(
        self, attempt: Callable[[], Awaitable[T]], until: int, user_id: int = 0, *, refused: bool = False
    ) -> T:
        """Try again while nothing can be stored: Telegram is told of an update only when it is durable.

        LogUnavailable when the next try would come too late. `refused`: its person waits since an earlier try.
        """
        pause = _FIRST_PAUSE
        while True:
            try:
                result = await attempt()
            except LogUnavailable as error:
                refused = True
                self._outage.refuse(user_id, self._clock.now())
                logger.error("an input can't be stored yet: %s", error)
                if self._clock.now() + pause * _SECOND > until:
                    raise
                await self._clock.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                if refused and (lasted := self._outage.end(user_id, self._clock.now())):
                    logger.warning("inputs are stored again, after %.1f seconds", lasted)
                return result

    async def _take_in(self, inbound: Inbound) -> None:
        caught = self._outage.caught(inbound)
        answered = await self._turns.take(replace(inbound, delayed=True) if caught else inbound)
        if caught and answered:
            self._outage.tell(inbound.said.user_id)

    async def _inbound(self, said: Said) -> Inbound:
        now = self._clock.now()
        return Inbound(
            thread_id=self._thread_of(said),
            dedup_key=dedup_key(self._bot_id, said),
            order=await self._orders.of(said.update_id, now),
            occurred_at=said.date * 1_000_000 or now,
            received_at=now,
            said=said,
            barred="" if said.type == "group" else self._gate.bar(said.user_id, now),
        )

    def _thread_of(self, said: Said) -> ThreadId:
        if said.type == "group":
            return thread_of("telegram-group", self._bot_id, said.chat_id)
        return thread_of("telegram", self._bot_id, said.user_id)

    async def _set_aside(self, parsed: _Parsed, error: str) -> None:
        number = number_of(parsed.raw)
        # Telegram may give a number twice, after a silent week: by it alone, the later update would be dropped.
        digest = sha256(parsed.raw).hexdigest()
        name = f"{number}:{digest[:16]}" if number is not None else digest
        await self._log.quarantine(
            Quarantined(
                dedup_key=f"tg:{self._bot_id}:{name}",
                thread_id=self._thread_of(parsed.said) if parsed.said else None,
                raw=parsed.raw,
                error=error,
                received_at=self._clock.now(),
            )
        )


def dedup_key(bot_id: int, said: Said) -> str:
    """Name an input so that its redelivery has the same name, on any worker."""
    which = said.callback_id or said.message_id or "-"
    return f"tg:{bot_id}:{said.update_id}:{said.chat_id}:{which}"


def belongs_to(raw: bytes) -> int | None:
    """Name the person, or the group, that an update is about; None when it can't be read."""
    said = _parse(raw).said
    return _lane_of(said) if said is not None else None


def _parse(raw: bytes) -> _Parsed:
    try:
        return _Parsed(raw, said_in(read_update(raw), raw), "")
    except ValueError as error:
        return _Parsed(raw, None, f"{type(error).__name__}: not an update we can read")


def _lane_of(said: Said | None) -> int:
    if said is None:
        return 0
    return said.chat_id if said.type == "group" else said.user_id

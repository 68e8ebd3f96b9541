"""Our own getUpdates loop: it confirms to Telegram only what is durable."""

import asyncio
import json
import logging

import msgspec

from holdfast.bot.intake import Intake
from holdfast.bot.updates import ALLOWED, number_of
from holdfast.bot.wire import Wire
from holdfast.domain.errors import SecondPoller, TelegramError, TelegramUnreachable
from holdfast.domain.ports import Clock
from holdfast.engine.grace import TAKING
from holdfast.engine.presence import Presence

logger = logging.getLogger("holdfast.bot")
_LONG_POLL = 50
_LIMIT = 100
"""Updates in a batch, at most: when there are fewer, the queue has been read to its end."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 15.0
_GOODBYE = 1.0
"""Seconds in which Telegram is told at the end what has been taken in; it is told again at the next start."""
_batch = msgspec.json.Decoder(list[msgspec.Raw]).decode


class Polling:
    """Reads updates until it is stopped."""

    def __init__(self, wire: Wire, intake: Intake, clock: Clock, presence: Presence) -> None:
        """Begin with whatever Telegram holds unconfirmed; tell `presence` each time all of it has been read."""
        self._wire = wire
        self._intake = intake
        self._clock = clock
        self._presence = presence
        self._offset = 0
        self._wait = 0
        self._pause = _FIRST_PAUSE

    async def run(self) -> None:
        """Poll until cancelled: the batch in hand is then taken in to its end. TelegramRefused: the token is wrong."""
        while True:
            try:
                await self._poll()
                self._pause = _FIRST_PAUSE
            except SecondPoller as error:
                self._wait = 0
                # Telegram says it in these words only; a second poller is told of otherwise.
                advice = "; holdfast webhook remove ends that" if "webhook" in str(error) else ""
                logger.error("Telegram gives this bot's updates to somebody else: %s%s", error, advice)
                await self._rest(0.0)
            except TelegramUnreachable as error:
                self._wait = 0
                logger.warning("Telegram can't be reached: %s", error)
                await self._rest(error.retry_after)

    async def _rest(self, at_least: float) -> None:
        await self._clock.sleep(max(self._pause, at_least))
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)

    async def _poll(self) -> None:
        """Ask with the offset that confirms all that is durable, and take in what comes.

        Telegram is asked to wait only once all that it held was read: before, an empty queue shall be known at once.
        """
        result = await self._wire.call(
            "getUpdates",
            wait=self._wait,
            offset=self._offset,
            timeout=self._wait,
            limit=_LIMIT,
            allowed_updates=list(ALLOWED),
        )
        heard_at, batch = self._clock.now(), updates_in(result)
        taking = asyncio.create_task(self._intake.take(batch), name="taking in")
        try:
            await asyncio.shield(taking)
        except asyncio.CancelledError:
            await self._finish(taking, batch)
            raise
        if len(batch) < _LIMIT:
            self._wait = _LONG_POLL
            self._presence.here(heard_at)
        if not self._passed(batch) and batch:
            await self._rest(0.0)

    def _passed(self, batch: list[bytes]) -> bool:
        """Let the next poll confirm a batch; false when there is no number in it."""
        numbers = [number for raw in batch if (number := number_of(raw)) is not None]
        if numbers:
            # Not the greatest ever: after a silent week the numbers may begin anew, below it.
            self._offset = max(numbers) + 1
        return bool(numbers)

    async def _finish(self, taking: "asyncio.Task[None]", batch: list[bytes]) -> None:
        """Give the batch in hand some seconds; when all of it is durable, confirm it: nothing needs to come again."""
        await asyncio.wait((taking,), timeout=TAKING)
        taking.cancel()
        [failure] = await asyncio.gather(taking, return_exceptions=True)
        if failure is None and self._passed(batch):
            await self._confirm()

    async def _confirm(self) -> None:
        try:
            async with asyncio.timeout(_GOODBYE):
                await self._wire.call("getUpdates", offset=self._offset, limit=1, timeout=0)
        except (TelegramError, TimeoutError) as error:
            logger.info("what was taken in last comes again: %s", type(error).__name__)


def updates_in(result: bytes | msgspec.Raw) -> list[bytes]:
    """Take a batch apart, each update by itself; TelegramUnreachable when it is no batch."""
    try:
        return [bytes(raw) for raw in _batch(result)]
    except msgspec.ValidationError:
        raise TelegramUnreachable("getUpdates: no list of updates") from None
    except (msgspec.DecodeError, UnicodeError):
        return [json.dumps(one).encode() for one in json.loads(bytes(result))]

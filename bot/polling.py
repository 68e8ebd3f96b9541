"""Our own getUpdates loop: it confirms to Telegram only what is durable."""

import json
import logging

import msgspec

from holdfast.bot.intake import Intake
from holdfast.bot.updates import ALLOWED, number_of
from holdfast.bot.wire import Wire
from holdfast.domain.errors import SecondPoller, TelegramUnreachable
from holdfast.domain.ports import Clock
from holdfast.engine.presence import Presence

logger = logging.getLogger("holdfast.bot")
_LONG_POLL = 50
_LIMIT = 100
"""Updates in a batch, at most: when there are fewer, the queue has been read to its end."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 15.0
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
        self._pause = _FIRST_PAUSE

    async def run(self) -> None:
        """Poll for ever; TelegramRefused when the token is wrong."""
        while True:
            try:
                await self._poll()
                self._pause = _FIRST_PAUSE
            except SecondPoller as error:
                # Telegram says it in these words only; a second poller is told of otherwise.
                advice = "; holdfast webhook remove ends that" if "webhook" in str(error) else ""
                logger.error("Telegram gives this bot's updates to somebody else: %s%s", error, advice)
                await self._rest(0.0)
            except TelegramUnreachable as error:
                logger.warning("Telegram can't be reached: %s", error)
                await self._rest(error.retry_after)

    async def _rest(self, at_least: float) -> None:
        await self._clock.sleep(max(self._pause, at_least))
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)

    async def _poll(self) -> None:
        """Ask with the offset that confirms all that is durable, and take in what comes."""
        result = await self._wire.call(
            "getUpdates",
            wait=_LONG_POLL,
            offset=self._offset,
            timeout=_LONG_POLL,
            limit=_LIMIT,
            allowed_updates=list(ALLOWED),
        )
        heard_at, batch = self._clock.now(), updates_in(result)
        await self._intake.take(batch)
        if len(batch) < _LIMIT:
            self._presence.here(heard_at)
        numbers = [number for raw in batch if (number := number_of(raw)) is not None]
        if numbers:
            # Not the greatest ever: after a silent week the numbers may begin anew, below it.
            self._offset = max(numbers) + 1
        elif batch:
            await self._rest(0.0)


def updates_in(result: bytes | msgspec.Raw) -> list[bytes]:
    """Take a batch apart, each update by itself; TelegramUnreachable when it is no batch."""
    try:
        return [bytes(raw) for raw in _batch(result)]
    except msgspec.ValidationError:
        raise TelegramUnreachable("getUpdates: no list of updates") from None
    except (msgspec.DecodeError, UnicodeError):
        return [json.dumps(one).encode() for one in json.loads(bytes(result))]

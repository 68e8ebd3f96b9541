"""What Telegram says of its webhook, and what follows from it: whether all that it held has been read."""

import logging

import msgspec
from msgspec import Struct

from holdfast.bot.wire import Wire
from holdfast.domain.errors import TelegramError
from holdfast.domain.ports import Clock
from holdfast.engine.presence import Presence

logger = logging.getLogger("holdfast.bot")
_SECOND = 1_000_000
_EVERY = 30.0
_SETTLED = 12.0
"""Seconds after which a post that was under way has been answered, one way or the other."""
_MANY = 100
"""So many waiting are more than the posts that are under way."""


class HookInfo(Struct):
    """Where updates are posted (empty: nowhere), how many wait, what went wrong last; `last_error_date` in seconds."""

    url: str = ""
    pending_update_count: int = 0
    last_error_date: int = 0
    last_error_message: str = ""
    max_connections: int = 0
    allowed_updates: list[str] = []


async def look(wire: Wire) -> HookInfo:
    """Ask Telegram; TelegramError when it does not say."""
    return msgspec.json.decode(await wire.call("getWebhookInfo"), type=HookInfo)


class Attendance:
    """Tells whether the bot is there for its people, which posts by themselves do not: nobody says when none are left.

    It is there when nothing waits with Telegram; or when little does, and none of it was refused in the time that a
    post may take.
    """

    def __init__(self, wire: Wire, presence: Presence, clock: Clock) -> None:
        """Tell `presence`."""
        self._wire = wire
        self._presence = presence
        self._clock = clock

    async def run(self) -> None:
        """Look for ever; the first time, say when no webhook is set."""
        first = True
        while True:
            try:
                await self._look(warn=first)
                first = False
            except TelegramError as error:
                logger.warning("what waits with Telegram is not known: %s", error)
            await self._clock.sleep(_EVERY)

    async def _look(self, *, warn: bool) -> None:
        looked_at = self._clock.now()
        seen = await look(self._wire)
        if warn and not seen.url:
            logger.warning("Telegram posts to no webhook yet: holdfast webhook set tells it where")
        if 0 < seen.pending_update_count < _MANY:
            await self._clock.sleep(_SETTLED)
            seen = await look(self._wire)
            if seen.last_error_date >= looked_at // _SECOND:
                return
        if seen.url and seen.pending_update_count < _MANY:
            self._presence.here(looked_at)

"""How a running bot is: asked for over HTTP, on a port that only operators reach."""

import asyncio
import logging
import time
from pathlib import Path

from holdfast.bot.health import Health
from holdfast.bot.server import listen, serve
from holdfast.cli.metrics import CONTENT_TYPE, Metrics, Seen
from holdfast.cli.wiring import Bot
from holdfast.domain.errors import HoldfastError, LogUnavailable
from holdfast.domain.ports import Clock
from holdfast.infrastructure.log.journal_figures import JournalFigures, figures
from holdfast.infrastructure.settings import Settings

logger = logging.getLogger("holdfast")
_WITHIN = 2.0
"""Seconds the journal may take."""
_FRESH = 5_000_000
"""Microseconds for which it is believed that the journal can be written: each time it is tried costs a sync."""


class BotHealth:
    """Asks one bot; a clock tells how old what is known is."""

    def __init__(self, bot: Bot, journal: Path, clock: Clock) -> None:
        """Ask this bot, which keeps its journal there."""
        self._bot = bot
        self._journal = journal
        self._clock = clock
        self._metrics = Metrics(bot)
        self._written_at = 0

    async def readiness(self) -> dict[str, object]:
        """Ready is who can store, and has read all that Telegram held lately. Tiers are told of, and may be missing."""
        now = self._clock.now()
        problem = await self._written(now)
        here = self._bot.presence.is_here(now)
        tiers = {tier.name: tier.breaker.standing.value for tier in self._bot.log.tiers}
        return {
            "ready": here and not problem,
            "journal": problem or "written",
            "telegram": "read" if here else "not read to its end lately",
            "tiers": tiers,
        }

    async def _written(self, now: int) -> str:
        """Try to write to the journal; give what is in the way, or nothing."""
        if now - self._written_at < _FRESH:
            return ""
        try:
            async with asyncio.timeout(_WITHIN):
                await self._bot.log.remember("examined_at", str(now))
        except TimeoutError:
            return "takes too long"
        except LogUnavailable:
            return "can't be written"
        self._written_at = now
        return ""

    async def metrics(self) -> tuple[str, bytes]:
        """Give all figures; those of the journal's file are left out when it can't be read in time."""
        begun = time.perf_counter()
        await asyncio.sleep(0)
        lag = time.perf_counter() - begun
        seen = Seen(journal=await self._figures(), loop_lag=lag, now=self._clock.now())
        return CONTENT_TYPE, self._metrics.text(seen)

    async def _figures(self) -> JournalFigures | None:
        cursors = {tier.name: tier.cursor for tier in self._bot.log.tiers}
        try:
            async with asyncio.timeout(_WITHIN):
                return await asyncio.to_thread(figures, self._journal, cursors)
        except (HoldfastError, TimeoutError):
            return None


async def answer(settings: Settings, bot: Bot, clock: Clock) -> None:
    """Answer until cancelled, where HOLDFAST_HEALTH says so; SettingsError when that port can't be had."""
    if settings.holdfast_health is None:
        return
    host, _, port = settings.holdfast_health.rpartition(":")
    with listen(host.strip("[]"), int(port)) as listener:
        logger.info("Asked at http://%s/healthz, /readyz and /metrics, it says how it is.", settings.holdfast_health)
        await serve(Health(BotHealth(bot, settings.holdfast_journal, clock)), listener)

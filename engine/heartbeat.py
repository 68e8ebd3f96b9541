"""The heartbeat: that the bot is there for its people is written down now and then, and told to the tiers."""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress

from holdfast.domain.errors import LogUnavailable, NoTier
from holdfast.domain.ports import Log
from holdfast.engine.absences import Absences
from holdfast.engine.presence import PRESENCE, Presence, presence_from
from holdfast.engine.recovery import Recovery

logger = logging.getLogger("holdfast.engine")
EVERY = 30.0
"""Seconds between two beats: an outage seems longer by so much at most."""


async def presence_known_to(log: Log, opened: Mapping[str, str], last_input: int, *, patience: int) -> Presence:
    """Find when the bot was there last: by what a log remembered, by its last input, and by what the tiers were told.

    A worker that has lost its journal, or keeps none, knows it from them alone.
    """
    elsewhere = 0
    with suppress(NoTier):
        elsewhere = await log.seen(0)
    return presence_from(opened.get(PRESENCE, ""), max(last_input, elsewhere), patience=patience)


class Heartbeat:
    """Runs until it is cancelled; when the bot came back from an absence, it has the people told who waited."""

    def __init__(
        self, presence: Presence, log: Log, absences: Absences, recovery: Recovery, *, every: float = EVERY
    ) -> None:
        """Beat for what `presence` knows, each time so many seconds have passed."""
        self._presence = presence
        self._log = log
        self._absences = absences
        self._recovery = recovery
        self._every = every
        self._written = 0

    async def run(self) -> None:
        """Beat for ever."""
        while True:
            await self.beat()
            try:
                async with asyncio.timeout(self._every):
                    await self._presence.news.wait()
            except TimeoutError:
                continue

    async def beat(self) -> None:
        """Write down what is new; after an absence tell people first: on the tiers it is not over until then."""
        try:
            if self._presence.news.is_set():
                self._presence.news.clear()
                await self._absences.remember()
                await self._recovery.resume([self._absences])
            await self._say()
        except LogUnavailable as error:
            logger.warning("it is not written down yet that the bot is here: %s", error)

    async def _say(self) -> None:
        last = self._presence.last
        if last == self._written:
            return
        await self._absences.remember()
        self._written = last
        if all(absence.sure for absence in self._presence.absences):
            with suppress(NoTier):
                await self._log.seen(last)

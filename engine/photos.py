"""Photos kept: the bytes of every picture are fetched once, also when the worker was killed in between."""

import asyncio
import logging
from hashlib import sha256

from holdfast.domain.errors import LogUnavailable, TelegramRefused, TelegramUnreachable
from holdfast.domain.event import Draft, Facts, Said, Words
from holdfast.domain.ids import EventId, as_text
from holdfast.domain.inbound import Inbound
from holdfast.domain.kinds import Kind
from holdfast.domain.ports import Clock, Files, Log, WantedPhoto
from holdfast.engine.blame import where
from holdfast.engine.turns import Turns

logger = logging.getLogger("holdfast.engine")
MOST_BYTES = 20 * 1024 * 1024
_LOOK_EVERY = 2.0
_REFUSALS = 3
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0


class PhotoKeeper:
    """Fetches the photos that are wanted, one after another, until it is cancelled."""

    def __init__(self, log: Log, turns: Turns, files: Files, clock: Clock) -> None:
        """Keep photos in a log, and say so in their threads."""
        self._log = log
        self._turns = turns
        self._files = files
        self._clock = clock
        self._refusals: dict[EventId, int] = {}

    async def run(self) -> None:
        """Look for wanted photos again and again; what is wanted stands in the log, so a crash loses nothing."""
        pause = _FIRST_PAUSE
        while True:
            try:
                await self.keep_wanted()
                pause = _FIRST_PAUSE
                await self._clock.sleep(_LOOK_EVERY)
            except (TelegramUnreachable, LogUnavailable) as error:
                logger.warning("photos wait: %s", error)
                await self._clock.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            except Exception as error:  # noqa: BLE001 - a photo that can't be kept must not end the bot
                logger.error("keeping photos failed: %s", where(error))
                await self._clock.sleep(_LONGEST_PAUSE)

    async def keep_wanted(self) -> None:
        """Fetch what is wanted at this moment; TelegramUnreachable or LogUnavailable when something has to wait."""
        late: TelegramUnreachable | None = None
        for photo in await self._log.photos_wanted():
            try:
                await self._keep(photo)
            except TelegramUnreachable as error:
                late = error
        if late is not None:
            raise late

    async def _keep(self, photo: WantedPhoto) -> None:
        if photo.file_size > MOST_BYTES:
            return await self._say(photo, rule="photo_too_large")
        try:
            content = await self._files.fetch(photo.file_id)
        except TelegramRefused as error:
            return await self._refused(photo, error)
        digest = await asyncio.to_thread(lambda: sha256(content).digest())
        await self._log.keep(photo.thread_id, digest, content)
        return await self._say(photo, digest=digest.hex())

    async def _refused(self, photo: WantedPhoto, error: TelegramRefused) -> None:
        logger.warning("a photo was refused: %s", error)
        refusals = self._refusals.pop(photo.event_id, 0) + 1
        if refusals < _REFUSALS:
            self._refusals[photo.event_id] = refusals
        else:
            await self._say(photo, rule="photo_gone")

    async def _say(self, photo: WantedPhoto, *, rule: str = "", digest: str = "") -> None:
        """Append photo.stored: with the digest of the bytes, or with the rule by which they could not be kept."""
        source = await self._log.event(photo.event_id)
        now = self._clock.now()
        inbound = Inbound(
            thread_id=photo.thread_id,
            dedup_key=f"photo:{as_text(photo.event_id)}",
            order=-1,
            occurred_at=now,
            received_at=now,
            said=Said(type="fact", user_id=photo.user_id, chat_id=photo.chat_id),
        )
        draft = Draft(
            kind=Kind.PHOTO_STORED,
            conversation_id=source.conversation_id if source else None,
            facts=Facts(subject=as_text(photo.event_id), rule=rule),
            words=Words(value=digest),
        )
        await self._turns.take_fact(inbound, draft)

"""Photos kept: the bytes of every picture are fetched once, also when the worker was killed in between."""

import asyncio
from collections.abc import Sequence
from hashlib import sha256

from holdfast.domain.event import Draft, Facts, Said, Words
from holdfast.domain.ids import EventId, as_text
from holdfast.domain.inbound import Inbound
from holdfast.domain.kinds import Kind
from holdfast.domain.ports import Clock, Files, Leases, Log, WantedPhoto
from holdfast.engine.turns import Turns
from holdfast.engine.work import Retries

MOST_BYTES = 20 * 1024 * 1024


class Photos:
    """Outside work: the photos that are wanted are fetched, and their threads say so."""

    kind = "photo"
    retries = Retries()
    seconds = 120.0

    def __init__(self, log: Log, turns: Turns, files: Files, leases: Leases, clock: Clock) -> None:
        """Keep photos in a log, those of the workers this one answers for."""
        self._log = log
        self._turns = turns
        self._files = files
        self._leases = leases
        self._clock = clock

    async def wanted(self) -> Sequence[EventId]:
        """Name the events whose photos are not kept yet."""
        return await self._log.photos_wanted()

    async def do(self, subject: EventId, *, anybodys: bool) -> bool:
        """Fetch one; whoever answers for its event does so. TelegramRefused, TelegramUnreachable, LogUnavailable."""
        photo = await self._log.photo_wanted(subject)
        if photo is None:
            return True
        if not (photo.own or anybodys or self._leases.answers_for(photo.origin)):
            return False
        if photo.file_size > MOST_BYTES:
            await self._say(photo, rule="photo_too_large")
            return True
        content = await self._files.fetch(photo.file_id)
        digest = await asyncio.to_thread(lambda: sha256(content).digest())
        await self._log.keep(photo.thread_id, digest, content)
        await self._say(photo, digest=digest.hex())
        return True

    async def give_up(self, subject: EventId) -> None:
        """Say that a photo can't be had; its person is asked to send it again."""
        photo = await self._log.photo_wanted(subject)
        if photo is not None:
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

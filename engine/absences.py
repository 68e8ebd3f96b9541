"""After an absence: the open questions are asked again with fresh buttons, and people hear of what may be missing."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from msgspec.structs import replace

from holdfast.domain.drafts import UNASKED, missing, repeated
from holdfast.domain.event import Draft, Event, Said
from holdfast.domain.flow import Flows
from holdfast.domain.ids import ConversationId, ThreadId
from holdfast.domain.inbound import Inbound
from holdfast.domain.kinds import BARRED
from holdfast.domain.ports import Clock, Log, Waiting
from holdfast.domain.state import ThreadState
from holdfast.domain.timers import deadline, repeated_key
from holdfast.engine.presence import GAP, PRESENCE, Absence, Presence
from holdfast.engine.turns import Turns

KEPT = 24 * 3600 * 1_000_000
"""Microseconds for which Telegram keeps what people wrote."""
_LATELY = 7 * 24 * 3600 * 1_000_000
"""Who spoke so shortly before such a gap is told of it, also with nothing open."""
_PAGE = 64


class Absences:
    """Tells whom they concern of the absences that `presence` knows of: each person once, on any number of workers."""

    name = "people after an outage"

    def __init__(  # noqa: PLR0913 - what it is wired to
        self,
        flows: Flows,
        log: Log,
        turns: Turns,
        presence: Presence,
        *,
        clock: Clock,
        thread_of: Callable[[int], ThreadId],
        kept: int = KEPT,
    ) -> None:
        """Look for them in a log. `thread_of` names a person's thread; a gap is longer than `kept` microseconds."""
        self._flows = flows
        self._log = log
        self._turns = turns
        self._presence = presence
        self._clock = clock
        self._thread_of = thread_of
        self._kept = kept

    async def resume(self) -> int:
        """Tell all of every absence that is over; give how many were told something. NoTier, LogUnavailable."""
        told = 0
        for absence in self._presence.absences:
            sure = await self._confirmed(absence)
            if sure is not None:
                told += await self._tell(sure)
                self._presence.told(sure)
                await self.remember()
        return told

    async def _confirmed(self, absence: Absence) -> Absence | None:
        """Make sure that no other worker was there in the meantime, and remember it before anybody is told."""
        if absence.sure:
            return absence
        sure = self._presence.confirm(absence, await self._log.seen(0))
        if sure is not None and sure.length > self._kept:
            await self._log.remember(f"{GAP}{sure.since}", f"{sure.until}")
        await self.remember()
        return sure

    async def remember(self) -> None:
        """Write down when the bot was there, and what people have not been told of yet. LogUnavailable."""
        await self._log.remember(PRESENCE, self._presence.as_text())

    async def _tell(self, absence: Absence) -> int:
        told = 0
        async for page in self._open(absence):
            told += await _at_once([self._tell_waiting(absence, one) for one in page])
        if absence.length > self._kept:
            async for threads in self._lately(absence):
                told += await _at_once([self._tell_silent(absence, one) for one in threads])
        return told

    async def _open(self, absence: Absence) -> AsyncIterator[list[Waiting]]:
        last = Waiting()
        while page := await self._log.waiting(absence.since, last, _PAGE):
            yield page
            last = page[-1]

    async def _lately(self, absence: Absence) -> AsyncIterator[list[ThreadId]]:
        last = ThreadId(b"")
        while page := await self._log.threads_between(absence.since - _LATELY, absence.since, last, _PAGE):
            yield page
            last = page[-1]

    async def _tell_waiting(self, absence: Absence, one: Waiting) -> bool:
        """Ask an open question again. After a gap, only its time counts: the question follows what is told of that."""
        key = repeated_key(one.conversation_id, absence.since)
        inbound = self._inbound(self._thread_of(one.user_id), key, one.user_id, one.chat_id)
        is_gap = absence.length > self._kept

        def due(state: ThreadState) -> Draft | None:
            return asked_again(self._flows, state, one.conversation_id, absence, silent=is_gap)

        asked = await self._turns.take_due(inbound, due)
        return await self._tell_of_gap(absence, inbound) if is_gap else asked

    async def _tell_silent(self, absence: Absence, thread_id: ThreadId) -> bool:
        """Tell of a gap whoever spoke shortly before it; not a group, nor who is not let in, nor who is forgotten."""
        said = _who(await self._log.history(thread_id))
        if said is None:
            return False
        return await self._tell_of_gap(absence, self._inbound(thread_id, "", said.user_id, said.chat_id))

    async def _tell_of_gap(self, absence: Absence, inbound: Inbound) -> bool:
        keyed = replace(inbound, dedup_key=f"missing:{absence.since}")
        return await self._turns.take_due(keyed, lambda _state: missing(absence.since, absence.length))

    def _inbound(self, thread_id: ThreadId, dedup_key: str, user_id: int, chat_id: int) -> Inbound:
        now = self._clock.now()
        return Inbound(
            thread_id=thread_id,
            dedup_key=dedup_key,
            order=-1,
            occurred_at=now,
            received_at=now,
            said=Said(type="fact", user_id=user_id, chat_id=chat_id),
        )


def asked_again(
    flows: Flows, state: ThreadState, conversation_id: ConversationId, absence: Absence, *, silent: bool
) -> Draft | None:
    """Draft asking a question again; None when it stood not open through all of the absence, or has run out before.

    What waits below another question is not asked: only its time counts.
    """
    conversation = state.conversation(conversation_id)
    if conversation is None or not flows.has(conversation.flow, conversation.flow_version):
        return None
    if not absence.caught(conversation, deadline(flows, conversation)):
        return None
    rule = UNASKED if silent or conversation is not state.active else ""
    return repeated(flows, conversation, rule, absence.since, absence.length)


def _who(history: Sequence[Event]) -> Said | None:
    """Find who speaks in a thread, and in which chat, by what came last."""
    for event in reversed(history):
        said = event.words.said if event.words else None
        if said is not None and said.type != "group" and event.facts.rule not in BARRED:
            return said
    return None


async def _at_once(work: Sequence[Awaitable[bool]]) -> int:
    """Wait for all, whatever becomes of each; raise the first error when every one has come to its end."""
    outcomes = await asyncio.gather(*work, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
    return outcomes.count(True)

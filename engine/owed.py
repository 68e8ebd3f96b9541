"""The replies that are owed: computed from the log, at a start, when it has learned of more, and when there is room."""

import asyncio
import logging

from holdfast.domain.errors import HoldfastError
from holdfast.domain.event import Event
from holdfast.domain.flow import Flows
from holdfast.domain.ids import EventId
from holdfast.domain.ports import Clock, Log, Owed
from holdfast.engine.reply import Reply, replies_to
from holdfast.engine.sender import Sender

logger = logging.getLogger("holdfast.engine")
_PAUSE = 1.0


class OwedReplies:
    """Hands every reply that is owed to the sender, in the order of its thread."""

    name = "replies owed"

    def __init__(self, flows: Flows, log: Log, sender: Sender) -> None:
        """Read what is owed in this log, and send it through this sender."""
        self._flows = flows
        self._log = log
        self._sender = sender
        self._one_at_a_time = asyncio.Lock()

    async def resume(self) -> int:
        """Hand over what is owed and not under way; give the number of replies. Without room, it is left for later."""
        taken_up = 0
        async for owed in self._log.owed():
            if owed.thread_id in self._sender.left:
                continue
            if self._sender.has_room:
                taken_up += await self._take_up(owed)
            elif not all(map(self._sender.has, owed.event_ids)):
                self._sender.left.add(owed.thread_id)
        return taken_up

    async def run(self, clock: Clock) -> None:
        """For ever: take up what was left, as soon as there is room; who came last first, for they are waiting."""
        while True:
            await self._sender.left.some()
            try:
                await self._take_up_what_was_left()
            except HoldfastError as error:
                logger.warning("replies that are owed are taken up later: %s", error)
                await clock.sleep(_PAUSE)

    async def _take_up_what_was_left(self) -> None:
        await self._take_up_remembered()
        forgotten = self._sender.left.forgotten
        if forgotten:
            async for owed in self._log.owed():
                await self._take_up_remembered()
                await self._sender.room()
                await self._take_up(owed)
            self._sender.left.found(forgotten)

    async def _take_up_remembered(self) -> None:
        left = self._sender.left
        while len(left) > 0:
            await self._sender.room()
            with left.newest() as thread_id:
                await self._take_up(await self._log.owed_in(thread_id))

    async def _take_up(self, owed: Owed) -> int:
        async with self._one_at_a_time:
            safe = not owed.event_ids or await self._log.secure(owed.thread_id)
            history = await self._log.history(owed.thread_id)
            replies = replies_to(self._flows, owed.thread_id, history, frozenset(owed.event_ids), safe=safe)
            wanted = [one for one in replies if not self._sender.has(one.answers)]
            return self._hand_over([one for one in wanted if not await self._answered(history, one.answers)])

    def _hand_over(self, replies: list[Reply]) -> int:
        """Hand over in order; give their number. From the first one without room all are left."""
        for number, reply in enumerate(replies):
            if not self._sender.take_up(reply):
                self._sender.left.add(reply.thread_id)
                return number
        return len(replies)

    async def _answered(self, history: tuple[Event, ...], event_id: EventId) -> bool:
        """Whether an event, or a copy of its input in which the same was decided, was answered in the meantime.

        Where something else was decided, this reply is the correction of that one.
        """
        event = next(one for one in history if one.event_id == event_id)
        alike = [
            one for one in history if (one.dedup_key, one.kind, one.facts) == (event.dedup_key, event.kind, event.facts)
        ]
        return any([await self._log.delivered(one.event_id) for one in alike])

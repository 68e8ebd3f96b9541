"""The replies that are owed: computed from the log, at a start, when it has learned of more, and when there is room."""

import asyncio
import logging
from collections.abc import Sequence

from msgspec.structs import replace

from holdfast.domain.debts import owing
from holdfast.domain.errors import HoldfastError
from holdfast.domain.event import Event
from holdfast.domain.flow import Flows
from holdfast.domain.ids import EventId, ThreadId
from holdfast.domain.ports import Clock, Leases, Log, Owed
from holdfast.engine.reply import Reply, replies_to
from holdfast.engine.sender import Sender

logger = logging.getLogger("holdfast.engine")
_PAUSE = 1.0
_LOOK_AGAIN = 0.2
_GRACE = 3.0
"""Seconds in which another worker's earlier reply may still come, while nobody knows whether it lives."""
_MARGIN = 5.0
"""Seconds beyond a lease in which whoever took it over may send."""
_SECOND = 1_000_000


class OwedReplies:
    """Hands every reply that is owed to the sender, in the order of its thread, if this worker answers for it.

    A reply behind one that another worker owes waits for that: a person never finds an older question below a newer.
    """

    name = "replies owed"

    def __init__(self, flows: Flows, log: Log, sender: Sender, leases: Leases, clock: Clock) -> None:
        """Read what is owed in this log, and send it through this sender."""
        self._flows = flows
        self._log = log
        self._sender = sender
        self._leases = leases
        self._clock = clock
        self._waiting: dict[ThreadId, int] = {}
        self._one_at_a_time = asyncio.Lock()

    async def resume(self) -> int:
        """Hand over what is owed and not under way; give the number of replies. Without room, it is left for later."""
        taken_up, left = 0, self._sender.left
        if left.forgotten:
            left.forget()
            return 0
        async for owed in self._log.owed():
            if not self._sender.has_room:
                left.forget()
                break
            if owed.thread_id not in left:
                taken_up += await self._take_up(owed)
        return taken_up

    async def run(self) -> None:
        """For ever: take up what was left, as soon as there is room; who came last first, for they are waiting."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_taking_up())
            group.create_task(self._look_again())

    async def _keep_taking_up(self) -> None:
        while True:
            await self._sender.left.some()
            try:
                await self._take_up_what_was_left()
            except HoldfastError as error:
                logger.warning("replies that are owed are taken up later: %s", error)
                await self._clock.sleep(_PAUSE)

    async def _look_again(self) -> None:
        """See again and again whether what threads wait for has been answered."""
        while True:
            await self._sender.left.some_held()
            await self._clock.sleep(_LOOK_AGAIN)
            for thread_id in self._sender.left.held:
                self._sender.left.add(thread_id)

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
        """Hand over what this worker answers for; give the number of replies."""
        async with self._one_at_a_time:
            if not any(self._is_mine(owed, event_id) for event_id in owed.event_ids):
                self._waiting.pop(owed.thread_id, None)
                return 0
            safe = await self._log.secure(owed.thread_id)
            history = await self._log.history(owed.thread_id)
            replies = replies_to(self._flows, owed.thread_id, history, frozenset(owed.event_ids), safe=safe)
            wanted = [one for one in replies if not self._sender.has(one.answers)]
            open_ = [one for one in wanted if not await self._answered(history, one.answers)]
            return self._hand_over(self._in_turn(owed, await self._with_the_newest(owed.thread_id, history, open_)))

    async def _with_the_newest(
        self, thread_id: ThreadId, history: tuple[Event, ...], replies: list[Reply]
    ) -> list[Reply]:
        """Let replies that come late, below a newer one, end with that one's card: it is the one to go on from."""
        if not replies:
            return replies
        newest = owing(history)[-1]
        if newest == replies[-1].answers or not await self._log.delivered(newest):
            return replies
        [card] = replies_to(self._flows, thread_id, history, frozenset((newest,)), safe=True)
        *before, last = replies
        return [*before, replace(last, screens=(*last.screens, replace(card.screens[-1], in_place="")))]

    def _is_mine(self, owed: Owed, event_id: EventId) -> bool:
        origin = owed.others.get(event_id)
        return origin is None or self._leases.answers_for(origin)

    def _in_turn(self, owed: Owed, replies: Sequence[Reply]) -> list[Reply]:
        """Choose what may be sent now: all up to the first one that another worker must send before."""
        mine = [self._is_mine(owed, one.answers) for one in replies]
        first = mine.index(False) if False in mine else len(replies)
        behind = any(mine[first:])
        if behind and not self._has_waited(owed.thread_id):
            self._sender.left.hold(owed.thread_id)
            return [self._in_place_of(owed, one) for one in replies[:first]]
        self._waiting.pop(owed.thread_id, None)
        if not behind:
            return [self._in_place_of(owed, one) for one in replies[:first]]
        logger.info("another worker's replies have not come, and others go out without waiting any longer")
        return [one for one, is_mine in zip(replies, mine, strict=True) if is_mine or self._leases.are_sure]

    def _has_waited(self, thread_id: ThreadId) -> bool:
        """Whether a thread has waited long enough for another worker, or for who takes over from it."""
        now = self._clock.now()
        since = self._waiting.setdefault(thread_id, now)
        most = self._leases.seconds + _MARGIN if self._leases.are_sure else min(_GRACE, self._leases.seconds)
        return now - since >= most * _SECOND

    @staticmethod
    def _in_place_of(owed: Owed, reply: Reply) -> Reply:
        return replace(reply, origin=owed.others.get(reply.answers))

    def _hand_over(self, replies: Sequence[Reply]) -> int:
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

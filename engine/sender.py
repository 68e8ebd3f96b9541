"""Sending: in order per chat, many chats at once; a reply is owed until its fate is recorded."""

import asyncio
import logging
from collections import OrderedDict, deque

from holdfast.domain.errors import (
    Blocked,
    LogUnavailable,
    TelegramRefused,
    TelegramUnreachable,
)
from holdfast.domain.ids import EventId, ThreadId
from holdfast.domain.ports import Clock, Delivery, Log, Messenger
from holdfast.domain.screen import Screen
from holdfast.engine.blame import where
from holdfast.engine.grace import SENDING
from holdfast.engine.reply import Reply

logger = logging.getLogger("holdfast.engine")
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 30.0
_CHATS = 10_000
"""How many chats' last messages are remembered; in a chat that was forgotten nothing is changed in place."""


class Sender:
    """Sends replies and records their fate. Bounded: `put` waits while too many are under way."""

    def __init__(self, log: Log, messenger: Messenger, clock: Clock, *, at_once: int = 64, waiting: int = 2000) -> None:
        """Send through a messenger, `at_once` chats at a time, with at most `waiting` replies held."""
        self._log = log
        self._messenger = messenger
        self._clock = clock
        self._slots = asyncio.Semaphore(at_once)
        self._room = asyncio.Semaphore(waiting)
        self._queues: dict[ThreadId, deque[Reply]] = {}
        self._under_way: set[EventId] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._last_shown: OrderedDict[ThreadId, int] = OrderedDict()

    def has(self, event_id: EventId) -> bool:
        """Whether the reply to this event is waiting here or being sent."""
        return event_id in self._under_way

    async def put(self, reply: Reply) -> None:
        """Take a reply over, behind the others of its thread."""
        if reply.answers in self._under_way:
            return
        self._under_way.add(reply.answers)
        try:
            await self._room.acquire()
        except BaseException:
            self._under_way.discard(reply.answers)
            raise
        queue = self._queues.get(reply.thread_id)
        if queue is not None:
            queue.append(reply)
            return
        self._queues[reply.thread_id] = deque((reply,))
        task = asyncio.create_task(self._drain(reply.thread_id), name="sender")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settle(self) -> None:
        """Wait until nothing is left to send."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self, seconds: float = SENDING) -> None:
        """Give what is under way some time, then stop; what was not recorded stays owed."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _drain(self, thread_id: ThreadId) -> None:
        queue = self._queues[thread_id]
        try:
            while queue:
                await self._deliver(queue[0])
                self._under_way.discard(queue.popleft().answers)
                self._room.release()
        finally:
            for reply in self._queues.pop(thread_id):
                self._under_way.discard(reply.answers)
                self._room.release()

    async def _deliver(self, reply: Reply) -> None:
        try:
            delivery = await self._send(reply)
        except Exception as error:  # noqa: BLE001 - one reply that cannot be sent must not hold up the others
            logger.error("sending failed: %s", where(error))
            delivery = self._fate(reply, "failed", (), 1)
        await self._record(delivery)

    async def _send(self, reply: Reply) -> Delivery:
        pause, attempts = _FIRST_PAUSE, 0
        while True:
            attempts += 1
            try:
                return self._fate(reply, "sent", await self._show(reply, attempts), attempts)
            except TelegramUnreachable as error:
                await self._clock.sleep(max(pause, error.retry_after))
                pause = min(2 * pause, _LONGEST_PAUSE)
            except Blocked:
                return self._fate(reply, "blocked", (), attempts)
            except TelegramRefused as error:
                logger.error("a reply was refused: %s", error)
                return self._fate(reply, "failed", (), attempts)

    async def _show(self, reply: Reply, attempts: int) -> tuple[int, ...]:
        async with self._slots:
            if reply.callback_id and attempts == 1:
                await self._messenger.acknowledge(reply.callback_id)
            return tuple([await self._show_one(reply, screen) for screen in reply.screens])

    async def _show_one(self, reply: Reply, screen: Screen) -> int:
        """Show a screen; the message that was tapped is changed only where the screen may take its place."""
        is_last = self._last_shown.get(reply.thread_id) == reply.tapped
        replaces = reply.tapped if screen.in_place == "any" or (screen.in_place and is_last) else 0
        message_id = await self._messenger.send(reply.chat_id, screen, replaces)
        if message_id != replaces:
            self._last_shown[reply.thread_id] = message_id
            self._last_shown.move_to_end(reply.thread_id)
            if len(self._last_shown) > _CHATS:
                self._last_shown.popitem(last=False)
        return message_id

    def _fate(self, reply: Reply, outcome: str, message_ids: tuple[int, ...], attempts: int) -> Delivery:
        return Delivery(
            thread_id=reply.thread_id,
            answers=reply.answers,
            screens=reply.screens,
            message_ids=message_ids,
            outcome=outcome,
            attempts=attempts,
            at=self._clock.now(),
        )

    async def _record(self, delivery: Delivery) -> None:
        pause = _FIRST_PAUSE
        while True:
            try:
                return await self._log.record(delivery)
            except LogUnavailable as error:
                logger.error("a delivery is not recorded yet: %s", error)
                await self._clock.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            except Exception as error:  # noqa: BLE001 - it stays owed, and must not hold up the others
                return logger.error("a delivery cannot be recorded: %s", where(error))

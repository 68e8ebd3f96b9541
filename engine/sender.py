"""Sending: in order per chat, many chats at once; a reply is owed until its fate is recorded."""

import asyncio
import logging
from collections import OrderedDict, deque

from msgspec.structs import replace

from holdfast.domain.errors import (
    Blocked,
    LogUnavailable,
    TelegramRefused,
    TelegramUnreachable,
)
from holdfast.domain.ids import EventId, ThreadId
from holdfast.domain.ports import Clock, Delivery, Leases, Log, Messenger
from holdfast.domain.screen import Screen
from holdfast.engine.blame import where
from holdfast.engine.grace import SENDING
from holdfast.engine.left import Left
from holdfast.engine.pacing import Pacing
from holdfast.engine.reply import Reply

logger = logging.getLogger("holdfast.engine")
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 30.0
_CHATS = 10_000
"""How many chats' last messages are remembered; in a chat that was forgotten nothing is changed in place."""


class Sender:
    """Sends replies and records their fate. Bounded: what is too much is left to the log, and nobody waits here."""

    def __init__(  # noqa: PLR0913 - what a sender is wired to, and its bounds
        self,
        log: Log,
        messenger: Messenger,
        clock: Clock,
        *,
        leases: Leases | None = None,
        pacing: Pacing | None = None,
        at_once: int = 64,
        waiting: int = 2000,
    ) -> None:
        """Send through a messenger, `at_once` chats at a time, with at most `waiting` replies held.

        Without a pacing, as fast as the messenger takes them; without leases, there is no other worker.
        """
        self._log = log
        self._messenger = messenger
        self._clock = clock
        self._leases = leases
        self._pacing = pacing
        self._slots = asyncio.Semaphore(at_once)
        self._waiting = waiting
        self._few = min(2 * at_once, waiting)
        self._room = asyncio.Event()
        self._room.set()
        self.left = Left()
        """Threads to be taken up from the log when there is room again."""
        self._queues: dict[ThreadId, deque[Reply]] = {}
        self._under_way: set[EventId] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._last_shown: OrderedDict[ThreadId, int] = OrderedDict()

    def has(self, event_id: EventId) -> bool:
        """Whether the reply to this event is waiting here or being sent."""
        return event_id in self._under_way

    def __len__(self) -> int:
        """Count the replies that wait here or are being sent."""
        return len(self._under_way)

    async def put(self, reply: Reply) -> None:
        """Take a reply over, behind the others of its thread, at once; without room it is left to the log.

        So it is behind what another worker owes its person. Replies that nobody waits for leave room to the others.
        """
        if reply.answers in self._under_way:
            return
        room = self._waiting if reply.awaited else self._few
        if reply.thread_id in self.left or len(self._under_way) >= room or self._log.owes_elsewhere(reply.thread_id):
            self.left.add(reply.thread_id)
        else:
            self._take(reply)

    def take_up(self, reply: Reply) -> bool:
        """Take over a reply that the log owed; false when there is no room."""
        if reply.answers in self._under_way:
            return True
        if not self.has_room:
            return False
        self._take(replace(reply, taken_up=True))
        return True

    @property
    def has_room(self) -> bool:
        """Whether few replies are under way, so that what was left can be taken up."""
        return self._room.is_set()

    async def room(self) -> None:
        """Wait until few replies are under way."""
        await self._room.wait()

    def _take(self, reply: Reply) -> None:
        self._under_way.add(reply.answers)
        if len(self._under_way) >= self._few:
            self._room.clear()
        queue = self._queues.get(reply.thread_id)
        if queue is not None:
            queue.append(reply)
            return
        self._queues[reply.thread_id] = deque((reply,))
        task = asyncio.create_task(self._drain(reply.thread_id), name="sender")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _let_go(self, reply: Reply) -> None:
        self._under_way.discard(reply.answers)
        if len(self._under_way) < self._few:
            self._room.set()

    @property
    def is_idle(self) -> bool:
        """Whether nothing is being sent; something may be left to the log."""
        return not self._tasks

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
                self._let_go(queue.popleft())
        finally:
            for reply in self._queues.pop(thread_id):
                self._let_go(reply)

    async def _deliver(self, reply: Reply) -> None:
        sending = _Sending(reply)
        try:
            sending.parts = tuple(part for screen in reply.screens for part in self._messenger.parts(screen))
            outcome = await self._send(sending)
        except Exception as error:  # noqa: BLE001 - one reply that cannot be sent must not hold up the others
            logger.error("sending failed: %s", where(error))
            outcome = "failed"
        if outcome:
            await self._record(sending.delivery(outcome, self._clock.now()))

    async def _send(self, sending: "_Sending") -> str:
        """Try until it is shown, or can't be; give the outcome: none when it was sent, or another worker sends it."""
        pause = _FIRST_PAUSE
        while True:
            if (sending.attempts or sending.reply.taken_up) and await self._is_sent_or_anothers(sending.reply):
                return ""
            sending.attempts += 1
            try:
                await self._show(sending)
            except TelegramUnreachable as error:
                await self._wait(sending.reply.chat_id, pause, error.retry_after)
                pause = min(2 * pause, _LONGEST_PAUSE)
            except Blocked:
                return "blocked"
            except TelegramRefused as error:
                logger.error("a reply was refused: %s", error)
                return "failed"
            else:
                return "sent"

    async def _is_sent_or_anothers(self, reply: Reply) -> bool:
        """Whether it was sent by now, here or by another worker, or another one answers for it again."""
        if reply.origin and self._leases and not self._leases.answers_for(reply.origin):
            return True
        try:
            return await self._log.delivered(reply.answers)
        except LogUnavailable:
            return False

    async def _wait(self, chat_id: int, pause: float, retry_after: float) -> None:
        if retry_after and self._pacing is not None:
            self._pacing.refused(chat_id, retry_after)
        await self._clock.sleep(max(pause, retry_after))

    async def _show(self, sending: "_Sending") -> None:
        """Show what was not shown yet; only while it goes out does it take one of the places."""
        reply = sending.reply
        if reply.callback_id and sending.attempts == 1:
            async with self._slots:
                await self._messenger.acknowledge(reply.callback_id)
        for part in sending.parts[len(sending.shown) :]:
            if self._pacing is not None:
                await self._pacing.turn(reply.chat_id)
            async with self._slots:
                sending.shown.append(await self._show_one(reply, part))

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


class _Sending:
    """A reply on its way: its messages, and the ids of those that were shown; at each attempt it goes on there."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        self.parts: tuple[Screen, ...] = reply.screens
        self.shown: list[int] = []
        self.attempts = 0

    def delivery(self, outcome: str, at: int) -> Delivery:
        """Write what became of it."""
        return Delivery(
            thread_id=self.reply.thread_id,
            answers=self.reply.answers,
            screens=self.parts,
            message_ids=tuple(self.shown),
            outcome=outcome,
            attempts=self.attempts,
            at=at,
        )

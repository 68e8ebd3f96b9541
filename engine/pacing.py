"""How fast messages go out: so many a second in all, and one a second to each chat after a short burst."""

import asyncio
from collections import OrderedDict

from msgspec import Struct

from holdfast.domain.ports import Clock

_SECOND = 1_000_000
_MOMENT = 1e-6
"""Seconds that no clock can tell from nothing: who waited for less would wait for ever."""
_NEAR = 1.0
_SEVERAL = 3
"""So many chats told to wait within a second: it is the whole bot that goes too fast."""


class Rate(Struct, frozen=True):
    """How many messages may go out at once when it was silent before, and how many a second after that."""

    burst: int
    per_second: float


OVERALL = Rate(10, 30)
"""Telegram takes about thirty a second. Fewer at once: what goes out evenly may arrive in a heap."""
CHAT = Rate(3, 1)
GROUP = Rate(3, 20 / 60)


class Pacing:
    """Lets messages pass, first come first served, none sooner than Telegram would take it.

    A chat is known here only until it may have a whole burst again.
    """

    def __init__(self, clock: Clock, *, overall: Rate = OVERALL, chat: Rate = CHAT, group: Rate = GROUP) -> None:
        """Begin as if it had long been silent."""
        self._clock = clock
        self._whole = self._overall = overall
        self._chat, self._group = chat, group
        self._seen = clock.now()
        self._elapsed = 0.0
        self._free = 0.0
        self._chats: OrderedDict[int, float] = OrderedDict()
        self._refused: dict[int, float] = {}
        self._opens = 0.0
        self._line = asyncio.Lock()

    def share(self, workers: int) -> None:
        """So many workers send for one bot: each takes its part of what may go out in all."""
        whole, workers = self._whole, max(workers, 1)
        self._overall = Rate(max(whole.burst // workers, 1), whole.per_second / workers)

    @property
    def chats(self) -> int:
        """How many chats are known."""
        return len(self._chats)

    def _now(self) -> float:
        """Give the seconds that have passed; a clock that is set back makes nobody wait for longer."""
        now = self._clock.now()
        self._elapsed += max(now - self._seen, 0) / _SECOND
        self._seen = now
        return self._elapsed

    async def turn(self, chat_id: int) -> None:
        """Wait until a message, or a change of one, may go to a chat. One at a time waits for each chat."""
        rate = self._group if chat_id < 0 else self._chat
        while (wait := self._chats.get(chat_id, 0.0) - _slack(rate) - self._now()) > _MOMENT:
            await self._clock.sleep(wait)
        async with self._line:
            # What passes is counted as it passes: after a moment in which nothing ran, no heap goes out.
            while (wait := max(self._free - _slack(self._overall), self._opens) - self._now()) > _MOMENT:
                await self._clock.sleep(wait)
            self._free = max(self._free, self._elapsed) + 1 / self._overall.per_second
            self._spend_in(chat_id, rate)

    def _spend_in(self, chat_id: int, rate: Rate) -> None:
        self._forget()
        self._chats[chat_id] = max(self._chats.get(chat_id, 0.0), self._elapsed) + 1 / rate.per_second
        self._chats.move_to_end(chat_id)

    def _forget(self) -> None:
        """Let go of the chats that have waited longest, as far as they may have a whole burst again."""
        while self._chats and next(iter(self._chats.values())) <= self._elapsed:
            self._chats.popitem(last=False)

    def refused(self, chat_id: int, seconds: float) -> None:
        """Telegram asked to wait so long with a chat; when it asks with several at once, all wait."""
        now = self._now()
        self._refused = {chat: at for chat, at in self._refused.items() if now - at < _NEAR} | {chat_id: now}
        if len(self._refused) >= _SEVERAL:
            self._opens = max(self._opens, now + seconds)
            # They go out evenly then, without a burst.
            self._free = max(self._free, self._opens + _slack(self._overall))


def _slack(rate: Rate) -> float:
    """Give how many seconds' worth of messages may go out ahead of their time."""
    return (rate.burst - 1) / rate.per_second

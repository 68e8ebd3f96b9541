"""How fast a bot may send."""

import math
from collections import OrderedDict

import msgspec

from holdfast.sandbox.clock import Clock
from holdfast.sandbox.errors import TooManyRequests

KEPT_CHATS = 10_000


class Bucket:
    """Holds a burst and fills at a rate."""

    def __init__(self, burst: float, per_second: float, now: float) -> None:
        self._burst = burst
        self._rate = per_second
        self._level = burst
        self._seen = now

    def wait(self, amount: int, now: float) -> float:
        """Seconds until `amount` can be taken; 0 when it can be taken now."""
        self._level = min(self._burst, self._level + max(0.0, now - self._seen) * self._rate)
        self._seen = now
        return max(0.0, (min(amount, self._burst) - self._level) / self._rate)

    def take(self, amount: int) -> None:
        self._level -= amount


class Rule(msgspec.Struct, frozen=True):
    """A burst that passes, and the rate at which it comes back."""

    burst: float
    per_second: float

    def bucket(self, now: float) -> Bucket:
        return Bucket(self.burst, self.per_second, now)


# Telegram publishes the rates: "about" 30 a second, 1 a second for a chat with short bursts passing, 20 a
# minute for a group. How long a short burst is it does not say; five is what a bot can count on.
OVERALL = Rule(30, 30)
CHAT = Rule(5, 1)
GROUP = Rule(20, 20 / 60)


class Limits:
    """Refuses what comes too fast, when switched on."""

    def __init__(self, clock: Clock, *, enabled: bool) -> None:
        self.enabled = enabled
        self._clock = clock
        self._overall = OVERALL.bucket(clock.now())
        self._chats: OrderedDict[int, Bucket] = OrderedDict()  # the least recently used goes first

    def spend(self, chat_id: int, amount: int = 1) -> None:
        """Count messages to a chat; refuse them with the seconds to wait."""
        if not self.enabled:
            return
        now = self._clock.now()
        buckets = (self._overall, self._chat(chat_id, now))
        wait = max(bucket.wait(amount, now) for bucket in buckets)
        if wait > 0:
            raise TooManyRequests(math.ceil(wait))
        for bucket in buckets:
            bucket.take(amount)

    def _chat(self, chat_id: int, now: float) -> Bucket:
        if chat_id not in self._chats:
            self._chats[chat_id] = (GROUP if chat_id < 0 else CHAT).bucket(now)
        self._chats.move_to_end(chat_id)
        if len(self._chats) > KEPT_CHATS:
            self._chats.popitem(last=False)
        return self._chats[chat_id]

"""Who may use the bot, and how fast: what is barred is kept all the same, and said why."""

from collections import OrderedDict

from msgspec import Struct

_BURST = 120.0
_PER_SECOND = 2.0
_TELL_AGAIN = 30.0
_REMEMBERED = 10_000
_SECOND = 1_000_000


class _Bucket(Struct):
    level: float
    at: int
    told_at: int = 0


class Gate:
    """An allow-list and a bucket of inputs per person. Owners are always let in, as fast as they like."""

    def __init__(self, allowed: frozenset[int], owners: frozenset[int]) -> None:
        """Let in whom the lists name; with no allow-list, everyone."""
        self._allowed = allowed
        self._owners = owners
        self._buckets: OrderedDict[int, _Bucket] = OrderedDict()

    def bar(self, user_id: int, now: int) -> str:
        """Name the limit an input meets: not_allowed, too_fast, flood (too fast, and told already); else empty."""
        if user_id in self._owners:
            return ""
        if self._allowed and user_id not in self._allowed:
            return "not_allowed"
        bucket = self._filled(user_id, now)
        if bucket.level >= 1:
            bucket.level -= 1
            return ""
        if now - bucket.told_at < _TELL_AGAIN * _SECOND:
            return "flood"
        bucket.told_at = now
        return "too_fast"

    def _filled(self, user_id: int, now: int) -> _Bucket:
        bucket = self._buckets.pop(user_id, None) or _Bucket(_BURST, now)
        self._buckets[user_id] = bucket
        if len(self._buckets) > _REMEMBERED:
            self._buckets.popitem(last=False)
        passed = max(now - bucket.at, 0)  # a clock may be set back
        bucket.level = min(_BURST, bucket.level + passed / _SECOND * _PER_SECOND)
        bucket.at = now
        return bucket

"""What changed, for those who watch: the web chat and waiting tests."""

from collections import deque
from itertools import islice
from typing import Any

import msgspec

from holdfast.sandbox.numbers import Numbers
from holdfast.sandbox.signals import Signal

KEPT = 20_000


class Change(msgspec.Struct, frozen=True):
    """One thing that changed; the body is JSON."""

    number: int
    kind: str
    body: bytes


class Changes:
    """The last changes; a watcher who comes too late for the next one is told to read all again."""

    def __init__(self, beginning: int) -> None:
        self.numbers = Numbers(beginning)
        self.happened = Signal()
        self.closed = False
        self._first = beginning + 1
        self._kept: deque[Change] = deque(maxlen=KEPT)

    def add(self, kind: str, body: dict[str, Any]) -> int:
        """Tell the watchers; the number of the change."""
        number = self.numbers.next()
        self._kept.append(Change(number, kind, msgspec.json.encode(body)))
        self._first = self._kept[0].number
        self.happened.fire()
        return number

    def after(self, number: int) -> list[Change] | None:
        """What came after a change, None when that is no longer known."""
        if not self._first - 1 <= number <= self.numbers.last:
            return None
        return list(islice(self._kept, number + 1 - self._first, None))

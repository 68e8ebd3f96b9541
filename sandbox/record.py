"""What was put in and what the bot did, for tests to read."""

from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import Any, Generic, TypeVar

import msgspec

KEPT = 200_000


class Input(msgspec.Struct, frozen=True):
    """One thing a person did. `update_id` is null when the bot had not asked for such updates."""

    number: int
    kind: str
    update_id: int | None
    chat_id: int
    message_id: int | None
    person_id: int
    text: str | None
    time: float


class Call(msgspec.Struct, frozen=True):
    """One Bot API call. `status` is null when the connection was cut instead of an answer."""

    number: int
    method: str
    params: dict[str, Any]
    time: float
    status: int | None
    description: str | None
    fault: str | None


Entry = TypeVar("Entry", Input, Call)


class Log(Generic[Entry]):
    """The last 200,000 entries; their numbers go on after the oldest are gone."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=KEPT)
        self.count = 0

    def next_number(self) -> int:
        """The number of the next entry."""
        self.count += 1
        return self.count

    def add(self, entry: Entry) -> None:
        self._entries.append(entry)

    def after(self, number: int) -> Iterator[Entry]:
        """The entries behind a number, oldest first."""
        first = self.count - len(self._entries) + 1
        return islice(self._entries, max(0, number + 1 - first), None)

    def clear(self) -> None:
        """Forget all; the numbers go on."""
        self._entries.clear()

"""The events whose append has not come to its end: they may still be taken back."""

import asyncio
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager

from holdfast.domain.ids import EventId, ThreadId


class Flights:
    """What is in flight now, and what was at any moment of a read."""

    def __init__(self) -> None:
        """Begin with nothing in flight."""
        self._now: set[EventId] = set()
        self._threads: dict[ThreadId, asyncio.Event] = {}
        self._watches: list[set[EventId]] = []

    def __bool__(self) -> bool:
        return bool(self._now)

    def __contains__(self, event_id: EventId) -> bool:
        return event_id in self._now

    def begin(self, event_id: EventId, thread_id: ThreadId) -> None:
        """An append begins; a thread has one at a time."""
        self._now.add(event_id)
        self._threads[thread_id] = asyncio.Event()
        for watch in self._watches:
            watch.add(event_id)

    def end(self, event_id: EventId, thread_id: ThreadId) -> None:
        """An append has come to its end: its event counts for good, or has been taken back."""
        self._now.discard(event_id)
        if landed := self._threads.pop(thread_id, None):
            landed.set()

    def of(self, thread_id: ThreadId) -> asyncio.Event | None:
        """Give what is set when the append of a thread that is in flight has come to its end; None when none is."""
        return self._threads.get(thread_id)

    @contextmanager
    def watched(self) -> Iterator[AbstractSet[EventId]]:
        """Give all that is in flight at any moment from now to the end of the block.

        What is read in that time may show such an event as if it counted, though it is taken back by the time the
        reader looks at it.
        """
        watch = set(self._now)
        self._watches.append(watch)
        try:
            yield watch
        finally:
            self._watches = [one for one in self._watches if one is not watch]

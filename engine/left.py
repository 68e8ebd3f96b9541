"""Threads whose replies are left to the log for a while, since too many are under way."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

from holdfast.domain.ids import ThreadId

_REMEMBERED = 10_000


class Left:
    """Which threads have replies in the log that nobody here sends yet. Bounded: the oldest may be forgotten.

    Nothing is handed over past them: a later reply of such a thread would overtake those that were left.
    """

    def __init__(self, at_most: int = _REMEMBERED) -> None:
        """Begin with nothing left; remember so many threads."""
        self._at_most = at_most
        self._threads: OrderedDict[ThreadId, None] = OrderedDict()
        self._taken_up: dict[ThreadId, bool] = {}
        self._some = asyncio.Event()
        self.forgotten = 0
        """How many threads had to be forgotten since somebody looked for them in the log."""

    def __contains__(self, thread_id: ThreadId) -> bool:
        """Whether something of this thread was left; every thread's may be, while some are forgotten."""
        return bool(self.forgotten) or thread_id in self._threads or thread_id in self._taken_up

    def __bool__(self) -> bool:
        """Whether anything is left."""
        return bool(self.forgotten or self._threads or self._taken_up)

    def __len__(self) -> int:
        """Count the threads that are remembered."""
        return len(self._threads)

    def add(self, thread_id: ThreadId) -> None:
        """Leave a thread to the log: it is taken up next, for somebody may be waiting."""
        if thread_id in self._taken_up:
            self._taken_up[thread_id] = True
            return
        self._threads[thread_id] = None
        self._threads.move_to_end(thread_id)
        if len(self._threads) > self._at_most:
            self._threads.popitem(last=False)
            self.forgotten += 1
        self._some.set()

    async def some(self) -> None:
        """Wait until something is left."""
        while not self:
            self._some.clear()
            await self._some.wait()

    @contextmanager
    def newest(self) -> Iterator[ThreadId]:
        """Give the thread that came last, to be taken up in this block; there must be one.

        What is left of it meanwhile leaves it once more; so does a block that fails.
        """
        thread_id, _ = self._threads.popitem()
        self._taken_up[thread_id] = False
        try:
            yield thread_id
        except BaseException:
            self._taken_up[thread_id] = True
            raise
        finally:
            if self._taken_up.pop(thread_id):
                self.add(thread_id)

    def found(self, forgotten: int) -> None:
        """So many forgotten threads have been looked for in the log."""
        self.forgotten -= forgotten

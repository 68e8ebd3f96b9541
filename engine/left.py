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
        self._held: set[ThreadId] = set()
        self._some = asyncio.Event()
        self._some_held = asyncio.Event()
        self.forgotten = 0
        """How many threads had to be forgotten since somebody looked for them in the log."""

    def __contains__(self, thread_id: ThreadId) -> bool:
        """Whether something of this thread was left; every thread's may be, while some are forgotten."""
        known = (self._threads, self._taken_up, self._held)
        return bool(self.forgotten) or any(thread_id in threads for threads in known)

    def __bool__(self) -> bool:
        """Whether anything is left."""
        return bool(self.forgotten or self._threads or self._taken_up or self._held)

    def __len__(self) -> int:
        """Count the threads that are remembered."""
        return len(self._threads)

    def add(self, thread_id: ThreadId) -> None:
        """Leave a thread to the log: it is taken up next, for somebody may be waiting."""
        if thread_id in self._taken_up:
            self._taken_up[thread_id] = True
            return
        self._held.discard(thread_id)
        self._threads[thread_id] = None
        self._threads.move_to_end(thread_id)
        if len(self._threads) > self._at_most:
            self._threads.popitem(last=False)
            self.forgotten += 1
        self._some.set()

    def forget(self) -> None:
        """More is left than anybody looked at: the log must be searched for it."""
        self.forgotten += 1
        self._some.set()

    def hold(self, thread_id: ThreadId) -> None:
        """Keep a thread aside: taking it up again makes no sense just now."""
        if len(self._held) < self._at_most:
            self._held.add(thread_id)
            self._some_held.set()
        else:
            self.forget()

    @property
    def held(self) -> tuple[ThreadId, ...]:
        """The threads that are kept aside."""
        return tuple(self._held)

    async def some(self) -> None:
        """Wait until something is left that can be taken up."""
        while not (self.forgotten or self._threads):
            self._some.clear()
            await self._some.wait()

    async def some_held(self) -> None:
        """Wait until a thread is kept aside."""
        while not self._held:
            self._some_held.clear()
            await self._some_held.wait()

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

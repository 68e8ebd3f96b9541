"""What the engine remembers of threads, so that a warm turn reads nothing."""

from collections import OrderedDict

from msgspec import Struct

from holdfast.domain.ids import ThreadId
from holdfast.domain.ports import Head
from holdfast.domain.state import ThreadState


class Known(Struct, frozen=True, gc=False):
    """A thread's state and the head it was folded to."""

    head: Head
    state: ThreadState


class KnownThreads:
    """The threads spoken with last; a bounded number of them."""

    def __init__(self, at_most: int = 10_000) -> None:
        """Begin empty."""
        self._threads: OrderedDict[ThreadId, Known] = OrderedDict()
        self._at_most = at_most

    def get(self, thread_id: ThreadId) -> Known | None:
        """Give what is remembered of a thread."""
        known = self._threads.get(thread_id)
        if known is not None:
            self._threads.move_to_end(thread_id)
        return known

    def put(self, thread_id: ThreadId, known: Known) -> None:
        """Remember a thread, and forget the one that was silent longest when there are too many."""
        self._threads[thread_id] = known
        self._threads.move_to_end(thread_id)
        if len(self._threads) > self._at_most:
            self._threads.popitem(last=False)

    def forget(self, thread_id: ThreadId) -> None:
        """Forget a thread: the next turn reads it again."""
        self._threads.pop(thread_id, None)

"""One lane per thread: the turns of one person run one after another, those of many people at once."""

import asyncio

from holdfast.domain.ids import ThreadId


class Lane:
    """A thread's lane; whoever is in it has it alone. First come, first served."""

    def __init__(self, lanes: "dict[ThreadId, Lane]", thread_id: ThreadId) -> None:
        """Take a place among the lanes in use."""
        self._lanes = lanes
        self._thread_id = thread_id
        self._lock = asyncio.Lock()
        self._users = 0

    async def __aenter__(self) -> None:
        """Come in, or wait for one's turn."""
        self._users += 1
        try:
            await self._lock.acquire()
        except BaseException:
            self._leave()
            raise

    async def __aexit__(self, *_: object) -> None:
        """Let the next one in."""
        self._lock.release()
        self._leave()

    def _leave(self) -> None:
        self._users -= 1
        if not self._users:
            del self._lanes[self._thread_id]


class Lanes:
    """The lanes by thread; one exists only while somebody is in it or waits for it."""

    def __init__(self) -> None:
        """Begin with no lane."""
        self._lanes: dict[ThreadId, Lane] = {}

    def enter(self, thread_id: ThreadId) -> Lane:
        """Give a thread's lane, to be had to oneself with `async with`, at once."""
        lane = self._lanes.get(thread_id)
        if lane is None:
            lane = self._lanes[thread_id] = Lane(self._lanes, thread_id)
        return lane

    def __len__(self) -> int:
        """Count the lanes in use."""
        return len(self._lanes)

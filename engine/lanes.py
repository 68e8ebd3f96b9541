"""One lane per thread: the turns of one person run one after another, those of many people at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from holdfast.domain.ids import ThreadId


class Lanes:
    """Locks by thread; a lane exists only while somebody is in it or waits for it. First come, first served."""

    def __init__(self) -> None:
        """Begin with no lane."""
        self._locks: dict[ThreadId, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def enter(self, thread_id: ThreadId) -> AsyncIterator[None]:
        """Have a thread's lane to oneself."""
        lock, users = self._locks.get(thread_id) or (asyncio.Lock(), 0)
        self._locks[thread_id] = (lock, users + 1)
        try:
            async with lock:
                yield
        finally:
            lock, users = self._locks.pop(thread_id)
            if users > 1:
                self._locks[thread_id] = (lock, users - 1)

    def __len__(self) -> int:
        """Count the lanes in use."""
        return len(self._locks)

"""Long polls: only one at a time."""

import asyncio

from holdfast.sandbox.errors import Conflict
from holdfast.sandbox.updates import Update, Updates

LONGEST = 50
ANOTHER = "terminated by other getUpdates request; make sure that only one bot instance is running"


class Polls:
    """Lets the newest poll wait; the one before it ends with a conflict."""

    def __init__(self) -> None:
        self.waiting = 0
        self._newest = 0
        self._ended_by = ANOTHER
        self._closed = False

    async def updates(self, updates: Updates, limit: int, seconds: int) -> list[Update]:
        """What waits, or what comes within some seconds."""
        self.end(updates, ANOTHER)
        mine = self._newest
        until = asyncio.get_running_loop().time() + min(seconds, LONGEST)
        self.waiting += 1
        try:
            return await self._next(updates, limit, until, mine)
        finally:
            self.waiting -= 1

    async def _next(self, updates: Updates, limit: int, until: float, mine: int) -> list[Update]:
        now = asyncio.get_running_loop().time
        while not (batch := updates.take(limit)) and not self._closed and (left := until - now()) > 0:
            await updates.arrived.wait(left)
            if mine != self._newest:
                raise Conflict(self._ended_by)
        return batch

    def end(self, updates: Updates, why: str) -> None:
        """End the poll that waits, if any."""
        self._newest += 1
        self._ended_by = why
        updates.arrived.fire()

    def close(self, updates: Updates) -> None:
        """Let no poll wait any longer: the sandbox stops."""
        self._closed = True
        updates.arrived.fire()

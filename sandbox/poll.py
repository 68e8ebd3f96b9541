"""Long polls: only one at a time."""

import asyncio

from holdfast.sandbox.errors import Conflict
from holdfast.sandbox.updates import Update, Updates

LONGEST = 50
ANOTHER = "terminated by other getUpdates request; make sure that only one bot instance is running"


class Polls:
    """Lets the newest poll wait; the one before it ends with a conflict."""

    def __init__(self) -> None:
        self._newest = 0
        self._closed = False

    async def updates(self, updates: Updates, limit: int, seconds: int) -> list[Update]:
        """What waits, or what comes within some seconds."""
        self._newest += 1
        mine = self._newest
        updates.arrived.fire()
        loop = asyncio.get_running_loop()
        until = loop.time() + min(seconds, LONGEST)
        while not (batch := updates.take(limit)) and not self._closed and (left := until - loop.time()) > 0:
            await updates.arrived.wait(left)
            if mine != self._newest:
                raise Conflict(ANOTHER)
        return batch

    def close(self, updates: Updates) -> None:
        """Let no poll wait any longer: the sandbox stops."""
        self._closed = True
        updates.arrived.fire()

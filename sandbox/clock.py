"""The sandbox's time, which a test can move forward."""

import time
from collections.abc import Callable

from holdfast.sandbox.signals import Signal


class Clock:
    """The time of day plus whatever it was advanced by; sleepers wake when it is advanced far enough."""

    def __init__(self, source: Callable[[], float] = time.time) -> None:
        self._source = source
        self._ahead = 0.0
        self._advanced = Signal()
        self._stopped = False

    def now(self) -> float:
        """Seconds since 1970."""
        return self._source() + self._ahead

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass at once."""
        self._ahead += seconds
        self._advanced.fire()

    def stop(self) -> None:
        """Wake every sleeper: the sandbox ends."""
        self._stopped = True
        self._advanced.fire()

    async def sleep(self, seconds: float) -> None:
        """Wait until this clock shows `seconds` more."""
        until = self.now() + seconds
        while (left := until - self.now()) > 0 and not self._stopped:
            await self._advanced.wait(left)

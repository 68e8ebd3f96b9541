"""Everything that owes something computes what it owes from the log and takes it up: here all of them are called."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Protocol

from holdfast.domain.errors import HoldfastError
from holdfast.domain.ports import Clock, Log
from holdfast.engine.blame import where

logger = logging.getLogger("holdfast.engine")
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0


class Resumable(Protocol):
    """Something that may owe something: what it owes follows from the log, so it may be asked at any time."""

    @property
    def name(self) -> str:
        """What is taken up, as operators read it: `replies owed`."""

    async def resume(self) -> int:
        """Take up what is owed, and give how much that was; twice in a row, nothing is done twice.

        Whatever it raises is named, and it is asked again.
        """


class Recovery:
    """Calls all that may owe something, in order, and again where one failed. It owns no task: `run` is one."""

    def __init__(self, clock: Clock) -> None:
        """Begin with nothing that failed."""
        self._clock = clock
        self._failed: dict[str, Resumable] = {}
        self._some_failed = asyncio.Event()

    async def resume(self, duties: Sequence[Resumable]) -> int:
        """Let each take up what it owes, in this order; give how much that was in all.

        One that fails holds up none of the others: it is named, and `run` calls it again.
        """
        return sum([await self._call(duty) for duty in duties])

    async def follow(self, log: Log, duties: Sequence[Resumable]) -> None:
        """For ever: whenever the log has learned of more, call these again."""
        while True:
            await log.learned()
            await self.resume(duties)

    async def run(self) -> None:
        """For ever: call again what failed, after pauses that grow until nothing fails any more."""
        while True:
            await self._some_failed.wait()
            pause = _FIRST_PAUSE
            while self._failed:
                await self._clock.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
                await self.resume(list(self._failed.values()))
            self._some_failed.clear()

    async def _call(self, duty: Resumable) -> int:
        try:
            taken_up = await duty.resume()
        except HoldfastError as error:
            return self._fail(duty, f"{error}")
        except Exception as error:  # noqa: BLE001 - one that fails must not keep the others from what they owe
            return self._fail(duty, where(error))
        self._failed.pop(duty.name, None)
        if taken_up:
            logger.info("%s: %d taken up", duty.name, taken_up)
        return taken_up

    def _fail(self, duty: Resumable, reason: str) -> int:
        logger.warning("%s can't be taken up yet, and will be tried again: %s", duty.name, reason)
        self._failed[duty.name] = duty
        self._some_failed.set()
        return 0

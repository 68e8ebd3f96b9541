"""The orderly end: asked for by a signal, bounded in time, and cut short by a second signal."""

import asyncio
import logging
import os
import select
import signal
import sys
import threading
from collections.abc import Coroutine
from types import FrameType

from holdfast.engine.grace import BOUND

logger = logging.getLogger("holdfast")
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_KILLED = 128
"""What a shell adds to a signal's number for a program that it ended."""


async def until_stopped(work: Coroutine[None, None, None], bound: float = BOUND) -> None:
    """Run until the work ends, or SIGINT or SIGTERM ends it: cancelled, it may finish what it has in hand.

    After `bound` seconds, and at a second signal, the process ends wherever it stands: with the status 0, and with
    128 and the signal's number. Everything acknowledged is on the disk by then, so that nothing is lost.
    """
    task = asyncio.create_task(work, name="bot")
    _Ending(task, bound).listen()
    try:
        await task
    except asyncio.CancelledError:
        logger.info("Holdfast has stopped; everything acknowledged is stored.")


class _Ending:
    """What signals do. They are heard by the interpreter itself, so that also a loop that stands still is ended."""

    def __init__(self, task: "asyncio.Task[None]", bound: float) -> None:
        self._task = task
        self._bound = bound
        self._loop = asyncio.get_running_loop()
        self._asked = False

    def listen(self) -> None:
        """Take signals from now on, and for good: the bound holds until the process has ended."""
        for number in _SIGNALS:
            signal.signal(number, self._hear)

    def _hear(self, number: int, _frame: FrameType | None) -> None:
        if self._asked:
            os._exit(_KILLED + number)
        self._asked = True
        timer = threading.Timer(self._bound, _give_up, (self._bound,))
        timer.daemon = True
        timer.start()
        self._loop.call_soon_threadsafe(self._task.cancel)


def _give_up(bound: float) -> None:
    """End, whatever hangs; the word about it must not hang too."""
    told = f"holdfast: it did not come to its end within {bound:g} s and was ended; everything acknowledged is stored\n"
    _, ready, _ = select.select([], [sys.stderr], [], 0)
    if ready:
        os.write(sys.stderr.fileno(), told.encode())
    os._exit(0)

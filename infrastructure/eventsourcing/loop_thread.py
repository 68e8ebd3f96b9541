"""An event loop in a thread of its own, for calls that block."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError
from threading import RLock, Thread, current_thread
from typing import Any, TypeVar

from holdfast.domain.errors import LogUnavailable

T = TypeVar("T")


class LoopThread:
    """Runs coroutines for other threads, which wait. Every coroutine brings its own deadline."""

    def __init__(self, name: str) -> None:
        """Start the thread; it ends with the process if it is not closed before."""
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._work, name=name, daemon=True)
        self._thread.start()
        self._lock = RLock()
        self._closed = False

    def _work(self) -> None:
        self._loop.run_forever()
        self._loop.close()

    def run(self, call: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run a coroutine and wait for what it gives or raises; LogUnavailable once this is closed."""
        with self._lock:
            if self._closed:
                raise LogUnavailable("the tier is closed")
            future = asyncio.run_coroutine_threadsafe(call(), self._loop)
        try:
            return future.result()
        except CancelledError:
            raise LogUnavailable("the tier was closed meanwhile") from None

    def run_last(self, call: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Break off what is under way, run one last coroutine, and end the thread; nothing when that is done.

        An application that is collected as garbage may come here in the loop's own thread, which cannot wait.
        """
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._loop.call_soon_threadsafe(self._end, call)
        if current_thread() is not self._thread:
            self._thread.join()

    def _end(self, call: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._last = self._loop.create_task(_end(call))
        self._last.add_done_callback(lambda _: self._loop.stop())


async def _end(call: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Cancel every other task and wait for their ends; after the last call let the transports see theirs."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await call()
    await asyncio.sleep(0)

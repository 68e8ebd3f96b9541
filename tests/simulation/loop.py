"""An event loop in which no time passes but what is asked for, and processes that die in the middle of a step."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Any, TypeVar, TypeVarTuple, Unpack

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
_MOST_ROUNDS = 50_000
"""How often the loop may turn at one moment of virtual time."""
_AT_ONCE = 1e-7
"""Seconds that are no time."""


class Process:
    """What a worker's tasks and timers belong to: when it dies, none of them takes another step."""

    def __init__(self, loop: "VirtualLoop", name: str) -> None:
        self.name = name
        self.dead = False
        self._loop = loop
        self.context = copy_context()
        self.context.run(_PROCESS.set, self)

    def spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run a coroutine, and all that it starts, as a part of this process."""
        return self._loop.create_task(work, context=self.context)

    def kill(self) -> None:
        """End as kill -9 ends: at this instant, with no clean-up of any kind."""
        self.dead = True
        self._loop.bury(self)


_PROCESS: ContextVar[Process | None] = ContextVar("process", default=None)


def here() -> str:
    """Name the process that is running."""
    process = _PROCESS.get()
    return process.name if process else ""


class VirtualLoop(asyncio.BaseEventLoop):
    """A loop that jumps to the next timer instead of sleeping; chance chooses among what is ready at once."""

    def __init__(self, chance: Random | None = None) -> None:
        super().__init__()
        self.world = Context()
        self._chance = chance
        self._seconds = 0.0
        self._rounds = 0
        self._withheld: list[asyncio.Handle] = []
        self._graves: set[asyncio.Task[Any]] = set()
        self._is_ending = False
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._numbers = count()

    def time(self) -> float:
        """Give the seconds that have passed."""
        return self._seconds

    def _run_once(self) -> None:
        """Turn once: run what is ready, or else let time pass, where a real loop would wait for the world."""
        ready: deque[asyncio.Handle] = self._ready  # type: ignore[attr-defined] # the loop's own queue
        if ready or self._stopping:  # type: ignore[attr-defined]
            self._rounds += 1
            if self._rounds > _MOST_ROUNDS:
                raise RuntimeError("everybody is busy, and no time passes")
        else:
            self._let_time_pass()
        self._ring(ready)
        if self._chance is not None and len(ready) > 1:
            handles = list(ready)
            self._chance.shuffle(handles)
            ready.clear()
            ready.extend(handles)
        for _ in range(len(ready)):
            handle = ready.popleft()  # what waits stays where a death can find it
            if not handle.cancelled():
                handle._run()  # noqa: SLF001 - as every loop does

    def _let_time_pass(self) -> None:
        self._rounds = 0
        while self._timers and self._timers[0][2].cancelled():
            heappop(self._timers)
        if not self._timers:
            raise RuntimeError("everybody waits, and nothing will ever happen")
        self._seconds = max(self._seconds, self._timers[0][0])

    def _ring(self, ready: "deque[asyncio.Handle]") -> None:
        """Make ready what was to happen by now."""
        now = self._seconds + _AT_ONCE
        while self._timers and self._timers[0][0] < now:
            timer = heappop(self._timers)[2]
            if not timer.cancelled():
                ready.append(timer)

    def call_at(
        self, when: float, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Keep a timer; of two for one moment the one that was made first comes first."""
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        heappush(self._timers, (when, next(self._numbers), timer))
        return timer

    def _write_to_self(self) -> None:
        """Nobody waits outside."""

    def call_soon(
        self, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Withhold what belongs to the dead."""
        handle = asyncio.Handle(callback, args, self, context)
        if self._is_ending or not _is_dead(context):
            self._ready.append(handle)  # type: ignore[attr-defined] # the loop's own queue
        else:
            self._withheld.append(handle)
        return handle

    def later(self, seconds: float, callback: Callable[[Unpack[Ts]], object], *args: *Ts) -> asyncio.TimerHandle:
        """Let something happen in the world, whoever dies meanwhile."""
        return self.call_later(seconds, callback, *args, context=self.world)

    def spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run a coroutine that belongs to no process."""
        return self.create_task(work, context=self.world.copy())

    def bury(self, process: Process) -> None:
        """Take away all that a process would still do. Its tasks are kept, or Python would clean up after them."""
        self._graves |= asyncio.all_tasks(self)
        for handle in list(self._ready):  # type: ignore[attr-defined] # the loop's own queue
            if _process_of(handle) is process:
                self._withheld.append(_copied(handle))
                handle.cancel()  # taken out of the queue, the loop would miss it
        for _, _, timer in self._timers:
            if _process_of(timer) is process:
                timer.cancel()

    def finish(self) -> None:
        """Let every coroutine that is left, of the dead too, come to its end, so that none is destroyed later."""
        self._is_ending, self._chance = True, None
        for _ in range(20):
            tasks = asyncio.all_tasks(self)
            if not tasks:
                break
            for task in tasks:
                task.cancel()
            self._ready.extend(self._withheld)  # type: ignore[attr-defined]
            self._withheld = []
            self.run_until_complete(asyncio.wait(tasks, timeout=1))
        self.close()


def _process_of(handle: asyncio.Handle) -> Process | None:
    context: Context = handle._context  # type: ignore[attr-defined] # noqa: SLF001 - a handle tells nobody
    return context.get(_PROCESS)


def _is_dead(context: Context | None) -> bool:
    process = context.get(_PROCESS) if context is not None else _PROCESS.get()
    return process is not None and process.dead


def _copied(handle: Any) -> asyncio.Handle:  # noqa: ANN401 - the parts of a handle have no names outside
    return asyncio.Handle(handle._callback, handle._args, handle._loop, handle._context)  # noqa: SLF001

"""An event loop in which no time passes but what is asked for, and processes that die in the middle of a step."""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from random import Random
from typing import Any, TypeVar, TypeVarTuple, Unpack

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
_MOST_ROUNDS = 50_000
"""How often the loop may turn at one moment of virtual time."""


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
        self._selector = self
        self._clock_resolution = 1e-7

    def time(self) -> float:
        """Give the seconds that have passed."""
        return self._seconds

    def select(self, timeout: float | None) -> list[Any]:
        """Let time pass, where a real loop would wait for the world."""
        if timeout is None:
            raise RuntimeError("everybody waits, and nothing will ever happen")
        self._rounds = 0 if timeout else self._rounds + 1
        if self._rounds > _MOST_ROUNDS:
            raise RuntimeError("everybody is busy, and no time passes")
        self._seconds += timeout
        return []

    def _process_events(self, _events: list[Any]) -> None:
        ready = self._ready  # type: ignore[attr-defined] # the loop's own queue
        if self._chance is not None and len(ready) > 1:
            handles = list(ready)
            self._chance.shuffle(handles)
            ready.clear()
            ready.extend(handles)

    def _write_to_self(self) -> None:
        """Nobody waits outside."""

    def call_soon(
        self, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Withhold what belongs to the dead."""
        if self._is_ending or not _is_dead(context):
            return super().call_soon(callback, *args, context=context)
        handle = asyncio.Handle(callback, args, self, context)
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
        for timer in list(self._scheduled):  # type: ignore[attr-defined]
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

"""Several workers behind one address: a parent that takes no updates in itself, and keeps its workers running."""

import asyncio
import logging
import os
import sys
from asyncio.subprocess import PIPE, Process
from io import FileIO
from pathlib import Path
from tempfile import TemporaryDirectory

from holdfast.bot.server import listen
from holdfast.cli.ending import until_stopped
from holdfast.cli.hook import token_of
from holdfast.cli.worker import READY
from holdfast.domain.errors import SettingsError
from holdfast.engine.grace import BOUND
from holdfast.infrastructure.settings import Settings

logger = logging.getLogger("holdfast")
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 15.0
_LONG_LIFE = 30.0
"""Seconds after which a worker that ends did not fail at its start."""
_GRACE = BOUND + 1.0
"""Seconds a worker gets to end by itself."""
_LAST = BOUND + 3.0
"""Seconds after which nobody waits for workers any more; those that are left end with their parent."""


async def run(settings: Settings, host: str, port: int, count: int) -> None:
    """Keep so many workers running until SIGINT or SIGTERM; SettingsError when the settings keep one from starting."""
    token_of(settings)
    settings.webhook_secret()
    if not settings.tiers():
        raise SettingsError("several workers need at least one tier; see docs/tiers.md")
    with listen(host, port) as listener, TemporaryDirectory(prefix="holdfast-") as folder:
        listener.set_inheritable(True)
        logger.info("Updates may be posted to http://%s:%d/, to %d workers", *listener.getsockname()[:2], count)
        workers = [_Worker(one, count, listener.fileno(), Path(folder)) for one in range(1, count + 1)]
        await until_stopped(_all(workers), _LAST)


def command(number: int, of: int, folder: Path, listener: int, told: int) -> list[str]:
    """Give what starts one of so many workers, with the descriptors of what they listen on and of its pipe."""
    return [sys.executable, "-P", "-m", "holdfast.cli.worker", *map(str, (number, of, folder, listener, told))]


async def _all(workers: "list[_Worker]") -> None:
    async with asyncio.TaskGroup() as group:
        for worker in workers:
            group.create_task(worker.keep())


class _Worker:
    """One worker, in all its lives."""

    def __init__(self, number: int, of: int, descriptor: int, folder: Path) -> None:
        self._number = number
        self._of = of
        self._descriptor = descriptor
        self._folder = folder
        self._was_ready = False

    async def keep(self) -> None:
        """Start it, and again whenever it ends; SettingsError when it has never been ready and ends by an error."""
        pause = _FIRST_PAUSE
        while True:
            began = asyncio.get_running_loop().time()
            status = await self._live()
            if status > 0 and not self._was_ready:
                raise SettingsError(f"worker {self._number} can't start; its own line above says why")
            if asyncio.get_running_loop().time() - began > _LONG_LIFE:
                pause = _FIRST_PAUSE
            logger.error("worker %d has ended with the status %d; it is started again", self._number, status)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _live(self) -> int:
        """Live one life, and give its exit status."""
        ready, told = os.pipe()
        with open(ready, "rb", 0) as heard:  # noqa: ASYNC230, PTH123 - a pipe, and nothing waits in opening it
            try:
                process = await asyncio.create_subprocess_exec(
                    *command(self._number, self._of, self._folder, self._descriptor, told),
                    stdin=PIPE,
                    pass_fds=(self._descriptor, told),
                )
            finally:
                os.close(told)
            logger.info("worker %d is the process %d", self._number, process.pid)
            try:
                self._was_ready = await _said(heard) or self._was_ready
                return await process.wait()
            finally:
                await _ended(process)


async def _said(pipe: FileIO) -> bool:
    """Wait until a worker says that it is ready; false when it ends before."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
    try:
        return await reader.readline() == READY
    finally:
        transport.close()


async def _ended(process: Process) -> None:
    """Let a process end, and make it end when it does not.

    It is told by the end of its standard input: a signal to the whole group has reached it already, and a second one
    would end it at once.
    """
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(_GRACE):
            await process.wait()
    except TimeoutError:
        logger.error("a worker does not end: it is killed")
        process.kill()
        await process.wait()

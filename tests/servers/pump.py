"""One direction of one connection."""

import asyncio
from collections.abc import Callable

from tests.servers.weather import Weather

CHUNK = 65536
MOST = 256
"""Chunks on their way at once; the sender waits when there are more, as for a full window."""

Watch = Callable[[bytes], bytes]
"""Sees what comes in, gives what goes on."""


class Pump:
    """Reads at once, and writes each chunk when its time has come: a delay takes nothing from the throughput."""

    def __init__(
        self,
        weather: Weather,
        delay: Callable[[], float],
        ends: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        watch: Watch,
    ) -> None:
        """Carry from the reader to the writer."""
        self._weather = weather
        self._delay = delay
        self._reader, self._writer = ends
        self._watch = watch
        self._queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(MOST)

    async def run(self) -> None:
        """Carry until one end closes; then the other is closed too, as late as its last byte arrives."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._read())
            tasks.create_task(self._write())

    async def _read(self) -> None:
        now = asyncio.get_running_loop().time
        data = b"."
        while data:
            data = await self._received()
            kept = self._watch(data) if data else b""
            if kept or not data:
                await self._queue.put((now() + self._delay(), kept))

    async def _received(self) -> bytes:
        """Take a reset for an end: what was sent before is on its way, and arrives."""
        try:
            return await self._reader.read(CHUNK)
        except ConnectionError:
            return b""

    async def _write(self) -> None:
        now = asyncio.get_running_loop().time
        while True:
            due, data = await self._queue.get()
            if (wait := due - now()) > 0:
                await asyncio.sleep(wait)
            await self._weather.flows.wait()
            if not data:
                self._writer.close()
                return
            self._writer.write(data)
            await self._writer.drain()

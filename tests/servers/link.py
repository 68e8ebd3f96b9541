"""One connection through a proxy."""

import asyncio
import socket
import struct
from contextlib import suppress

from tests.servers.patience import PATIENCE
from tests.servers.port import LOOPBACK
from tests.servers.pump import Pump
from tests.servers.statements import READY, Statements
from tests.servers.weather import Then, Weather

AT_ONCE = struct.pack("ii", 1, 0)
"""Close with a reset, not with a word."""


def reset(writer: asyncio.StreamWriter) -> None:
    """Break a connection off: the other end reads "connection reset by peer"."""
    connection = writer.get_extra_info("socket")
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
    writer.transport.abort()


class Link:
    """A client's connection, the server's, and what passes between them."""

    def __init__(self, weather: Weather, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Begin with the client's."""
        self._weather = weather
        self._reader = reader
        self._client = writer
        self._server: asyncio.StreamWriter | None = None
        self._statements = Statements()
        self._swallows: Then | None = None
        self._tail = b""

    async def run(self, port: int) -> None:
        """Carry bytes until one of the ends closes. A server that cannot be reached is a client that is reset."""
        await self._weather.flows.wait()
        try:
            async with asyncio.timeout(PATIENCE):
                reader, self._server = await asyncio.open_connection(LOOPBACK, port)
            there = Pump(self._weather, lambda: self._weather.to_server, (self._reader, self._server), self._asked)
            back = Pump(self._weather, lambda: self._weather.to_client, (reader, self._client), self._answered)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(there.run())
                tasks.create_task(back.run())
        except* (OSError, TimeoutError):
            self.cut()

    def _asked(self, data: bytes) -> bytes:
        """Look whether the client falls into the trap; it catches one."""
        statements = self._statements.executed(data)
        trap = self._weather.trap
        if trap is not None and trap.catches(statements):
            self._weather.trap = None
            self._swallows = trap.then
        return data

    def _answered(self, data: bytes) -> bytes:
        """Swallow an answer; when it is complete the server has done what it was asked."""
        if self._swallows is None:
            return data
        self._tail = (self._tail + data)[-len(READY[0]) :]
        if self._tail.endswith(READY):
            self._weather.sprung += 1
            if self._swallows == "cut":
                self.cut()
        return b""

    def cut(self) -> None:
        """Reset both ends."""
        reset(self._client)
        self.forget()

    def forget(self) -> None:
        """Reset the server's end, and leave the client in the belief that it is connected."""
        if self._server is not None:
            reset(self._server)

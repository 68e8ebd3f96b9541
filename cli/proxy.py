"""A door before a server, on the loopback alone: it can be shut, so that a drill need not touch the server."""

import asyncio
from contextlib import suppress
from typing import Self

_CHUNK = 65536
_PATIENCE = 10.0


class Proxy:
    """Carries bytes between a port of 127.0.0.1 and a server, until it is cut."""

    def __init__(self, host: str, port: int) -> None:
        """Stand before this server; nothing is listened to yet."""
        self._target = host, port
        self._listener: asyncio.Server | None = None
        self._links: set[asyncio.Task[None]] = set()
        self.port = 0

    async def heal(self) -> None:
        """Let connections through."""
        if self._listener is None:
            self._listener = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
            self.port = self._listener.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """End every connection, and refuse new ones."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        links = list(self._links)
        for link in links:
            link.cancel()
        if links:
            await asyncio.wait(links, timeout=_PATIENCE)

    async def __aenter__(self) -> Self:
        await self.heal()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.cut()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = asyncio.ensure_future(self._carry(reader, writer))
        self._links.add(link)
        link.add_done_callback(self._links.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends = [writer]
        try:
            async with asyncio.timeout(_PATIENCE):
                there, back = await asyncio.open_connection(*self._target)
            ends.append(back)
            ways = [asyncio.create_task(_pump(reader, back)), asyncio.create_task(_pump(there, writer))]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.wait(ways, timeout=_PATIENCE)
        except (OSError, TimeoutError):
            return
        finally:
            for end in ends:
                end.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry one way until an end closes; `drain` keeps what waits bounded."""
    with suppress(OSError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()

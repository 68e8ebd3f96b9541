"""Several workers behind one address: each person belongs to one of them, and the others hand their updates on to it.

That is for speed and order alone: whoever takes an update in, the log tells whether it was taken in before.
"""

import asyncio
import logging
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from zlib import crc32

from holdfast.bot.webhook import MOST_BYTES, Take
from holdfast.domain.errors import LogUnavailable
from holdfast.engine.blame import where

logger = logging.getLogger("holdfast.bot")
_ASKED = struct.Struct("!QdI")
"""What stands before an update: its number on this way, the seconds it may take, its length."""
_ANSWERED = struct.Struct("!Q?")
"""The number of an update, and whether it is durable."""
_CONNECTING = 0.5
_SLACK = 1.0
"""Seconds beyond its own bound in which a sibling must have answered."""
_GRACE = 5.0
_MOST = 2048
"""So many updates of its siblings a worker takes in at once; what comes then waits in the socket."""


class Away(ConnectionError):
    """A sibling could not be reached: it has not heard of the update."""


class Way:
    """The way to one sibling: one connection, made when it is needed, for many updates at once."""

    def __init__(self, path: Path) -> None:
        """Name the sibling's socket."""
        self._path = path
        self._numbers = count()
        self._waiting: dict[int, asyncio.Future[bool]] = {}
        self._connecting = asyncio.Lock()
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None

    async def ask(self, raw: bytes, within: float) -> None:
        """Let the sibling take an update in; Away: it has not heard of it, LogUnavailable: it must come again."""
        writer = await self._connected()
        number, answered = next(self._numbers), asyncio.get_running_loop().create_future()
        self._waiting[number] = answered
        try:
            writer.write(_ASKED.pack(number, within, len(raw)) + raw)
            async with asyncio.timeout(within + _SLACK):
                if not await answered:
                    raise LogUnavailable("a sibling could not store an update")
        except TimeoutError:
            raise LogUnavailable("a sibling gave no answer") from None
        finally:
            del self._waiting[number]

    async def close(self) -> None:
        """Hang up."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    async def _connected(self) -> asyncio.StreamWriter:
        async with self._connecting:
            if self._writer is None:
                try:
                    async with asyncio.timeout(_CONNECTING):
                        reader, self._writer = await asyncio.open_unix_connection(self._path)
                except OSError as error:  # a time that has run out is one too
                    raise Away(f"a sibling can't be reached: {type(error).__name__}") from None
                self._reading = asyncio.create_task(self._read(reader, self._writer), name="way to a sibling")
            return self._writer

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hand answers to who waits for them; when the connection ends, nobody knows what became of the rest."""
        try:
            while True:
                number, is_durable = _ANSWERED.unpack(await reader.readexactly(_ANSWERED.size))
                if (answered := self._waiting.get(number)) and not answered.done():
                    answered.set_result(is_durable)
        except (OSError, EOFError) as error:
            logger.warning("a sibling has gone: %s", type(error).__name__)
        finally:
            self._writer = None
            writer.close()
            for answered in self._waiting.values():
                if not answered.done():
                    answered.set_exception(LogUnavailable("a sibling went away"))


class Siblings:
    """Takes updates in, or hands them on to the worker whose people they are about. Workers count from 1."""

    def __init__(
        self, number: int, of: int, folder: Path, take: Take, belongs_to: Callable[[bytes], int | None]
    ) -> None:
        """Be one of so many workers whose sockets are in a folder; `belongs_to` names whom an update is about."""
        self._own = number - 1
        self._take = take
        self._belongs_to = belongs_to
        self._path = _socket(folder, number)
        self._ways = [Way(_socket(folder, other)) for other in range(1, of + 1)]
        self._tasks: set[asyncio.Task[None]] = set()
        self._connections: set[asyncio.StreamWriter] = set()
        self._let_go = asyncio.Event()
        self._let_go.set()

    async def take(self, raw: bytes, within: float) -> None:
        """Make an update durable, here or at a sibling; LogUnavailable: it must come again."""
        person = self._belongs_to(raw)
        owner = self._own if person is None else owner_of(person, len(self._ways))
        if owner != self._own:
            try:
                return await self._ways[owner].ask(raw, within)
            except Away as error:
                logger.info("%s; its people are served here", error)
        return await self._take(raw, within)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Take in what siblings hand on, until the block ends; then what is under way gets some time."""
        self._path.unlink(missing_ok=True)
        # The folder is its owner's alone, and so is what is in it.
        server = await asyncio.start_unix_server(self._serve, self._path)
        try:
            yield
        finally:
            server.close()
            await asyncio.gather(*(way.close() for way in self._ways))
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=_GRACE)
            for writer in list(self._connections):
                writer.close()
            await self._let_go.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        self._let_go.clear()
        try:
            await self._hear(reader, writer)
        except (OSError, EOFError):
            return  # it has gone; what it asked for is taken in all the same
        finally:
            writer.close()
            self._connections.discard(writer)
            if not self._connections:
                self._let_go.set()

    async def _hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            number, within, length = _ASKED.unpack(await reader.readexactly(_ASKED.size))
            if length > MOST_BYTES:
                return
            raw = await reader.readexactly(length)
            while len(self._tasks) >= _MOST:
                await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
            task = asyncio.create_task(self._answer(number, raw, within, writer), name="sibling's update")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _answer(self, number: int, raw: bytes, within: float, writer: asyncio.StreamWriter) -> None:
        try:
            await self._take(raw, within)
        except LogUnavailable:
            is_durable = False
        except Exception as error:  # noqa: BLE001 - one update must not stop the bot; it comes again
            logger.error("taking an update in failed: %s", where(error))
            is_durable = False
        else:
            is_durable = True
        if not writer.is_closing():
            writer.write(_ANSWERED.pack(number, is_durable))


def owner_of(person: int, workers: int) -> int:
    """Say which of so many workers, counted from 0, a person belongs to; the same everywhere and always."""
    return crc32(str(person).encode()) % workers


def _socket(folder: Path, number: int) -> Path:
    return folder / f"{number}.sock"

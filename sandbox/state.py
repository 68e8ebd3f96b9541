"""What survives a restart of the sandbox.

SQLite rather than one JSON file: a chat with photos would be written anew with every message, while rows cost
only what changed. Changes gather in memory and are committed together in a worker thread before the call or
input that made them is answered, so nothing that a bot or a person has seen is ever unmade by a kill.
"""

import asyncio
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import msgspec

T = TypeVar("T")

SQL = Path(__file__).parent / "sql"

Place = tuple[str, str]


class State:
    """Remembers nothing: the sandbox lives in memory alone."""

    def put(self, kind: str, key: int | str, thing: object) -> None:
        """Keep a thing under its key."""

    def drop(self, kind: str, key: int | str) -> None:
        """Forget a thing."""

    def all(self, kind: str, type_: type[T]) -> Iterator[tuple[str, T]]:
        """Everything kept of one kind, in the order in which it came."""
        del kind, type_
        return iter(())

    async def flushed(self) -> None:
        """Return when all changes so far would survive a kill."""

    async def close(self) -> None:
        """Write what is left and let go of the file."""


class StateFile(State):
    """Remembers in an SQLite file."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Used by one thread at a time: the loop's while loading, the worker's afterwards.
        self._file = sqlite3.connect(path, check_same_thread=False)
        self._file.executescript(_sql("schema"))
        self._put, self._drop, self._all = _sql("put"), _sql("drop"), _sql("all")
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sandbox-state")
        self._changed: dict[Place, bytes | None] = {}  # one entry a thing, emptied with every commit
        self._turn = asyncio.Lock()

    def put(self, kind: str, key: int | str, thing: object) -> None:
        self._changed[kind, str(key)] = msgspec.msgpack.encode(thing)

    def drop(self, kind: str, key: int | str) -> None:
        self._changed[kind, str(key)] = None

    def all(self, kind: str, type_: type[T]) -> Iterator[tuple[str, T]]:
        decoder = msgspec.msgpack.Decoder(type_)
        for key, body in self._file.execute(self._all, (kind,)).fetchall():
            yield key, decoder.decode(body)

    async def flushed(self) -> None:
        async with self._turn:
            if self._changed:
                await self._commit()

    async def close(self) -> None:
        await self.flushed()
        self._worker.shutdown()
        self._file.close()

    async def _commit(self) -> None:
        changed, self._changed = self._changed, {}
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._worker, self._write, changed)
        except sqlite3.Error:
            self._changed = changed | self._changed
            raise

    def _write(self, changed: dict[Place, bytes | None]) -> None:
        kept = [(*place, body) for place, body in changed.items() if body is not None]
        gone = [place for place, body in changed.items() if body is None]
        with self._file:
            self._file.executemany(self._put, kept)
            self._file.executemany(self._drop, gone)


def _sql(name: str) -> str:
    return (SQL / f"{name}.sql").read_text()

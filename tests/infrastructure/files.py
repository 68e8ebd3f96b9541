"""Journals on the disk, sound and unsound."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from holdfast.infrastructure.log.journal import SqliteJournal
from holdfast.infrastructure.log.stores import Opened
from tests.conformance.clocks import Dice, StandingClock
from tests.conformance.scribe import Scribe, commit, inbound, started

PAGE = 4096


MADE: list[SqliteJournal] = []
"""The journals of the present test: whatever it leaves open is closed after it, or Python would wait for ever."""


class ProbedJournal(SqliteJournal):
    """A journal whose writing connection can be asked."""

    async def ask(self, sql: str, *values: object) -> list[Any]:
        assert self._writer is not None
        return await self._writer.run(lambda connection: connection.execute(sql, values).fetchall())

    async def open_and_close(self) -> Opened:
        opened = await self.open()
        await self.close()
        return opened


def journal(path: Path, seed: int = 1, *, read_only: bool = False) -> ProbedJournal:
    store = ProbedJournal(path, StandingClock(), Dice(seed), read_only=read_only)
    MADE.append(store)
    return store


async def filled(path: Path, people: int = 60) -> Opened:
    """Make a journal with two events and a delivery for each person, and close it."""
    store = journal(path)
    opened = await store.open()
    scribe = Scribe(opened.origin)
    for person in range(1, people + 1):
        start = scribe.append(inbound(person, person=person), started(inbound(person, person=person)))
        talk = scribe.append(inbound(1000 + person, "A word. " * 30, person=person))
        assert await commit(store, start, talk, scribe.delivery(start.record)) == [None] * 3
    await store.close()
    return opened


@contextmanager
def hand_on(path: Path) -> Iterator[sqlite3.Connection]:
    """Work on a database behind the program's back."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()


def contents(folder: Path) -> dict[str, bytes]:
    """Read everything in a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}

"""The stores that the suite runs on, and what each declares about itself."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

from holdfast.infrastructure.log.journal import SqliteJournal
from holdfast.infrastructure.log.memory import MemoryJournal
from holdfast.infrastructure.log.stores import JournalStore, Opened
from tests.conformance.clocks import Dice, StandingClock

Reopen = Callable[[JournalStore], Awaitable[tuple[JournalStore, Opened]]]
"""Closes a journal and opens it again."""


class Backend(Protocol):
    """One journal that can be opened again and again.

    `stores` are those it gave out. `outlives_its_process`: what was committed is there for another process.
    `bounds_its_values`: a value that no column can hold is refused; without it every value fits.
    """

    outlives_its_process: bool
    bounds_its_values: bool
    stores: list[JournalStore]

    def store(self) -> JournalStore:
        """Give the journal as a program that starts would have it: not open yet."""


class Memory:
    outlives_its_process = False
    bounds_its_values = False

    def __init__(self, folder: Path) -> None:
        self._journal = MemoryJournal()
        self.stores: list[JournalStore] = [self._journal]

    def store(self) -> JournalStore:
        return self._journal


class Sqlite:
    outlives_its_process = True
    bounds_its_values = True

    def __init__(self, folder: Path) -> None:
        self._path = folder / "journal.db"
        self.stores: list[JournalStore] = []
        self._dice = Dice()

    def store(self) -> JournalStore:
        self.stores.append(SqliteJournal(self._path, StandingClock(), self._dice))
        return self.stores[-1]


BACKENDS: dict[str, type[Memory] | type[Sqlite]] = {"memory": Memory, "sqlite": Sqlite}

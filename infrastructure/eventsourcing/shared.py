"""Journals that several applications of one process keep their events in: each file is opened once."""

from collections.abc import Callable
from pathlib import Path
from threading import RLock

from msgspec import Struct

from holdfast.domain.errors import KeyMissing
from holdfast.infrastructure.eventsourcing.journal_place import JournalPlace


class _Held(Struct):
    place: JournalPlace
    holders: int = 0


class SharedJournals:
    """The journals that are open, by their files, until the last of their holders lets go."""

    def __init__(self) -> None:
        """None is open yet."""
        self._lock = RLock()
        self._held: dict[Path, _Held] = {}

    def hold(self, path: Path, key_name: str, opened: Callable[[], JournalPlace]) -> JournalPlace:
        """Give the place of a file, opened if nobody holds it; KeyMissing when its holders have another key."""
        file = path.resolve()
        with self._lock:
            held = self._held.get(file) or _Held(opened())
            if held.place.codec.key_name != key_name:
                raise KeyMissing("another application of this process holds this journal under another master key")
            self._held[file] = held
            held.holders += 1
            return held.place

    def release(self, path: Path) -> None:
        """Let go of a file; who is the last closes it."""
        file = path.resolve()
        with self._lock:
            held = self._held[file]
            held.holders -= 1
            if not held.holders:
                del self._held[file]
                held.place.close()


JOURNALS = SharedJournals()
"""Those of this process: the lock on a file is the process's."""

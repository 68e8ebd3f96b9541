"""The journal's file: whether it is ours, who holds it, which incarnation it is."""

import fcntl
import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from holdfast.domain.errors import AlienJournal, CorruptJournal, JournalLocked, LogUnavailable, NewerJournal
from holdfast.infrastructure.migrations import newest

APPLICATION_ID = 0x484F4C44
"""`HOLD`: stands in the header of every journal, so that no other program's file is taken for one."""

_MAGIC = b"SQLite format 3\x00"
_HEADER_BYTES = 100
_USER_VERSION = slice(60, 64)
_APPLICATION_ID = slice(68, 72)


class FileLock:
    """Holds a journal against a second process, by a lock on a file beside it; the system frees it at a crash."""

    def __init__(self, journal: Path) -> None:
        """Name the file; nothing is locked yet."""
        self._path = _lock_of(journal)
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock; JournalLocked when another process has it."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise JournalLocked(
                f"another process works with {self._path.with_suffix('').name}; stop it, "
                "or name another file in HOLDFAST_JOURNAL"
            ) from None
        self._descriptor = descriptor

    def release(self) -> None:
        """Let go."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def is_locked(journal: Path) -> bool:
    """Whether a process works with a journal at this moment; no file is made, and the lock is let go at once."""
    try:
        descriptor = os.open(_lock_of(journal), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def check_header(path: Path) -> None:
    """Look at a file's first bytes without touching it; AlienJournal, CorruptJournal, NewerJournal."""
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
    except FileNotFoundError:
        return
    except OSError as error:
        raise LogUnavailable(f"{path} cannot be read: {error.strerror}") from None
    if not header:
        return
    if not header.startswith(_MAGIC):
        raise AlienJournal(f"{path} is not an SQLite file; it was left untouched")
    if len(header) < _HEADER_BYTES:
        raise CorruptJournal(f"{path} is cut off; it was left untouched")
    _check_numbers(path, header)


def _check_numbers(path: Path, header: bytes) -> None:
    application = int.from_bytes(header[_APPLICATION_ID], "big")
    if application != APPLICATION_ID:
        raise AlienJournal(f"{path} is another program's SQLite file; it was left untouched")
    version = int.from_bytes(header[_USER_VERSION], "big")
    if version > newest("sqlite"):
        raise NewerJournal(
            f"{path} was written by a newer Holdfast (migration {version}, this one ends at {newest('sqlite')}); "
            "it was left untouched"
        )


def check_pages(path: Path) -> None:
    """Let SQLite look through the whole file, read-only; CorruptJournal when it finds damage."""
    if not path.exists() or path.stat().st_size == 0:
        return
    beside = [path.with_name(path.name + suffix) for suffix in ("-wal", "-shm")]
    made = [file for file in beside if not file.exists()]
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        found = [row[0] for row in connection.execute("PRAGMA quick_check(1)")]
    except sqlite3.DatabaseError as error:
        found = [str(error)]
    finally:
        connection.close()
    if found != ["ok"]:
        for file in made:
            file.unlink(missing_ok=True)
        raise CorruptJournal(f"{path} is damaged ({found[0]}); it was left untouched")


def incarnation(path: Path) -> str:
    """Name this very file on this very disk: a copy of it has another name, but not one that was put into its place."""
    stat = path.stat()
    return f"{stat.st_dev}:{stat.st_ino}"


def mark_beside(path: Path) -> str:
    """Read what was written beside a journal when it was opened last; nothing where it was moved or is new."""
    try:
        return _lock_of(path).read_text("ascii")
    except (OSError, UnicodeError):
        return ""


def put_mark_beside(path: Path, mark: str) -> None:
    """Write it into the lock's file: a journal that was put back from a backup bears an older one.

    Where it can't be written nothing is lost: the journal only gets a new origin at its next opening.
    """
    with suppress(OSError), _lock_of(path).open("r+", encoding="ascii") as file:
        file.write(mark)
        file.truncate()
        file.flush()
        os.fsync(file.fileno())


def _lock_of(journal: Path) -> Path:
    file = journal.resolve()
    return file.with_name(file.name + ".lock")

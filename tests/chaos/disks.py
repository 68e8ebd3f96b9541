"""Bots whose disk can be filled and emptied while they run, in the ways that this machine permits."""

import os
import resource
import shutil
from contextlib import suppress
from pathlib import Path

from tests.chaos.processes import Holdfast
from tests.infrastructure.full_disks import no_small_disk

_MOUNT = ["unshare", "-Urm", "sh", "-c", 'mount -t tmpfs -o size=8m tmpfs "$0" && exec "$@"']


class LimitedFiles(Holdfast):
    """Its files may not grow: the system answers a write with an input/output error."""

    COMPLAINT = "disk I/O error"

    def fill(self, room: int = 0) -> None:
        """Let no file grow beyond the journal's newest part, and so many bytes more."""
        _, most = resource.prlimit(self.pid, resource.RLIMIT_FSIZE)
        wal = self.journal.with_name(self.journal.name + "-wal")
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (wal.stat().st_size + room, most))

    def empty(self) -> None:
        """Let files grow again."""
        _, most = resource.prlimit(self.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (most, most))


class SmallDisk(Holdfast):
    """Its journal is on a disk of its own, of eight megabytes; it is gone with the process."""

    COMPLAINT = "database or disk is full"

    def __init__(self, folder: Path, url: str) -> None:
        """Mount the disk on a folder that only the bot's process sees."""
        super().__init__(folder, url)
        self.disk = folder / "disk"
        self.disk.mkdir()
        self.journal = self.disk / "journal.db"
        self.settings["HOLDFAST_JOURNAL"] = str(self.journal)
        self._command = [*_MOUNT, str(self.disk), self.executable, "run"]

    @property
    def seen(self) -> Path:
        """A copy of the journal, made at this moment: SQLite does not open files of another's mounts."""
        copy = self.disk.with_name("copy") / "journal.db"
        copy.parent.mkdir(exist_ok=True)
        for name in ("journal.db", "journal.db-wal"):
            shutil.copyfile(self._inside / name, copy.with_name(name))
        copy.with_name("journal.db-shm").unlink(missing_ok=True)
        return copy

    @property
    def _inside(self) -> Path:
        return Path(f"/proc/{self.pid}/root{self.disk}")

    def fill(self, room: int = 0) -> None:
        """Put a file in the way that leaves so many bytes."""
        disk = os.statvfs(self._inside)
        with (self._inside / "ballast").open("wb", buffering=0) as ballast, suppress(OSError):
            # The bot may write at the same moment, and take what was counted here.
            ballast.write(bytes(disk.f_bavail * disk.f_frsize - room))

    def empty(self) -> None:
        """Take it away."""
        (self._inside / "ballast").unlink()


Filled = LimitedFiles | SmallDisk
WAYS: dict[str, type[Filled]] = {"file size": LimitedFiles} | ({} if no_small_disk() else {"small disk": SmallDisk})
"""A limit on files works anywhere; a small disk where the system permits to mount one."""

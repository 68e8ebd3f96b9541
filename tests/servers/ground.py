"""The folder that all servers of one test run stand in."""

import secrets
import shutil
import tempfile
import threading
from pathlib import Path
from typing import Self

from tests.servers.account import Account
from tests.servers.guard import Guard
from tests.servers.seed import plant
from tests.servers.tree import Tree, tree

MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of one's own is made in it
ROOM = 2 * 1024**3
"""Bytes that must be free in memory, or the servers stand on the disk."""


class Ground:
    """A folder that everybody may enter, in memory where there is room; it is gone at the end, or if the tests die."""

    def __init__(self) -> None:
        """Make it."""
        in_memory = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM
        self.account = Account.here()
        self.folder = Path(tempfile.mkdtemp(prefix="holdfast-servers-", dir=MEMORY if in_memory else None))
        self.folder.chmod(0o755)
        self._trees: dict[int, Tree] = {}
        self._seeds: dict[tuple[int, int], Path] = {}
        self._makes = threading.Lock()
        self._places = 0
        self.password = secrets.token_urlsafe(12)
        # The servers' own guards strike at once.
        self._guard = Guard('sleep 2; rm -rf "$0"', str(self.folder))

    def tree(self, version: int) -> Tree:
        """Give a version's programs; they are copied at most once."""
        with self._makes:
            if version not in self._trees:
                self._trees[version] = tree(version, self.account, self.folder)
            return self._trees[version]

    def seed(self, version: int, wal_segment_mib: int) -> Path:
        """Give a data folder to copy; it is made at most once. All servers of the ground have one password."""
        programs = self.tree(version)
        with self._makes:
            key = (version, wal_segment_mib)
            if key not in self._seeds:
                data = self.account.folder(self.folder / f"seed-{version}-{wal_segment_mib}") / "data"
                plant(programs, data, self.password, wal_segment_mib)
                self._seeds[key] = data
            return self._seeds[key]

    def place(self) -> Path:
        """Make a folder for one more server."""
        self._places += 1
        return self.account.folder(self.folder / f"server-{self._places}")

    def clear(self) -> None:
        """Remove it, with everything in it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self._guard.dismiss()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.clear()

"""What a server's data lies on: the ground itself, or a small disk that can be filled."""

import os
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Protocol

from tests.servers.account import Account
from tests.servers.errors import NoSmallDisk
from tests.servers.patience import PATIENCE

MOUNT = 'mount -t tmpfs -o size="$1"m,mode=700 tmpfs "$0" && echo mounted && exec cat'


class Disk(Protocol):
    """Where data lies; its paths are the server's, which the tests may have to look at in another way."""

    def inside(self, command: list[str]) -> list[str]:
        """Write the command line that runs a command where the disk is mounted."""

    def seen(self, path: Path) -> Path:
        """Give the path under which the tests see a server's path."""

    def fill(self) -> None:
        """Leave not a byte."""

    def make_room(self) -> None:
        """Undo `fill`."""

    def unmount(self) -> None:
        """Let it go, with all that is on it; no server runs on it any more."""


class Shared:
    """The ground itself, which is never filled."""

    def inside(self, command: list[str]) -> list[str]:
        return command

    def seen(self, path: Path) -> Path:
        return path

    def fill(self) -> None:
        raise NoSmallDisk("this server shares its disk with the whole machine: ask for one with disk_mib=64")

    def make_room(self) -> None:
        """There always was."""

    def unmount(self) -> None:
        """There is nothing mounted."""


class Small:
    """A disk in memory, mounted where only one process sees it: `cat`, which goes when the tests do.

    No root is needed, only a system that lets people have namespaces of their own. The server keeps its account's
    number in there: it refuses to be root even in a namespace.
    """

    def __init__(self, account: Account, folder: Path, mebibytes: int) -> None:
        """Mount it over an empty folder."""
        self._folder = folder
        self._account = account
        mount = ["unshare", "-Umc", "--keep-caps", "sh", "-c", MOUNT, str(folder), str(mebibytes)]
        try:
            self._keeper = subprocess.Popen(
                mount, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **account.options
            )
        except FileNotFoundError as missing:
            raise NoSmallDisk(f"there is no {missing.filename}") from missing
        assert self._keeper.stdout is not None
        if self._keeper.stdout.readline() != b"mounted\n":
            raise NoSmallDisk(self._last_words())

    def _last_words(self) -> str:
        error: bytes = self._keeper.communicate(timeout=PATIENCE)[1]
        return error.decode(errors="replace").strip()

    def inside(self, command: list[str]) -> list[str]:
        return ["nsenter", "--preserve-credentials", "-U", "-m", "-t", str(self._keeper.pid), *command]

    def seen(self, path: Path) -> Path:
        return Path(f"/proc/{self._keeper.pid}/root{path}")

    def fill(self) -> None:
        """Write until nothing more fits."""
        self._as_account('cat /dev/zero > "$0" || true')

    def make_room(self) -> None:
        self._as_account('rm -f "$0"')

    def _as_account(self, script: str) -> None:
        """Only its account can write there: in the disk's namespace nobody else has a number."""
        command = self.inside(["sh", "-c", script, str(self._folder / "ballast")])
        subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE, **self._account.options)

    def unmount(self) -> None:
        self._keeper.communicate(timeout=PATIENCE)


@cache
def no_small_disk() -> str:
    """Say why no small disk can be mounted on this machine; empty when it can."""
    account = Account.here()
    with tempfile.TemporaryDirectory() as above:
        os.chmod(above, 0o755)  # noqa: S103, PTH101 - whoever mounts it must get there
        try:
            Small(account, account.folder(Path(above) / "disk"), 1).unmount()
        except NoSmallDisk as why:
            return str(why)
    return ""

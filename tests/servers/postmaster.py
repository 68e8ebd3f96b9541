"""One server's files and processes. Everything here blocks, each with a deadline: `Server` calls it from threads."""

import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers import family
from tests.servers.disk import Disk
from tests.servers.errors import ServerEnded, TookTooLong
from tests.servers.guard import Guard
from tests.servers.patience import LOOK, PATIENCE
from tests.servers.seed import grow
from tests.servers.tree import Tree

STOPS = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}
STRIKE = (
    'kill -STOP "$0" && kill -KILL $(cat "/proc/$0/task/$0/children") "$0"; set -- $(sed -n 7p "$1"); ipcrm -m "$2"'
)
"""Ends a server whose tests have died, and gives back its shared memory; stopped first, it has no more children."""


@dataclass
class Postmaster:
    """A data folder, and the processes that serve it."""

    tree: Tree
    place: Path
    disk: Disk
    port: int
    frozen: bool = False
    _process: "subprocess.Popen[bytes] | None" = None
    _guard: Guard | None = None
    _snapshots: list[Path] = field(default_factory=list)

    @property
    def data(self) -> Path:
        """The data folder, as the server sees it."""
        return self.place / "disk" / "data"

    @property
    def runs(self) -> bool:
        """Tell whether there is a process, frozen or not."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The id of its first process."""
        return self._living().pid

    @property
    def log(self) -> str:
        """All that the server wrote, in all its lives."""
        path = self.place / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def create(self, seed: Path, settings: dict[str, str]) -> None:
        """Make the data folder from a seed."""
        fresh = self.place / "fresh"
        grow(self.tree, seed, fresh, settings)
        self.tree.run(self.disk.inside(["mv", str(fresh), str(self.data)]), self.place)

    def start(self) -> None:
        """Begin a life, and wait until it takes connections."""
        command = self.disk.inside(self.tree.command("postgres", "-D", self.data, "-p", str(self.port)))
        with (self.place / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, start_new_session=True, **self.tree.options(self.place)
            )
        self._guard = Guard(STRIKE, str(self._process.pid), str(self.disk.seen(self.data / "postmaster.pid")))
        end = time.monotonic() + PATIENCE
        while not self._ready(self._process.pid):
            if not self.runs:
                self._forget()
                raise ServerEnded(self.log[-2000:])
            if time.monotonic() > end:
                raise TookTooLong(f"the server does not start; it said last:\n{self.log[-2000:]}")
            time.sleep(LOOK)

    def _ready(self, pid: int) -> bool:
        """Read what the server tells pg_ctl: its id in the first line, how it is in the eighth."""
        try:
            lines = self.disk.seen(self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return lines[:1] == [str(pid)] and [line.strip() for line in lines[7:8]] == ["ready"]

    def stop(self, mode: str) -> None:
        """End it in one of PostgreSQL's three ways; a frozen one must wake for that."""
        self.thaw()
        self._living().send_signal(STOPS[mode])
        self.ended()

    def ended(self) -> None:
        """Wait for its end, whoever wants it."""
        if self._process is None:
            return
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired as late:
            raise TookTooLong(f"the server does not end; it said last:\n{self.log[-2000:]}") from late
        self._forget()

    def kill(self) -> None:
        """End it as a power cut would: no process of it lives on, not for a moment."""
        process = self._living()
        ids = family.stop(process.pid)
        family.send(ids, signal.SIGKILL)
        process.wait(PATIENCE)
        family.wait_until_gone(ids)
        self._forget()

    def freeze(self) -> None:
        """Take the processor away from it: connections stand, and nothing answers."""
        family.stop(self._living().pid)
        self.frozen = True

    def thaw(self) -> None:
        """Undo `freeze`."""
        if self.frozen:
            family.send(family.family(self._living().pid), signal.SIGCONT)
            self.frozen = False

    def limit_files(self, size: int) -> None:
        """Let no process of it, nor any to come, write a file beyond a size in bytes; -1 is no limit.

        Only its own account may say so, where root is not quite root.
        """
        limit = "unlimited" if size < 0 else str(size)
        ids = family.stop(self._living().pid)
        for one in ids:
            self.tree.run(["prlimit", "--pid", str(one), f"--fsize={limit}:"], self.place)
        family.send(ids, signal.SIGCONT)

    def snapshot(self) -> Path:
        """Copy the data folder as it is at one moment, as a power cut would leave it."""
        copy = self.place / f"snapshot-{len(self._snapshots) + 1}"
        self._snapshots.append(copy)
        wake = self.runs and not self.frozen
        if wake:
            self.freeze()
        try:
            self.tree.run(self.disk.inside(["cp", "-a", str(self.data), str(copy)]), self.place)
        finally:
            if wake:
                self.thaw()
        (copy / "postmaster.pid").unlink(missing_ok=True)
        return copy

    def restore(self, copy: Path) -> None:
        """Lay an old data folder in place of the one there is; the server must not run."""
        self._forget_segment()
        self.tree.run(self.disk.inside(["rm", "-rf", str(self.data)]), self.place)
        self.tree.run(self.disk.inside(["cp", "-a", str(copy), str(self.data)]), self.place)

    def remove(self) -> None:
        """End it without ceremony, and remove its files."""
        try:
            if self.runs:
                self.kill()
            self._forget_segment()
        finally:
            self.disk.unmount()
            shutil.rmtree(self.place, ignore_errors=True)

    def _forget_segment(self) -> None:
        """Give back the shared memory by which a server that was killed would know its survivors."""
        try:
            line = self.disk.seen(self.data / "postmaster.pid").read_text().splitlines()[6]
        except (FileNotFoundError, IndexError):
            return
        # It may be gone already; there is nobody whom that could hurt.
        subprocess.run(["ipcrm", "-m", line.split()[1]], capture_output=True, check=False, timeout=PATIENCE)

    def _living(self) -> "subprocess.Popen[bytes]":
        if self._process is None or self._process.poll() is not None:
            raise ServerEnded(f"the server does not run; it said last:\n{self.log[-2000:]}")
        return self._process

    def _forget(self) -> None:
        self.frozen = False
        self._process = None
        if self._guard is not None:
            self._guard.dismiss()
            self._guard = None

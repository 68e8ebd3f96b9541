"""Where journals are written: memory, memory with 2 ms added to each sync, the real disk."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.race import NotMeasured

MEMORY = Path("/dev/shm")  # noqa: S108 - memory is what is wanted


class Place(NamedTuple):
    """A folder to write in, and what the contestants' environment needs there."""

    name: str
    folder: Path
    environment: Mapping[str, str] = {}

    def file(self, name: str) -> Path:
        """Name a new file here."""
        return Path(tempfile.mkdtemp(dir=self.folder)) / name


@contextmanager
def places() -> Iterator[dict[str, Place]]:
    """Make the folders, and take them away at the end. `2ms` is missing where it cannot be had."""
    folders = [Path(tempfile.mkdtemp(prefix="holdfast-bench-", dir=where)) for where in (_memory(), None)]
    try:
        found = {"tmpfs": Place("tmpfs", folders[0]), "disk": Place("disk", folders[1])}
        slow = _shim(folders[1])
        if slow is not None:
            found["2ms"] = Place("tmpfs + 2 ms a sync", folders[0], {"LD_PRELOAD": str(slow)})
        yield found
    finally:
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)


def _memory() -> Path | None:
    return MEMORY if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) else None


def _shim(folder: Path) -> Path | None:
    """Compile what slows a sync down; None where there is no compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    library = folder / "slow_sync.so"
    source = Path(__file__).with_name("slow_sync.c")
    words = [compiler, "-shared", "-fPIC", "-O2", "-o", str(library), str(source), "-ldl"]
    done = subprocess.run(words, capture_output=True, check=False)  # noqa: S603 - the compiler, on our own file
    return library if done.returncode == 0 else None


def needed(found: Mapping[str, Place], name: str) -> Place:
    """Take a place; NotMeasured where it cannot be had."""
    if name not in found:
        raise NotMeasured("2 ms a sync needs a C compiler, and there is no cc")
    return found[name]

"""The ways in which a disk can be filled here, each a capability of the machine."""

import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from tests.infrastructure.processes import outcome_of

_MOUNT = ["unshare", "-Urm", "sh", "-c", 'mount -t tmpfs -o size=2m tmpfs "$0" && exec "$@"']


@cache
def no_small_disk() -> str:
    """Say why no small disk of one's own can be mounted on this machine; empty when it can."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            run = subprocess.run([*_MOUNT, folder, "true"], capture_output=True, text=True, check=False)
        except FileNotFoundError:
            return "there is no unshare"
    return run.stderr.strip() if run.returncode else ""


def by_file_size(folder: Path) -> dict[str, Any]:
    """The system refuses to let a file grow: an input/output error."""
    return outcome_of("fill", folder / "local.db", "1000000")


def by_small_disk(folder: Path) -> dict[str, Any]:
    """The disk has no room left."""
    return outcome_of("fill-disk", folder, before=[*_MOUNT, str(folder)])


def ways() -> dict[str, Any]:
    """Name the ways this machine permits."""
    return {"file size": by_file_size} | ({} if no_small_disk() else {"small disk": by_small_disk})

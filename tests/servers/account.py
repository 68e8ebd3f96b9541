"""Whom the servers run as: PostgreSQL refuses to be root."""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self


@dataclass(frozen=True)
class Account:
    """A user and a group of this machine, by number; `options` is empty when they are the tests' own."""

    uid: int
    gid: int
    options: dict[str, Any]

    @classmethod
    def here(cls) -> Self:
        """Take `nobody` where the tests run as root, and the tests' own account anywhere else."""
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid(), {})
        nobody = pwd.getpwnam("nobody")
        options = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        return cls(nobody.pw_uid, nobody.pw_gid, options)

    @property
    def is_other(self) -> bool:
        """Tell whether the servers run as somebody else than the tests."""
        return bool(self.options)

    def folder(self, path: Path) -> Path:
        """Make a folder that this account alone may enter."""
        path.mkdir(mode=0o700)
        if self.is_other:
            os.chown(path, self.uid, self.gid)
        return path

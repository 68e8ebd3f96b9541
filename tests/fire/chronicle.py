"""What happened, written down as it happens: JSON lines, for whoever wants to check the verdict."""

import json
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

FOLDER = "HOLDFAST_EVIDENCE"
"""The environment names with it where chronicles are kept; a temporary folder otherwise."""


class Chronicle:
    """A file of JSON lines: `at` is in seconds since the beginning, `what` names the rest."""

    def __init__(self, folder: Path, name: str) -> None:
        """Write into the folder that the environment names, else into this one."""
        chosen = Path(os.environ.get(FOLDER) or folder)
        chosen.mkdir(parents=True, exist_ok=True)
        self.path = chosen / f"{name}.jsonl"
        self._file = self.path.open("w", encoding="utf-8")
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """How long it has been going on."""
        return time.monotonic() - self._began

    def tell(self, what: str, **more: object) -> None:
        """Write a line."""
        line = {"at": round(self.seconds, 4), "what": what, **more}
        self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.tell("broken off", by=repr(error))
        self._file.close()

"""Run commands of holdfast one after another in one process, since each start takes a while.

Standard input gives them as JSON, a list of (folder, arguments). What each has printed goes to standard output, as a
JSON list.
"""

import contextlib
import io
import json
import os
import sys

from holdfast.cli.main import app


def printed(folder: str, arguments: list[str]) -> str:
    """Run one command in a folder and give what it printed."""
    os.chdir(folder)
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
        app(arguments)
    return out.getvalue()


if __name__ == "__main__":
    json.dump([printed(folder, arguments) for folder, arguments in json.load(sys.stdin)], sys.stdout)

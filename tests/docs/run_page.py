"""Run the programs of one page, one after another, in the folder where this is started.

Standard input gives them as JSON, a list of (place, text). They share their names, as they would in one session; a
program that fails ends the run. What each has printed goes to standard output, as a JSON list.
"""

import contextlib
import io
import json
import sys


def printed(place: str, text: str, names: dict[str, object]) -> str:
    """Run one program and give what it printed."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(text, place, "exec"), names)  # noqa: S102 - this project's own pages
    return out.getvalue()


if __name__ == "__main__":
    sys.path.insert(0, "")
    shared: dict[str, object] = {"__name__": "page"}
    json.dump([printed(place, text, shared) for place, text in json.load(sys.stdin)], sys.stdout)

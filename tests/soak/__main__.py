"""`make soak`: 30 minutes at 50 turns a second, or HOLDFAST_SOAK seconds; exit status 1 when it is not flat.

What was measured is printed, and kept as `soak.json` in the folder that HOLDFAST_EVIDENCE names, else in a new one.
"""

import asyncio
import os
import sys
import tempfile
from pathlib import Path

from tests.soak.soak import Plan, soak

_HALF_AN_HOUR = 1800.0


def main() -> int:
    """Soak, and tell."""
    seconds = float(os.environ.get("HOLDFAST_SOAK", _HALF_AN_HOUR))
    kept = Path(os.environ.get("HOLDFAST_EVIDENCE") or tempfile.mkdtemp(prefix="holdfast-soak-"))
    kept.mkdir(parents=True, exist_ok=True)
    plan = Plan(seconds, every=seconds / 30, idle=min(60.0, seconds / 3))
    with tempfile.TemporaryDirectory(prefix="holdfast-soak-") as folder:
        found = asyncio.run(soak(plan, Path(folder)))
    (kept / "soak.json").write_text(found.as_json(), "utf-8")
    print(f"{found.told()}\nKept in {kept / 'soak.json'}")  # noqa: T201 - what people asked for
    return min(len(found.problems), 1)


if __name__ == "__main__":
    sys.exit(main())

"""When all is over: wait until nothing is wrong any more."""

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from tests.fire.evidence import Kept, judge, of_journals, of_tier
from tests.fire.world import HEALING, World


async def healed(burning: World) -> tuple[list[str], Kept]:
    """Say what is still wrong, most often nothing, and give what the journals hold."""
    end = time.monotonic() + 2 * HEALING
    await burning.until_all_serve()
    while True:
        journals = await of_journals([bot.worker.journal for bot in burning.bots])
        found = [await of_tier(place) for place in burning.places]
        problems = judge(burning.people, journals, found, len(burning.bots))
        if not problems or time.monotonic() > end:
            return problems, journals
        await asyncio.sleep(0.1)


def retaken(folder: Path) -> int:
    """Count the turns that were taken back, in all journals."""
    found = 0
    for path in folder.glob("journal-*.db"):
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as journal:
            found += journal.execute("SELECT count(*) FROM journal_state WHERE state = 'aborted'").fetchone()[0]
    return found

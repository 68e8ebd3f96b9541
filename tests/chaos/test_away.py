"""An outage of a real process, killed as by a power cut. Two seconds stand for Telegram's 150."""

import asyncio
import sys
from pathlib import Path

from holdfast.domain.wording import WORDING
from holdfast.sandbox.client import Control
from tests.chaos.processes import Holdfast, Sandbox, until

SECONDS = 2.0
PRESENCE = "SELECT value FROM tier_meta WHERE name = 'presence'"
ASKED = "SELECT dedup_key, json_extract(facts, '$.away') FROM events WHERE kind = 'question.repeated'"


class Hasty(Holdfast):
    """The same bot, soon to find that it was away."""

    def __init__(self, folder: Path, url: str) -> None:
        super().__init__(folder, url)
        script = Path(__file__).with_name("hasty_bot.py")
        self._command = [sys.executable, str(script), str(round(SECONDS * 1_000_000))]


async def test_a_killed_bot_asks_its_open_questions_again(tmp_path: Path) -> None:
    """Killed twice with a question open, it asks it again after each outage, once, and the new buttons work."""
    with Sandbox(tmp_path) as sandbox:
        url = await sandbox.ready()
        with Hasty(tmp_path, url) as bot:
            async with Control(url) as control:
                ada = await control.person("Ada")
                bot.start()
                await ada.sees("1 of 8", after=await ada.says("/addmachine"))
                await ada.sees("2 of 8", after=await ada.says("Press 4"))
                for _ in range(2):
                    await control.all_confirmed()
                    bot.kill()
                    lost = await ada.taps("Skip")
                    await control.advance(151)
                    await asyncio.sleep(SECONDS)
                    bot.start()
                    await ada.sees(WORDING["repeated"], after=lost)
                    # Until this is written down, the next start would ask again for this outage, not for its own.
                    await until(lambda: bot.owed() == 0, "nothing is owed")
                    await until(lambda: ":" not in bot.read(PRESENCE)[0][0], "the outage is told of")
                await ada.sees("3 of 8", after=await ada.taps("Skip"))
                await until(lambda: bot.owed() == 0, "nothing is owed")
                asked = bot.read(ASKED)

    assert len(asked) == len({key for key, _ in asked}) == 2
    assert all(away > SECONDS * 1_000_000 for _, away in asked)

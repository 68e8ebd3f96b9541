"""Every command of the page on backups is typed, in its order, by somebody who needs it."""

import asyncio
import os
import shutil
import subprocess
from pathlib import Path

from pydantic import SecretStr

from tests.bot.road import registers, road, shown, taps
from tests.docs.environment import clean
from tests.docs.pages import blocks, page
from tests.servers.database import Database
from tests.servers.ground import Ground
from tests.servers.tree import FOLDERS

PAGE = page("docs/backup.md")
COMMANDS = [block.text for block in blocks(PAGE) if block.language == "sh"]
BACKUP, EXPORT, DUMP, PUT_BACK, RESTORE, VERIFY = range(6)


class Shell:
    """A shell in a folder, with the programs of PostgreSQL on its path."""

    def __init__(self, folder: Path, programs: Path, **settings: str) -> None:
        self.settings = clean() | {"HOLDFAST_JOURNAL": "data/local.db"} | settings
        self.settings["PATH"] = f"{programs}{os.pathsep}{self.settings['PATH']}"
        self._folder = folder

    async def types(self, number: int) -> str:
        """Type a block of the page; its complaint is the failure's text."""
        done = await asyncio.to_thread(
            subprocess.run,
            ["bash", "-euo", "pipefail", "-c", COMMANDS[number]],
            cwd=self._folder,
            env=self.settings,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{COMMANDS[number]}\n{done.stdout}\n{done.stderr}"
        return done.stdout


def test_the_page_has_the_commands_that_are_typed_here() -> None:
    """A block that is added to the page is typed here, too."""
    assert len(COMMANDS) == VERIFY + 1


async def test_what_was_backed_up_comes_back(three_databases: list[Database], ground: Ground, tmp_path: Path) -> None:
    """Journal, export and tier are copied beside the bot and put back; with the tier nothing later is lost either."""
    tier, other, _ = three_databases
    programs = ground.tree(16).folder / "bin"
    setting = SecretStr(f"neon={tier.dsn}")
    shell = Shell(tmp_path, programs, TIER_URL=tier.dsn, NEW_URL=other.dsn)
    (tmp_path / "data").mkdir()
    async with road(tmp_path / "data") as way:
        ada = await way.control.person("Ada")
        async with way.bot(holdfast_tiers=setting):
            await registers(ada)
            told = [await shell.types(one) for one in (BACKUP, EXPORT, DUMP)]
            await registers(ada, "Drill 7")
            await way.control.all_confirmed()
        [(before,)] = way.rows("SELECT count(*) FROM events")
        verified = await shell.types(PUT_BACK)
        [(between,)] = way.rows("SELECT count(*) FROM events")
        await shell.types(RESTORE)
        async with way.bot(holdfast_tiers=SecretStr(f"neon={tier.dsn} supabase={other.dsn}")):
            seen = await ada.sees("Your machines (2)", after=await ada.says("/library"))
            await taps(ada, "Drill 7", "Drill 7")
            await way.control.all_confirmed()
        [(after,)] = way.rows("SELECT count(*) FROM events")
        shell.settings["HOLDFAST_TIERS"] = f"neon={tier.dsn} supabase={other.dsn}"
        await shell.types(VERIFY)

    assert all("Every hash and every parent link holds." in text for text in (*told[:2], verified))
    assert 0 < between < before < after
    assert "(2)" in shown(seen)
    assert shutil.which("pg_dump", path=str(programs)) is not None
    assert set(FOLDERS) >= {16}

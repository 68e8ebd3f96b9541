"""The whole program without a lasting disk: killed with nothing left of it, and a tier killed under it."""

import asyncio
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from holdfast.sandbox import SandboxServer
from holdfast.sandbox.client import Control
from tests.chaos.processes import PATIENCE, Holdfast
from tests.fire.evidence import compare, of_tier
from tests.fire.places import Place, places
from tests.servers.ground import Ground


async def test_killed_with_nothing_left_people_go_on(ground: Ground, tmp_path: Path) -> None:
    """After kill -9 and without any file of it people stand where they stood; with one tier of two nobody is lost."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    async with places(ground) as there, SandboxServer() as sandbox, Control(sandbox.url) as control:
        with Holdfast(tmp_path, sandbox.url) as bot:
            bot.settings |= {"HOLDFAST_JOURNAL": "none", "TMPDIR": str(scratch)}
            bot.settings |= {"NEON_DATABASE_URL": there[0].dsn, "SUPABASE_DATABASE_URL": there[1].dsn}
            bot.start()
            ada = await control.person("Ada")
            await ada.sees("1 of 8", PATIENCE, after=await ada.says("/addmachine"))
            await ada.sees("2 of 8", PATIENCE, after=await ada.says("Press 4"))
            bot.kill()
            await asyncio.to_thread(shutil.rmtree, scratch)
            scratch.mkdir()
            bot.start()
            await ada.sees("3 of 8", PATIENCE, after=await ada.says("ACME"))
            await there[1].server.kill()
            waits = await ada.says("HX-200")
            await asyncio.sleep(1.0)
            pending, seen = (await control.status()).pending, [m.text for m in (await ada.chat()).messages][-1]
            await there[1].server.start()
            await ada.sees("4 of 8", PATIENCE, after=waits)
            await control.all_confirmed()
            await alike(there)
            status = await bot.stop()
        first, second = [await of_tier(place) for place in there]

    assert (pending, seen, status) == (1, "HX-200", 0)
    assert len(first.events) == 4
    assert compare(first, [second]) == []
    assert await asyncio.to_thread(left_in, scratch) == await asyncio.to_thread(left_in, tmp_path / "none") == []


async def alike(there: Sequence[Place]) -> None:
    """Wait until the second tier's rows have followed its events; one that never does is told by the test."""
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            while compare(await of_tier(there[0]), [await of_tier(there[1])]):  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.1)


def left_in(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []

"""Several workers behind one address: killed, and a tier with them, while many people talk to all of them at once."""

import asyncio
import os
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from holdfast.sandbox.client import Control
from tests.chaos.evidence import Findings
from tests.chaos.processes import Sandbox
from tests.chaos.storm import seed
from tests.figures import tell
from tests.fire.crowd import Crowd, Trouble, Workers, hook
from tests.fire.places import places
from tests.servers.ground import Ground

TITLE = "several workers killed, and a tier cut"


class Size(NamedTuple):
    """How many workers and people, how many inputs each person sends, and what happens meanwhile."""

    workers: int
    people: int
    inputs: int
    trouble: Trouble


async def one_is_killed(crowd: Crowd, enough: asyncio.Event) -> None:
    """Kill a worker in the middle."""
    await crowd.after(0.5, enough)
    await crowd.kill(1)


async def much_happens(crowd: Crowd, enough: asyncio.Event) -> None:
    """Kill a worker, then the first tier; kill every worker while it is away; let it come back, and kill one more."""
    await crowd.after(0.15, enough)
    await crowd.kill(1)
    await crowd.after(0.3, enough)
    await crowd.there[0].server.kill()
    for number in range(1, crowd.bot.count + 1):
        await crowd.after(0.3 + 0.1 * number, enough)
        await crowd.kill(number)
    await crowd.after(0.8, enough)
    await crowd.there[0].server.start()
    await crowd.after(0.9, enough)
    await crowd.kill(2)


MANY = int(os.environ.get("HOLDFAST_INPUTS", "100"))
"""How many inputs each of the many people sends at least."""

SMALL, GREAT = Size(2, 20, 8, one_is_killed), Size(4, 200, MANY, much_happens)


@pytest.mark.torture
@pytest.mark.parametrize("size", [SMALL, GREAT], ids=["small", "great"])
async def test_workers_are_killed_in_the_middle(
    size: Size, ground: Ground, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Every input is once in the log of every worker and tier alike, and everybody ends with the right card."""
    chosen = seed()
    print(f"HOLDFAST_SEED={chosen}")  # noqa: T201 - pytest shows it beside a failure
    async with places(ground) as there, AsyncExitStack() as stack:
        # A worker and a tier that die at one moment take what stood on those two alone out of everybody's sight.
        addresses = {"NEON_DATABASE_URL": there[0].dsn, "SUPABASE_DATABASE_URL": there[1].dsn}
        sandbox = stack.enter_context(Sandbox(tmp_path))
        url = await sandbox.ready()
        bot = stack.enter_context(Workers(tmp_path, url, size.workers, HOLDFAST_SYNC_COPIES="2", **addresses))
        control = await stack.enter_async_context(Control(url))
        await hook(url, await bot.ready())
        crowd = Crowd(control, bot, there, chosen, size.people, size.inputs)
        await crowd.talk(size.trouble)
        problems, found = await crowd.settled(), await crowd.examine()
        kills = sum(len(bot.lives(number)) for number in range(1, size.workers + 1)) - size.workers
        status = await bot.stop()
    tell(request.config, TITLE, told(crowd, found, kills))

    assert problems == []
    assert found.inputs >= size.people * size.inputs
    assert (found.lost, found.doubled, found.altered, found.strangers, found.misordered) == ([], [], [], [], [])
    assert (found.machines, found.places, found.replies, found.failures) == ([], [], [], [])
    assert (kills > 0, status) == (True, 0)


def told(crowd: Crowd, found: Findings, kills: int) -> str:
    """Tell what came of it in a line."""
    return (
        f"{crowd.bot.count} workers killed {kills} times with {sum(crowd.in_flight)} inputs in flight, "
        f"{crowd.size} people: {found.inputs} inputs in {crowd.seconds:.0f} s, {len(found.lost)} lost, "
        f"{found.copies} further copies, {found.confirmed} machines, {found.replies_twice} replies twice"
    )

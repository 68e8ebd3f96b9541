"""Everything at once, on real servers and real processes: then all is healed, and everything is looked at."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from random import Random

import httpx
import pytest

from holdfast.sandbox.client import Control
from tests.chaos.processes import Sandbox
from tests.chaos.storm import seed
from tests.figures import tell
from tests.fire.chronicle import Chronicle
from tests.fire.hosts import hosts
from tests.fire.nemesis import Nemesis
from tests.fire.places import places
from tests.fire.posters import Poster
from tests.fire.verdict import Verdict, at_rest
from tests.servers.ground import Ground

TITLE = "Chaos: several bots and tiers, several faults at once"
HEAD = "HOLDFAST_EVIDENCE names the folder where the chronicles are kept"
_FIRST_UPDATE = 5001


@dataclass(frozen=True)
class Size:
    """How many inputs must be acknowledged, by how many people, bots and tiers; seconds of a course's faults."""

    inputs: int
    people: int
    bots: int
    tiers: int
    course: float = 0.0
    disk: int = 128


SMALL, GREAT = Size(10, 12, 2, 2, course=0.5), Size(10_000, 60, 3, 3, disk=1024)


async def storm(size: Size, ground: Ground, folder: Path, chronicle: Chronicle, number: int) -> Verdict:
    """Let people talk while everything burns, until enough is acknowledged; heal, and judge."""
    async with AsyncExitStack() as stack:
        sandbox = stack.enter_context(Sandbox(folder))
        url = await sandbox.ready()
        there = await stack.enter_async_context(places(ground, size.tiers, disk=size.disk))
        control = await stack.enter_async_context(Control(url))
        chats = [await _joins(control, f"P{one}") for one in range(size.people)]
        owners = ",".join(map(str, chats))
        bots = await stack.enter_async_context(hosts(there, folder, url, size.bots, owners))
        client = await stack.enter_async_context(httpx.AsyncClient())
        updates = count(_FIRST_UPDATE)
        people = [
            Poster(chat, bots, client, updates, chronicle, rng=Random(f"{number}:{chat}"), pause=0.008 * size.people)
            for chat in chats
        ]
        for bot in bots:
            await asyncio.to_thread(bot.start)
            await people[0].says("/help")
        nemesis = Nemesis(bots, there, chronicle, Random(f"{number} nemesis"))
        await _burn(size, people, nemesis)
        began = time.monotonic()
        problems, found = await at_rest(bots, there, people)
        verdict = Verdict.of(people, found, problems, nemesis.faults, seconds=chronicle.seconds)
        verdict.healing = time.monotonic() - began
        return verdict


async def _joins(control: Control, name: str) -> int:
    """Let somebody open a chat with the bot, and give its number."""
    person = await control.person(name)
    await person.says("/start")
    return person.id


async def _burn(size: Size, people: Sequence[Poster], nemesis: Nemesis) -> None:
    """Go on until enough was acknowledged, and a short course has come to its end."""
    enough = asyncio.Event()

    async def look() -> None:
        while sum(len(person.taken) for person in people) < size.inputs:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.05)
        enough.set()

    async with asyncio.TaskGroup() as group:
        if size.course:
            course = group.create_task(nemesis.pass_over(size.course))
            done = asyncio.Event()
            course.add_done_callback(lambda _: done.set())
            working = [group.create_task(person.work(done)) for person in people]
            await course
            await asyncio.wait(working)
            await nemesis.heal()
        else:
            group.create_task(look())
            for person in people:
                group.create_task(person.work(enough))
            group.create_task(nemesis.rage(enough))


@pytest.mark.parametrize("size", [SMALL, pytest.param(GREAT, marks=pytest.mark.torture)], ids=["small", "great"])
async def test_everything_acknowledged_is_everywhere_once(
    size: Size, ground: Ground, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """After kills, freezes, cuts, full disks and rollbacks every acknowledged input is everywhere, once, in order."""
    number = seed()
    print(f"HOLDFAST_SEED={number}")  # noqa: T201 - pytest shows it beside a failure
    with Chronicle(tmp_path, f"chaos-{number}") as chronicle:
        verdict = await storm(size, ground, tmp_path, chronicle, number)
        chronicle.tell("verdict", **verdict.figures())
        tell(request.config, TITLE, f"{verdict.line()}; {chronicle.path}", head=HEAD)

    assert verdict.problems == []
    assert verdict.acknowledged >= size.inputs

"""The whole program: the bot and its servers are killed in the middle of bursts, and all have everything at last."""

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.chaos.outcome import Outcome, over_holdfast
from tests.chaos.processes import Holdfast, Program
from tests.chaos.storm import MOMENTS, seed
from tests.figures import tell
from tests.fire.evidence import Kept, compare, of_journals, of_tier
from tests.fire.figures import HEAD, TITLE
from tests.fire.places import Place, places
from tests.fire.reading import reading
from tests.fire.world import HEALING
from tests.servers.ground import Ground

BLOWS, MANY_BLOWS = 4, 40


@dataclass
class Tiers:
    """Two tiers' servers: each blow to the bot kills one, or both, or lets them live again."""

    there: list[Place]
    blows: int = 0
    problems: list[str] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)

    async def strike(self, program: Program) -> None:
        """Kill the bot and, in turn, the first server, nothing more, both servers, nothing more."""
        program.kill()
        fall = (self.there[:1], [], self.there, [])[self.blows % 4]
        self.blows += 1
        await asyncio.gather(*(place.server.kill() for place in fall))
        if not fall:
            await self.revive()

    async def revive(self) -> None:
        """Start what is dead."""
        await asyncio.gather(*(place.server.start() for place in self.there if not place.server.runs))

    async def rest(self, bot: Holdfast) -> None:
        """Wait until both hold what the journal holds."""
        await self.revive()
        end = time.monotonic() + HEALING
        while True:
            async with reading(bot.journal) as journal:
                self.kept = [await of_journals([journal]), *[await of_tier(place) for place in self.there]]
            self.problems = compare(self.kept[0], self.kept[1:])
            if not self.problems or time.monotonic() > end:
                return
            await asyncio.sleep(0.2)


@pytest.mark.parametrize("blows", [BLOWS, pytest.param(MANY_BLOWS, marks=pytest.mark.torture)])
async def test_the_bot_and_its_servers_are_killed(
    blows: int, ground: Ground, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """After kills of bot and servers all inputs and machines are in the journal and on both tiers, once, in order."""
    chosen = seed()
    print(f"HOLDFAST_SEED={chosen}")  # noqa: T201 - pytest shows it beside a failure
    async with places(ground) as there:
        tiers = Tiers(there)
        outcome = await over_holdfast(
            tmp_path,
            chosen,
            blows,
            tiers.strike,
            MOMENTS,
            rest=tiers.rest,
            NEON_DATABASE_URL=there[0].dsn,
            SUPABASE_DATABASE_URL=there[1].dsn,
        )
    found = outcome.findings
    tell(request.config, TITLE, told(outcome), head=HEAD)

    assert tiers.problems == []
    assert (found.lost, found.doubled, found.altered, found.strangers, found.misordered) == ([], [], [], [], [])
    assert (found.machines, found.places, found.replies, found.failures) == ([], [], [], [])
    assert found.confirmed > 0
    machines = [{key for key in kept.rows if key[0] == "user_machines"} for kept in tiers.kept]
    assert [len(keys) for keys in machines] == [found.confirmed] * 3


def told(outcome: Outcome) -> str:
    """Tell what came of it in a line."""
    found = outcome.findings
    return (
        f"the program killed {outcome.storm.blows} times, with its servers: {found.inputs} inputs, "
        f"{len(found.lost)} lost, {found.copies} further copies, {found.confirmed} machines, "
        f"{found.replies_twice} replies twice"
    )

"""Tiers burn while people talk: nothing that was acknowledged is missing anywhere when it is over."""

import asyncio
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.chaos.storm import seed
from tests.figures import tell
from tests.fire.evidence import Kept, names_saved
from tests.fire.faults import LONG, SHORT, Fault
from tests.fire.figures import HEAD, TITLE, Figures
from tests.fire.healing import healed, retaken
from tests.fire.places import places
from tests.fire.side_by_side import result_of, side_by_side
from tests.fire.world import World, world
from tests.servers.fixtures import finished
from tests.servers.ground import Ground


class Size(NamedTuple):
    """How long it burns, in seconds before and after a fault that lasts twice as long; how many tiers and people."""

    seconds: float
    tiers: int
    people: int


SMALL, GREAT = Size(0.4, 2, 4), Size(5.0, 3, 8)


@dataclass(frozen=True)
class Burned:
    """What a fault left: what is wrong, what the journals hold, the world; and the hurt tiers that nobody missed."""

    fault: Fault
    figures: Figures
    problems: list[str]
    journals: Kept
    world: World
    spared: list[str]


async def burn(fault: Fault, size: Size, ground: Ground, folder: Path) -> Burned:
    """Let a fault happen in the middle of traffic, wait until all is healed, and read what is there."""
    await asyncio.to_thread(folder.mkdir)
    async with (
        places(ground, size.tiers, network=fault.network) as there,
        world(there, folder, bots=fault.workers, people=size.people, seed=seed()) as burning,
    ):
        figures = await burning.pass_through(fault, size.seconds)
        spared = [place.name for place in fault.hits(there) if not place.outcomes]
        problems, found = await healed(burning)
        figures.retaken = retaken(folder)
        return Burned(fault, figures, problems, found, burning, spared)


@pytest.fixture(scope="module")
def burned(ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Burned | BaseException]:
    """What each short fault left, or why it could not be found out."""
    folder = tmp_path_factory.mktemp("fire")
    works = {fault.name: partial(burn, fault, SMALL, ground, folder / fault.name) for fault in SHORT}
    return finished(side_by_side(works))


def check(one: Burned, request: pytest.FixtureRequest) -> None:
    """Hold to a fault what it left."""
    tell(request.config, TITLE, one.figures.line(), head=HEAD)
    people, shown = one.world.people, sum(len(life.messages.texts) for life in one.world.lives)
    assert one.spared == []
    assert one.problems == []
    if len(one.world.bots) == 1:
        assert [names_saved(one.journals, person) for person in people] == [sorted(person.saved) for person in people]
    # A bot that was killed between a reply and its record sends the reply again.
    assert shown == len(one.journals.deliveries) or (one.fault.dies and shown > len(one.journals.deliveries))


@pytest.mark.parametrize("name", [fault.name for fault in SHORT])
def test_nothing_acknowledged_is_missing(
    name: str, burned: dict[str, Burned | BaseException], request: pytest.FixtureRequest
) -> None:
    """Through any fault, every acknowledged input ends up once, in order, in the journal and on every tier alike."""
    check(result_of(burned[name]), request)


@pytest.mark.torture
@pytest.mark.parametrize("fault", LONG, ids=lambda fault: fault.name)
async def test_nothing_acknowledged_is_missing_after_a_long_fault(
    fault: Fault, ground: Ground, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """The same holds with three tiers, twice as many people, and a fault of ten seconds."""
    one = await burn(fault, GREAT, ground, tmp_path / "fire")

    check(one, request)

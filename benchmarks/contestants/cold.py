"""Cold loads: a thread that nobody remembers is read and folded. Arguments: the journal, how many people it has."""

import asyncio
import random
import sys
from pathlib import Path

from benchmarks.contestants.build import FIRST_SLEEPER, sleeper
from benchmarks.house import inbound_of
from benchmarks.slices import Slice, one_after_another, serve
from benchmarks.updates import BOT, update
from holdfast.cli.wiring import opened_log
from holdfast.domain.evolve import fold
from holdfast.infrastructure.settings import Settings


async def main(journal: Path, people: int) -> None:
    """Serve slices."""
    chance = random.Random(1)
    async with opened_log(Settings(holdfast_journal=journal), BOT) as opened:

        async def turn() -> None:
            person = FIRST_SLEEPER + chance.randrange(people)
            loaded = await opened.log.load(sleeper(person), inbound_of(update(1, person, "hello")))
            if not fold(loaded.events).open:
                raise RuntimeError("a conversation is missing")

        async def run(seconds: float) -> Slice:
            return await one_after_another(turn, seconds)

        await serve(run)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))

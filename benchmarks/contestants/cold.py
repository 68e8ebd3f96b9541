"""Cold loads: a thread that nobody remembers is read and folded.

Arguments: the journal, how many people it has, tiers' addresses.
"""

import asyncio
import random
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.contestants.build import FIRST_SLEEPER, sleeper
from benchmarks.house import inbound_of, settings
from benchmarks.slices import Slice, one_after_another, serve
from benchmarks.updates import BOT, update
from holdfast.cli.wiring import opened_log
from holdfast.domain.evolve import fold


async def main(journal: Path, people: int, tiers: Sequence[str]) -> None:
    """Serve slices."""
    chance = random.Random(1)
    async with opened_log(settings(journal, tiers), BOT) as opened:

        async def turn() -> None:
            person = FIRST_SLEEPER + chance.randrange(people)
            loaded = await opened.log.load(sleeper(person), inbound_of(update(1, person, "hello")))
            if not fold(loaded.events).open:
                raise RuntimeError("a conversation is missing")

        async def run(seconds: float) -> Slice:
            return await one_after_another(turn, seconds)

        await serve(run)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]))

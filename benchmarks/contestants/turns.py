"""Holdfast's engine over its journal: inputs in, durable events out.

Arguments: the journal, how many people, tiers' addresses.
"""

import asyncio
import sys
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from benchmarks.house import engine, inbound_of
from benchmarks.slices import Slice, many_at_once, serve
from benchmarks.updates import MOST, People
from holdfast.domain.inbound import Inbound


async def main(journal: Path, count: int, tiers: Sequence[str]) -> None:
    """Serve slices."""
    people = People()
    stocks: list[deque[Inbound]] = [deque() for _ in range(count)]
    async with engine(journal, tiers) as turns:

        async def turn(seat: int) -> None:
            await turns.take(stocks[seat].popleft())

        async def run(seconds: float) -> Slice:
            for seat, stock in enumerate(stocks):
                while len(stock) < MOST * seconds / count + 2:
                    stock.append(inbound_of(people.next(seat)))
            return await many_at_once(turn, count, seconds)

        await serve(run)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]))

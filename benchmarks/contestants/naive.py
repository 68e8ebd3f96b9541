"""The usual way: aiosqlite writes a turn's rows and commits, turn by turn. Arguments: the file, how many people."""

import asyncio
import sys
from pathlib import Path

import aiosqlite

from benchmarks.contestants.rows import rows_of
from benchmarks.house import prepare, recording
from benchmarks.slices import Slice, many_at_once, serve
from benchmarks.supply import Supply
from holdfast.infrastructure.log.stores import AppendWrite


class Naive:
    """One connection; a lock keeps the turns' transactions apart."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        """Write through this connection."""
        self._connection = connection
        self._alone = asyncio.Lock()

    async def write(self, turn: AppendWrite) -> None:
        """Write the head, the event and the rows, and commit."""
        async with self._alone:
            for statement, values in rows_of(turn):
                await self._connection.execute(statement, values)
            await self._connection.commit()


async def main(file: Path, count: int) -> None:
    """Serve slices."""
    await prepare(file)
    async with aiosqlite.connect(file) as connection, recording() as (turns, recorder):
        await connection.executescript(Path(__file__).with_name("connection.sql").read_text("utf-8"))
        naive, supply = Naive(connection), Supply(turns, recorder, count)

        async def turn(seat: int) -> None:
            if write := supply.next(seat):
                await naive.write(write)
            else:
                raise RuntimeError("the supply is used up")

        async def run(seconds: float) -> Slice:
            await supply.refill(seconds)
            done = await many_at_once(turn, count, seconds)
            supply.used(done.rate)
            return done

        await serve(run)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))

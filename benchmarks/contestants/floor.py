"""The floor: sqlite3 inserts the event's row and commits, in the same thread. Argument: the file."""

import asyncio
import sqlite3
import sys
from pathlib import Path
from time import perf_counter

from benchmarks.house import prepare, recording
from benchmarks.slices import Slice, serve
from benchmarks.supply import Supply
from holdfast.infrastructure.sql import statements


async def main(file: Path) -> None:
    """Serve slices."""
    await prepare(file)
    insert = statements("journal.sql")["insert_event"]
    connection = sqlite3.connect(file)
    connection.executescript(Path(__file__).with_name("connection.sql").read_text("utf-8"))
    async with recording() as (turns, recorder):
        supply = Supply(turns, recorder, 1)

        async def run(seconds: float) -> Slice:
            await supply.refill(seconds)
            micros = []
            began = now = perf_counter()
            while now < began + seconds and (write := supply.next(0)):
                connection.execute(insert, write.record)
                connection.commit()
                micros.append(((after := perf_counter()) - now) * 1e6)
                now = after
            done = Slice(micros, now - began)
            supply.used(done.rate)
            return done

        await serve(run)
    connection.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))

"""The floor: sqlite3 writes a turn's rows, or its event alone, and commits, in the thread that asks.

Arguments: the file, and `rows` or `event`.
"""

import asyncio
import sqlite3
import sys
from pathlib import Path
from time import perf_counter

from benchmarks.contestants.rows import event_of, rows_of
from benchmarks.house import prepare, recording
from benchmarks.slices import Slice, serve
from benchmarks.supply import Supply


async def main(file: Path, what: str) -> None:
    """Serve slices."""
    await prepare(file)
    parts = {"rows": rows_of, "event": event_of}[what]
    connection = sqlite3.connect(file)
    connection.executescript(Path(__file__).with_name("connection.sql").read_text("utf-8"))
    async with recording() as (turns, recorder):
        supply = Supply(turns, recorder, 1)

        async def run(seconds: float) -> Slice:
            await supply.refill(seconds)
            micros: list[float] = []
            began = now = perf_counter()
            while now < began + seconds and (write := supply.next(0)):
                work = list(parts(write))
                now = perf_counter()
                for statement, values in work:
                    connection.execute(statement, values)
                connection.commit()
                micros.append((perf_counter() - now) * 1e6)
            done = Slice(micros, sum(micros) / 1e6)
            supply.used(done.rate)
            return done

        await serve(run)
    connection.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))

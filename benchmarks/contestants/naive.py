"""The usual way: aiosqlite writes a turn's rows and commits, turn by turn. Arguments: the file, how many people."""

import asyncio
import sys
from pathlib import Path

import aiosqlite

from benchmarks.house import prepare, recording
from benchmarks.slices import Slice, many_at_once, serve
from benchmarks.supply import Supply
from holdfast.infrastructure.log.journal_writer import as_iso
from holdfast.infrastructure.log.stores import AppendWrite
from holdfast.infrastructure.sql import statements

_TIMES = (2, 3, 4)


class Naive:
    """One connection; a lock keeps the turns' transactions apart."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        """Write through this connection."""
        self._connection = connection
        self._alone = asyncio.Lock()
        self._sql = statements("journal.sql")

    async def write(self, turn: AppendWrite) -> None:
        """Write the head, the event and the rows, and commit."""
        async with self._alone:
            await self._connection.execute(self._sql["write_head"], head_values(turn))
            await self._connection.execute(self._sql["insert_event"], turn.record)
            for row in turn.rows:
                change = "drop" if row.values is None else "put"
                values = [as_iso(one) if at in _TIMES else one for at, one in enumerate(row.values or ())]
                await self._connection.execute(self._sql[f"{change}_{row.table}"], (*row.key, *values))
            await self._connection.commit()


def head_values(turn: AppendWrite) -> tuple[object, ...]:
    """Give the values of a head that has moved on."""
    head, expected = turn.head, turn.expected
    place = (head.rev, head.version, head.ots, b"".join(head.head_ids), head.last_conversation_id)
    return (turn.record.thread_id, *place, int(turn.owes_reply), expected.rev, b"".join(expected.head_ids))


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

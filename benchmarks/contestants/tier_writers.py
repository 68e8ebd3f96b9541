"""Writers on a tier alone, through its batches: no journal, no engine. Arguments: the tier's address, how many."""

import asyncio
import sys

from benchmarks.house import recording
from benchmarks.slices import Slice, many_at_once, serve
from benchmarks.supply import Supply
from benchmarks.updates import BOT
from holdfast.cli.runtime import settle_in
from holdfast.domain.errors import Conflict
from holdfast.infrastructure.clock import SystemClock
from holdfast.infrastructure.log.keys import NO_KEY
from holdfast.infrastructure.tiers.postgres import PostgresTier
from holdfast.infrastructure.tiers.store import Mark, Stale
from holdfast.infrastructure.tiers.tier import Tier

_WITHIN = 30.0
_LONG = 60_000_000


async def main(dsn: str, count: int) -> None:
    """Serve slices."""
    clock = SystemClock()
    tier = Tier(PostgresTier("tier", dsn), clock)
    await tier.open(BOT, NO_KEY, _WITHIN)
    tier.breaker.trust(clock.now())
    tier.breaker.serve(clock.now())
    async with recording() as (turns, recorder):
        supply = Supply(turns, recorder, count)
        settle_in()

        async def turn(seat: int) -> None:
            write = supply.next(seat)
            if write is None:
                raise RuntimeError("the supply is used up")
            expected = tier.mark(write.record.thread_id) or Mark()
            verdict = await tier.append(write, expected, clock.now() + _LONG)
            if isinstance(verdict, Stale):
                raise Conflict

        async def run(seconds: float) -> Slice:
            await supply.refill(seconds)
            done = await many_at_once(turn, count, seconds)
            supply.used(done.rate)
            return done

        await serve(run)
    await tier.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))

"""The whole bot: raw updates in, replies handed to the request layer. Arguments: the journal, how many people."""

import asyncio
import sys
from collections import deque
from pathlib import Path
from time import perf_counter

from benchmarks.house import InstantRequest, whole_bot
from benchmarks.slices import Slice, one_after_another, serve
from benchmarks.updates import FIRST_PERSON, MOST, People
from holdfast.bot.intake import Intake
from holdfast.engine.sender import Sender

_EVERYBODY = 1_000_000


class Rounds:
    """Lets everybody say something, and waits until everybody's reply was handed over."""

    def __init__(self, intake: Intake, sender: Sender, request: InstantRequest, count: int) -> None:
        """Talk to this bot as so many people."""
        self._intake = intake
        self._sender = sender
        self._request = request
        self._count = count
        self._people = People()
        self._stock: deque[bytes] = deque()

    async def turn(self) -> None:
        """Send one person's update, and wait for the reply."""
        before = self._request.sent
        await self._intake.take([self._stock.popleft()])
        while self._request.sent == before:
            self._request.told.clear()
            await self._request.told.wait()

    async def alone(self, seconds: float) -> Slice:
        """One person; the last replies' fates are recorded before the slice ends."""
        self._people.fill(self._stock, MOST * seconds)
        done = await one_after_another(self.turn, seconds)
        await self._sender.settle()
        return done

    async def together(self, seconds: float) -> Slice:
        """Everybody at once, as a batch of updates; a turn's time ends when its reply was handed over."""
        micros: list[float] = []
        began = now = perf_counter()
        while now < began + seconds:
            batch = [self._people.next(seat) for seat in range(self._count)]
            began += (now := perf_counter()) - now
            take = asyncio.create_task(self._intake.take(batch))
            micros.extend(await self._replies(now))
            await take
            now = perf_counter()
        await self._sender.settle()
        return Slice(micros, perf_counter() - began)

    async def _replies(self, since: float) -> list[float]:
        micros: list[float] = []
        before = self._request.sent
        while len(micros) < self._count:
            self._request.told.clear()
            await self._request.told.wait()
            arrived = self._request.sent - before - len(micros)
            micros.extend([(perf_counter() - since) * 1e6] * arrived)
        return micros


async def main(journal: Path, count: int) -> None:
    """Serve slices."""
    owners = range(FIRST_PERSON, FIRST_PERSON + _EVERYBODY)
    async with whole_bot(journal, owners) as (intake, bot, request):
        rounds = Rounds(intake, bot.sender, request, count)
        await serve(rounds.alone if count == 1 else rounds.together)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))

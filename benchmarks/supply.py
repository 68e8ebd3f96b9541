"""The rows that the engine would write, for floors and peers that shall write the same."""

from collections import deque

from benchmarks.house import Recorder, inbound_of
from benchmarks.updates import People
from holdfast.engine.turns import Turns
from holdfast.infrastructure.log.stores import AppendWrite

_MORE = 1.5
_AT_FIRST = 8000.0


class Supply:
    """Makes the writes of turns before the clock runs: for each seat its own, in their order."""

    def __init__(self, turns: Turns, recorder: Recorder, seats: int) -> None:
        """Let the engine over this recorder make them."""
        self._turns = turns
        self._recorder = recorder
        self._seats = seats
        self._people = People()
        self._rate = _AT_FIRST
        self.writes: list[deque[AppendWrite]] = [deque() for _ in range(seats)]

    async def refill(self, seconds: float) -> None:
        """Have more in stock than a slice of so many seconds uses up."""
        wanted = int(self._rate * seconds * _MORE / self._seats) + 2
        for seat, writes in enumerate(self.writes):
            while len(writes) < wanted:
                await self._turns.take(inbound_of(self._people.next(seat)))
                made = self._recorder.writes
                writes.extend(write for write in made if isinstance(write, AppendWrite))
                made.clear()

    def used(self, rate: float) -> None:
        """Remember how fast the writes were used up."""
        self._rate = max(rate, self._rate)

    def next(self, seat: int) -> AppendWrite | None:
        """Take a seat's next write; None when there is no more."""
        return self.writes[seat].popleft() if self.writes[seat] else None

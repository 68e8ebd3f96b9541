"""What time brings to people: what is due by the log is looked for, and appended like an input, once."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from heapq import heappop, heappush

from msgspec import Struct

from holdfast.domain.errors import LogUnavailable
from holdfast.domain.event import Said
from holdfast.domain.flow import Flows
from holdfast.domain.ids import ThreadId
from holdfast.domain.inbound import Inbound
from holdfast.domain.ports import Clock, Due, Log
from holdfast.engine.blame import where
from holdfast.engine.presence import Presence
from holdfast.engine.turns import Turns

logger = logging.getLogger("holdfast.engine")
_SECOND = 1_000_000
PAGE = 2000
"""How much of what is due is held at once."""
_AT_ONCE = 8
"""How many turns of its own are under way at once: people's own come through beside them."""
_MARGIN = 5 * _SECOND
"""What was written just before a deadline gets so much time to arrive."""
_COURTESY = 10 * _SECOND
"""How much longer what another worker wrote last is left to that one."""
_LONGEST_LOOK, _SHORTEST_LOOK = 600 * _SECOND, _SECOND
_LONGEST_SLEEP = 30.0
_SHORTEST_SLEEP = 0.05
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0


class _Entry(Struct, frozen=True, order=True, gc=False):
    """A place in the agenda: from when on it may be done, and whether it was left to another worker before."""

    at: int
    due: Due
    was_left: bool = False


class Sweeper:
    """Looks for what is due, and lets it happen, until it is cancelled. Holds a page of it at most.

    An input can't bring anything nearer than a quarter of the shortest time to live, so that looking as often finds
    everything in time.
    """

    def __init__(  # noqa: PLR0913 - what it is wired to
        self,
        flows: Flows,
        log: Log,
        turns: Turns,
        presence: Presence,
        *,
        clock: Clock,
        thread_of: Callable[[int], ThreadId],
        page: int = PAGE,
    ) -> None:
        """Look in a log, while `presence` says that time may run. `thread_of` names a person's thread."""
        self._log = log
        self._turns = turns
        self._presence = presence
        self._clock = clock
        self._thread_of = thread_of
        self._page = page
        self._look_ahead = min(_LONGEST_LOOK, max(_SHORTEST_LOOK, flows.shortest // 4))
        self._agenda: list[_Entry] = []
        self._last: Due | None = None
        self._looks_at = 0
        self._trouble: LogUnavailable | None = None

    async def run(self) -> None:
        """Look again and again; what is due stands in the log, so a crash loses nothing."""
        pause = _FIRST_PAUSE
        while True:
            try:
                await self.sweep()
            except LogUnavailable as error:
                logger.warning("timers wait: %s", error)
                await self._clock.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            except Exception as error:  # noqa: BLE001 - what fails once must not end the bot, nor all timers
                logger.error("a look for timers failed: %s", where(error))
                await self._clock.sleep(_LONGEST_PAUSE)
            else:
                pause = _FIRST_PAUSE
                await self._clock.sleep(self._until_next())

    def _until_next(self) -> float:
        """Give the seconds until there is something to do, as far as is known."""
        if not self._presence.is_here(self._clock.now()):
            return 1.0
        at = self._agenda[0].at if self._agenda else self._looks_at  # nothing is read before the agenda is done with
        return min(_LONGEST_SLEEP, max(_SHORTEST_SLEEP, (at - self._clock.now()) / _SECOND))

    async def sweep(self) -> int:
        """Let happen all that is due by now; give how much that was. LogUnavailable: some of it has to wait.

        Nothing happens while people may have written what was not read yet.
        """
        happened = 0
        while self._presence.is_here(self._clock.now()):
            await self._look()
            ripe = list(self._ripe())
            if not ripe:
                break
            happened += await self._let_happen(ripe)
        return happened

    async def _look(self) -> None:
        """Read the next page, once the last one is done with; behind the last of them it begins anew, later."""
        now = self._clock.now()
        if self._agenda or now < self._looks_at:
            return
        page = await self._log.due(now + self._look_ahead, self._last, self._page)
        for due in page:
            heappush(self._agenda, _Entry(due.at + _MARGIN, due))
        is_all = len(page) < self._page
        self._last, self._looks_at = (None, now + self._look_ahead) if is_all else (page[-1], now)

    def _ripe(self) -> Iterator[_Entry]:
        now = self._clock.now()
        while self._agenda and self._agenda[0].at <= now:
            yield heappop(self._agenda)

    async def _let_happen(self, ripe: list[_Entry]) -> int:
        """Take up what is ripe, a few at a time."""
        self._trouble, waiting = None, iter(ripe)
        async with asyncio.TaskGroup() as group:
            hands = [group.create_task(self._take(waiting)) for _ in range(min(_AT_ONCE, len(ripe)))]
        for entry in waiting:
            heappush(self._agenda, entry)
        if self._trouble is not None:
            raise self._trouble
        return sum(hand.result() for hand in hands)

    async def _take(self, waiting: Iterator[_Entry]) -> int:
        happened = 0
        for entry in waiting:
            try:
                happened += await self._take_one(entry)
            except LogUnavailable as error:
                self._trouble = error
                heappush(self._agenda, entry)
            except Exception as error:  # noqa: BLE001 - one thread must not hold up the others; it is looked at again
                logger.error("a timer failed: %s", where(error))
            if self._trouble is not None or not self._presence.is_here(self._clock.now()):
                break
        return happened

    async def _take_one(self, entry: _Entry) -> int:
        """Do what is due in one thread, as much as there is; what another worker wrote last is left to it for a while.

        Nothing is there any more where the person went on, or another worker was first.
        """
        due, now = entry.due, self._clock.now()
        thread_id = self._thread_of(due.user_id)
        if not entry.was_left and not await self._log.wrote_last(thread_id):
            heappush(self._agenda, _Entry(now + _COURTESY, due, was_left=True))
            return 0
        said = Said(type="timer", user_id=due.user_id, chat_id=due.chat_id)
        inbound = Inbound(thread_id=thread_id, dedup_key="", order=-1, occurred_at=now, received_at=now, said=said)
        happened = 0
        while await self._turns.tick(inbound, now - _MARGIN):
            happened += 1
        return happened

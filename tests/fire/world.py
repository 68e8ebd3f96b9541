"""Bots over tiers that burn, and the people who talk to them."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from random import Random

from holdfast.domain.errors import LogUnavailable
from holdfast.domain.inbound import Inbound
from holdfast.infrastructure.clock import SystemClock, system_randomness
from holdfast.infrastructure.log.journal import SqliteJournal
from tests.conformance.scribe import BOT
from tests.fire.faults import Fault
from tests.fire.figures import Figures
from tests.fire.people import Person
from tests.fire.places import Place
from tests.tiers.workers import Worker

_FIRST_PERSON = 101
_FIRST_UPDATE = 1001
HEALING = 40.0
"""Seconds within which every tier must have everything again."""


class Process:
    """One bot on one journal file, in all its lives."""

    def __init__(self, path: Path, places: Sequence[Place], number: int) -> None:
        """Nothing runs yet."""
        self.lives: list[Worker] = []
        self._path = path
        self._places = places
        self._seeds = count(1000 * number)
        self._turns: set[asyncio.Task[bool]] = set()
        self._runs = asyncio.Event()

    @property
    def worker(self) -> Worker:
        """The life at hand."""
        return self.lives[-1]

    async def start(self) -> None:
        """Begin a life, with what the last one left."""
        journal = SqliteJournal(self._path, SystemClock(), system_randomness)
        worker = Worker([place.store() for place in self._places], journal, seed=next(self._seeds), copies=1)
        self.lives.append(worker)
        await worker.log.open(BOT)
        await worker.begin()
        await worker.answer_what_is_owed()
        self._runs.set()

    async def take(self, given: Inbound) -> None:
        """Take an input in; LogUnavailable when it must come again, also when the bot is dead or dies meanwhile."""
        if not self._runs.is_set():
            raise LogUnavailable("the bot is dead")
        task = asyncio.create_task(self.worker.turns.take(given), name="turn")
        self._turns.add(task)
        task.add_done_callback(self._turns.discard)
        await asyncio.wait([task])
        if task.cancelled():
            raise LogUnavailable("the bot has died")
        task.result()

    async def die(self) -> None:
        """Drop everything where it is, as a kill does: nothing is finished, and no cursor is saved."""
        self._runs.clear()
        worker = self.worker
        for task in list(self._turns):
            task.cancel()
        await worker.rest()
        await worker.sender.close(0)
        for keeper_task in worker.service._tasks:  # noqa: SLF001 - there is no public way to die
            keeper_task.cancel()
        await asyncio.gather(*self._turns, *worker.service._tasks, return_exceptions=True)  # noqa: SLF001
        for tier in worker.service.lineup.tiers:
            await tier._store.close()  # noqa: SLF001
        await worker.journal.close()

    async def stop(self) -> None:
        """End in good order."""
        if self._runs.is_set():
            self._runs.clear()
            await self.worker.rest()
            await self.worker.sender.close(1.0)
            await self.worker.log.close()


class World:
    """So many people, one or two bots, and two or three tiers."""

    def __init__(self, places: Sequence[Place], folder: Path, *, bots: int, people: int, seed: int) -> None:
        """Everything random is made from the seed."""
        self.places = places
        self.bots = [Process(folder / f"journal-{number}.db", places, number) for number in range(bots)]
        updates = count(_FIRST_UPDATE)
        self.people = [
            Person(number, self, updates, Random(f"{seed}:{number}"), pause=0.04 * people / 8)
            for number in range(_FIRST_PERSON, _FIRST_PERSON + people)
        ]

    async def take(self, given: Inbound, number: int) -> None:
        """Hand an input to the bots in turn."""
        await self.bots[number % len(self.bots)].take(given)

    async def pass_through(self, fault: Fault, seconds: float) -> Figures:
        """Let a fault happen in the middle of traffic; each of three spans lasts so long, the fault twice."""
        figures = Figures(fault.name)
        enough = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for person in self.people:
                group.create_task(person.work(enough), name="person")
            await asyncio.sleep(seconds)
            await self._burn(fault, figures, 2 * seconds)
            healing = group.create_task(self._heal(figures), name="healing")
            await asyncio.sleep(seconds)
            enough.set()
            await healing
        figures.turns = [turn for person in self.people for turn in person.turns]
        figures.here = sum("syncing" in text for worker in self.lives for text in worker.messages.texts)
        return figures

    async def _burn(self, fault: Fault, figures: Figures, seconds: float) -> None:
        async with AsyncExitStack() as stack:
            figures.began = time.monotonic()
            for place in fault.hits(self.places):
                await stack.enter_async_context(fault.hurt(place))
            await asyncio.sleep(seconds / 2)
            if fault.dies:
                await asyncio.gather(*(bot.die() for bot in self.bots))
                await asyncio.gather(*(bot.start() for bot in self.bots))
            await asyncio.sleep(seconds / 2)
        figures.ended = time.monotonic()

    async def _heal(self, figures: Figures) -> None:
        """See when every tier serves again, which it does only with all that was written meanwhile."""
        end = figures.ended + HEALING
        while not self._all_serve() and time.monotonic() < end:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
        figures.healed = time.monotonic()

    @property
    def lives(self) -> list[Worker]:
        """Every life of every bot."""
        return [worker for bot in self.bots for worker in bot.lives]

    async def until_all_serve(self) -> None:
        """Wait until every tier serves every bot, and all replies are out."""
        with suppress(TimeoutError):
            async with asyncio.timeout(HEALING):
                while not self._all_serve():  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(0.01)
                await self._last_words()
                for bot in self.bots:
                    await bot.worker.sender.settle()

    async def until_quiet(self) -> None:
        """Wait until every tier serves and has been given everything, and its keeper is not at it any more."""
        await asyncio.gather(*(bot.worker.sender.settle() for bot in self.bots))
        async with asyncio.timeout(HEALING):
            while not (self._all_serve() and await self._all_given() and self._all_rest()):  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.02)

    async def _all_given(self) -> bool:
        for worker in (bot.worker for bot in self.bots):
            for tier in worker.service.lineup.tiers:
                tail = await worker.journal.tail(tier.cursor, 1)
                if tail.events or tail.deliveries:
                    return False
        return True

    def _all_rest(self) -> bool:
        """Whether each tier's keeper waits for news; what it asked a tier last has been answered by then."""
        news = [tier.news for bot in self.bots for tier in bot.worker.service.lineup.tiers]
        return all(one._waiters and not one.is_set() for one in news)  # noqa: SLF001

    def _all_serve(self) -> bool:
        return all(tier.serves for bot in self.bots for tier in bot.worker.service.lineup.tiers)

    async def _last_words(self) -> None:
        """Of several bots each must have to do with everybody once more: it learns of the others' turns only then."""
        if len(self.bots) > 1:
            await asyncio.gather(*(person.says_a_last_word(2 * len(self.bots)) for person in self.people))


@asynccontextmanager
async def world(
    places: Sequence[Place], folder: Path, *, bots: int = 1, people: int = 8, seed: int = 1
) -> AsyncIterator[World]:
    """Start the bots; they end in good order."""
    one = World(places, folder, bots=bots, people=people, seed=seed)
    try:
        for bot in one.bots:
            await bot.start()
        yield one
    finally:
        for bot in one.bots:
            await bot.stop()

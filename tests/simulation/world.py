"""One seed's world: tiers, workers, people and the nemesis; and what became of it all."""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random

from tests.simulation.loop import VirtualLoop, here
from tests.simulation.losses import Losses
from tests.simulation.nemesis import Nemesis
from tests.simulation.oracle import Oracle
from tests.simulation.people import Person
from tests.simulation.story import Story
from tests.simulation.telegram import Edge, Telegram
from tests.simulation.tiers import Server
from tests.simulation.watch import Watch
from tests.simulation.worker import BOT, Worker

WHOLE = (
    *("cut", "refuse", "slow", "lose_requests", "lose_answers", "hold", "no_tier", "split"),
    *("stop_tier", "freeze_tier", "refuse_writes"),
    *("keep_copy", "keep_copy", "restore"),
    *("kill", "lose_disk", "fill_disk", "skew", "trouble_telegram"),
)
"""The faults that must be borne."""

_RAGE = 40.0
_QUIET = 150.0
_CALM = 6
"""Seconds in which nothing happens: longer than a worker waits before it looks for news."""
_COMPARED = 3
_PERSON = 101
_LASTING = 0.85
"""How many of the workers beside two tiers or more have a lasting disk."""


@dataclass(frozen=True)
class Course:
    """What a world is made of. Seconds are virtual."""

    seed: int
    strengths: tuple[str, ...] = WHOLE
    rage: float = _RAGE
    worker_type: type[Worker] = Worker


@dataclass(frozen=True)
class Outcome:
    """What a seed led to."""

    seed: int
    problems: tuple[str, ...]
    story: Story
    seconds: float

    def told(self, last: int = 0) -> str:
        """Write the story, its end, and how to see it again."""
        lines = self.story.lines()[-last:]
        again = f"again: python -m tests.simulation {self.seed}"
        return "\n".join([*lines, *[f"DOES NOT HOLD: {one}" for one in self.problems], again])


class World:
    """Everything that follows from one seed."""

    def __init__(self, course: Course) -> None:
        chance = Random(f"{course.seed} world")
        self.loop = VirtualLoop(Random(f"{course.seed} loop") if chance.random() < 0.7 else None)
        self.story = Story(self.loop, course.seed)
        self.loop.set_exception_handler(self._on_exception)
        self.watch = Watch(self.story)
        self.telegram = Telegram(self.story, BOT)
        names = ("neon", "supabase", "railway")[: chance.choice((1, 2, 2, 3))]
        self.servers = [Server(name, self.story, self.watch.called) for name in names]
        self.watch.servers = self.servers
        self.workers = [
            course.worker_type(
                name,
                self.servers,
                self.telegram,
                story=self.story,
                watch=self.watch,
                lasting=len(names) == 1 or chance.random() < _LASTING,
            )
            for name in ("ann", "bob", "eve")[: chance.choice((1, 2, 2, 3))]
        ]
        self.telegram.workers = self.workers
        self.losses = Losses(self.story)
        self.losses.workers, self.losses.servers = self.workers, self.servers
        self.fair = Edge(strays=chance.choice((0.0, 0.1, 0.5)), repeats=chance.choice((0.0, 0.1, 0.4)))
        self.telegram.edge = self.fair
        self.people = [Person(_PERSON + n, self.telegram, self.story) for n in range(chance.choice((1, 2, 3)))]
        self._nemesis = Nemesis(self, course.strengths)
        self._course = course

    def _on_exception(self, _loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        self.story.problem(f"{context['message']}: {context.get('exception')!r}")

    async def live(self) -> None:
        """Start, rage, heal, come to rest, and be judged."""
        for worker in self.workers:
            worker.start()
        async with asyncio.TaskGroup() as group:
            for person in self.people:
                group.create_task(person.live(self._course.rage))
            group.create_task(self._nemesis.rage(self._course.rage))
        if await self._rests() and await self._rests_after_ten_minutes():
            await Oracle(self).judge()

    async def _rests(self, calm_for: int = _CALM) -> bool:
        """Wait until nothing is left to do; false when that never comes."""
        until = self.loop.time() + _QUIET
        calm = 0
        while calm < calm_for:
            await asyncio.sleep(1.0)
            calm = calm + 1 if self._is_calm() else 0
            if self.loop.time() > until:
                self.story.problem("nothing comes to rest after all is healed")
                return False
        return True

    async def _rests_after_ten_minutes(self) -> bool:
        """Let every worker compare its tiers with its journal, as it does every ten minutes, and come to rest again."""
        for worker in self.workers:
            for keeper in worker.service.keepers if worker.service else ():
                keeper.suspect()
        return await self._rests(_COMPARED)

    def _is_calm(self) -> bool:
        told = not any(server.owes for server in self.servers)
        return told and self.telegram.quiet and all(self._is_done(worker) for worker in self.workers)

    def _is_done(self, worker: Worker) -> bool:
        if not worker.takes or worker.service is None:
            return False
        sends = worker.sender is not None and worker.sender.is_busy
        hangs = any(link.hangs for link in worker.links)
        tiers = worker.service.lineup.tiers
        return not sends and not hangs and all(tier.serves and not tier.news.is_set() for tier in tiers)


def simulate(course: Course) -> Outcome:
    """Live one seed through."""
    world = World(course)
    asyncio.set_event_loop(world.loop)
    with _listening(world.story):
        try:
            world.loop.run_until_complete(world.live())
            seconds = world.loop.time()
            problems = tuple(world.story.problems)
        finally:
            world.loop.finish()
            asyncio.set_event_loop(None)
    return Outcome(course.seed, problems, world.story, seconds)


class _Listener(logging.Handler):
    """What the program logs belongs to the story; what it did not expect is a problem."""

    def __init__(self, story: Story) -> None:
        super().__init__(logging.WARNING)
        self._story = story

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info:
            self._story.problem(f"{here()}: {record.getMessage()}: {record.exc_info[1]!r}")
        else:
            self._story.tell("{}", record.getMessage())


@contextmanager
def _listening(story: Story) -> Iterator[None]:
    logger, listener = logging.getLogger("holdfast"), _Listener(story)
    propagates, logger.propagate = logger.propagate, False
    logger.addHandler(listener)
    try:
        yield
    finally:
        logger.removeHandler(listener)
        logger.propagate = propagates


def first_failing(courses: Sequence[Course]) -> Outcome | None:
    """Live seeds through until one of them fails."""
    return next((outcome for outcome in map(simulate, courses) if outcome.problems), None)

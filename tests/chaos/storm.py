"""A storm: people talk to a bot that is killed again and again."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import cycle
from random import Random, SystemRandom

from holdfast.sandbox.client import Control
from tests.chaos.processes import PATIENCE, Program, calls_so_far, speaks
from tests.chaos.technicians import Technician

PEOPLE = ("Ada", "Bo", "Cem", "Dag", "Eva", "Fay")
MOMENTS = {"burst": 6, "backlog": 2, "start": 1, "calm": 1}
"""When a blow falls, and how often: while a burst is taken in, right behind the first sign of life, before it, ever."""

AT_WORK = {"burst": 3, "calm": 1}
"""The same for a bot that shall have come to its senses."""

Trouble = tuple[str, dict[str, object]]

GRUDGING: tuple[Trouble, ...] = (
    ("flood", {"retry_after": 1}),
    ("error", {"code": 502, "description": "Bad Gateway"}),
    ("error", {"code": 500}),
    ("reset", {}),
)
"""What Telegram may do to a message without carrying it out."""

DEAF: tuple[Trouble, ...] = (("drop", {}),)
"""And what it does when it has carried it out."""

_CHANGES = 0.3

Blow = Callable[[Program], Awaitable[None]]


def seed() -> int:
    """What everything random in a storm is made from: HOLDFAST_SEED, or a new one."""
    given = os.environ.get("HOLDFAST_SEED")
    return int(given) if given else SystemRandom().randrange(10**6)


async def kill(program: Program) -> None:
    """Strike without a warning."""
    program.kill()


async def kill_or_stop(program: Program) -> None:
    """Strike without a warning, or ask it to end; chance says which."""
    if SystemRandom().random() < 0.5:
        program.kill()
    else:
        await program.stop()


@dataclass
class Storm:
    """A storm over a bot: how often it is struck, and how.

    `troubles` are what Telegram does to messages all the while. `in_flight` and `owed` tell, for each blow, how many
    inputs the bot had not confirmed and how many replies it owed.
    """

    control: Control
    program: Program
    seed: int
    blows: int
    blow: Blow = kill
    moments: dict[str, int] = field(default_factory=lambda: MOMENTS)
    trusting: bool = True
    troubles: tuple[Trouble, ...] = ()
    people: list[Technician] = field(default_factory=list)
    repeated: int = 0
    in_flight: list[int] = field(default_factory=list)
    owed: list[int] = field(default_factory=list)

    async def pass_over(self) -> None:
        """Let people work through all blows; afterwards the bot runs and they have stopped talking."""
        for name in PEOPLE:
            person = await self.control.person(name)
            self.people.append(Technician(self.control, person, Random(f"{self.seed}:{name}"), trusting=self.trusting))
        enough, burst = asyncio.Event(), asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for one in self.people:
                group.create_task(one.work(enough, burst))
            group.create_task(self._strike(enough, burst))
            if self.troubles:
                group.create_task(self._trouble(enough))
        await self.control.clear_faults()

    async def _trouble(self, enough: asyncio.Event) -> None:
        """Let about one call in six fail, in every way there is in turn; now and then a change of a message too."""
        rng = Random(f"{self.seed}:troubles")
        deck = cycle(rng.sample(self.troubles, len(self.troubles)))
        next_at = 0
        while not enough.is_set():
            if (calls := await calls_so_far(self.control)) >= next_at:
                next_at = calls + rng.randint(3, 9)
                kind, more = next(deck)
                await self.control.fault(kind, "sendMessage", **more)
                if rng.random() < _CHANGES:
                    await self.control.fault(kind, "editMessageText", **more)
            await asyncio.sleep(0.1)

    async def _strike(self, enough: asyncio.Event, burst: asyncio.Event) -> None:
        rng = Random(f"{self.seed}:blows")
        while len(self.in_flight) < self.blows and not enough.is_set():
            calls = await calls_so_far(self.control)
            self.program.start()
            await self._wait_for_a_moment(rng, calls, burst)
            await self.blow(self.program)
            self.in_flight.append((await self.control.status()).pending)
            self.owed.append(self.program.owed())
            await asyncio.sleep(rng.choice((0.0, 0.0, rng.uniform(0.0, 0.5))))
        self.program.start()
        enough.set()

    async def _wait_for_a_moment(self, rng: Random, calls: int, burst: asyncio.Event) -> None:
        moment = rng.choices(list(self.moments), list(self.moments.values()))[0]
        if moment == "start":
            return await asyncio.sleep(rng.uniform(0.0, 1.5))
        await speaks(self.control, self.program, calls)
        if moment == "burst":
            burst.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(burst.wait(), PATIENCE)
            await self._repeat_something(rng)
        longest = 1.0 if moment == "calm" else 0.15
        return await asyncio.sleep(rng.choice((0.0, rng.uniform(0.0, longest))))

    async def _repeat_something(self, rng: Random) -> None:
        """Telegram may deliver again what was confirmed; to a bot that can't tell, that would be unfair."""
        confirmed = (await self.control.status()).confirmed
        updates = [update for one in self.people for update in one.diary.updates if update < confirmed]
        if self.trusting and updates and rng.random() < 0.5:
            await self.control.again(rng.choice(sorted(updates)[-100:]))
            self.repeated += 1

"""Who breaks things: a seeded course of faults on real servers, networks and processes, several at once."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

from tests.fire.chronicle import Chronicle
from tests.fire.faults import Hurt, frozen, full, killed, read_only
from tests.fire.hosts import Host
from tests.fire.places import Place

_MOST_COPIES = 3
"""Old data folders that are kept of a tier: each is some dozens of megabytes."""
COURSE = ("keep_copy", "kill_worker", "kill_tier", "roll_back", "cut_off", "split", "freeze_tier", "fill", "read_only")
"""One of each, in this order, is what a short storm is."""
_RAGE = (*COURSE, "kill_worker", "roll_back", "roll_back", "black_hole", "split", "split", "kill_all", "no_tier")


class Nemesis:
    """Each fault is a method: it hurts, waits and heals. No victim has two faults at once, but for the network's."""

    def __init__(self, hosts: Sequence[Host], places: Sequence[Place], chronicle: Chronicle, chance: Random) -> None:
        """Choose faults, victims and times by this chance."""
        self._hosts = hosts
        self._places = places
        self._chronicle = chronicle
        self._chance = chance
        self._busy: set[str] = set()
        self._copies: dict[str, list[Path]] = {place.name: [] for place in places}
        self.faults: Counter[str] = Counter()

    async def pass_over(self, seconds: float) -> None:
        """Do every fault of the course once, one after the other, each for so long."""
        for name in COURSE:
            await self._do(name, seconds)

    async def rage(self, enough: asyncio.Event, at_once: int = 2) -> None:
        """Do faults, so many at once, until it is enough; everything is whole when this returns."""
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(self._one_after_another(enough))
        await self.heal()

    async def _one_after_another(self, enough: asyncio.Event) -> None:
        while not enough.is_set():
            await self._do(self._chance.choice(_RAGE), self._chance.choice((0.2, 0.5, 1.0, 2.0, 4.0)))
            await asyncio.sleep(self._chance.choice((0.1, 0.5, 1.5)))

    async def _do(self, name: str, seconds: float) -> None:
        fault: Callable[[float], object] = getattr(self, name)
        await fault(seconds)  # type: ignore[misc] # all of them are coroutines

    async def heal(self) -> None:
        """Make every network whole, and let every bot run."""
        for host in self._hosts:
            for link in host.links.values():
                await link.heal()
        self._chronicle.tell("all is healed")

    @asynccontextmanager
    async def _on(self, fault: str, *victims: str) -> AsyncIterator[bool]:
        """Have victims to oneself; false when another fault has one of them in its hands."""
        if self._busy.intersection(victims):
            yield False
            return
        self._busy.update(victims)
        self.faults[fault] += 1
        self._chronicle.tell("fault", name=fault, on=victims)
        try:
            yield True
        finally:
            self._busy.difference_update(victims)
            self._chronicle.tell("healed", name=fault, on=victims)

    def _place(self) -> Place:
        return self._chance.choice(self._places)

    async def kill_worker(self, seconds: float) -> None:
        """SIGKILL a bot in the middle of whatever it does, and start it again."""
        host = self._chance.choice(self._hosts)
        async with self._on("kill_worker", host.name) as mine:
            if mine:
                await asyncio.to_thread(host.kill)
                await asyncio.sleep(seconds)
                await asyncio.to_thread(host.start)

    async def kill_tier(self, seconds: float) -> None:
        """SIGKILL a tier's server, as a power cut."""
        await self._tier("kill_tier", killed, seconds)

    async def freeze_tier(self, seconds: float) -> None:
        """SIGSTOP a tier's server: nothing answers."""
        await self._tier("freeze_tier", frozen, seconds)

    async def fill(self, seconds: float) -> None:
        """Let a tier's disk be full: the first one's, which is small."""
        await self._tier("fill", full, seconds, self._places[0])

    async def read_only(self, seconds: float) -> None:
        """Let a tier take no writes."""
        await self._tier("read_only", read_only, seconds)

    async def _tier(self, name: str, hurt: Hurt, seconds: float, victim: Place | None = None) -> None:
        place = victim or self._place()
        async with self._on(name, place.name) as mine:
            if mine:
                async with hurt(place):
                    await asyncio.sleep(seconds)

    async def kill_all(self, seconds: float) -> None:
        """Kill all tiers at once: what comes meanwhile stands in one journal alone."""
        async with self._on("kill_all", *[place.name for place in self._places]) as mine:
            if mine:
                await asyncio.gather(*(place.server.kill() for place in self._places))
                await asyncio.sleep(seconds)
                await asyncio.gather(*(place.server.start() for place in self._places))

    async def keep_copy(self, _seconds: float) -> None:
        """Keep a tier's data folder as it is, as a provider's backup does."""
        place = self._place()
        async with self._on("keep_copy", place.name) as mine:
            if mine and len(self._copies[place.name]) < _MOST_COPIES:
                self._copies[place.name].append(await place.server.snapshot())

    async def roll_back(self, seconds: float) -> None:
        """Bring a tier back with the data of an earlier moment."""
        place = self._chance.choice([one for one in self._places if self._copies[one.name]] or [self._place()])
        async with self._on("roll_back", place.name) as mine:
            if mine and self._copies[place.name]:
                copy = self._chance.choice(self._copies[place.name])
                await place.server.kill()
                await asyncio.sleep(seconds / 2)
                await place.server.restore(copy)
                self._chronicle.tell("rolled back", tier=place.name, to=copy.name)

    async def cut_off(self, seconds: float) -> None:
        """Reset the connections of one bot to one tier, and refuse new ones."""
        host, place = self._chance.choice(self._hosts), self._place()
        async with self._on("cut_off", f"{host.name}-{place.name}") as mine:
            if mine:
                await host.links[place.name].cut()
                await asyncio.sleep(seconds)
                await host.links[place.name].heal()

    async def black_hole(self, seconds: float) -> None:
        """Carry nothing between one bot and one tier, without a word."""
        host, place = self._chance.choice(self._hosts), self._place()
        async with self._on("black_hole", f"{host.name}-{place.name}") as mine:
            if mine:
                await host.links[place.name].black_hole()
                await asyncio.sleep(seconds)
                await host.links[place.name].heal()

    async def no_tier(self, seconds: float) -> None:
        """Cut one bot off from every tier."""
        host = self._chance.choice(self._hosts)
        await self._cut("no_tier", {host: list(host.links)}, seconds)

    async def split(self, seconds: float) -> None:
        """Let each bot reach one tier alone, each another one: whoever decides knows only a part."""
        names = [place.name for place in self._places]
        self._chance.shuffle(names)
        reached = {host: names[number % len(names)] for number, host in enumerate(self._hosts)}
        cut = {host: [name for name in names if name != one] for host, one in reached.items()}
        await self._cut("split", cut, seconds)

    async def _cut(self, fault: str, links: dict[Host, list[str]], seconds: float) -> None:
        ways = [(host, name) for host, names in links.items() for name in names]
        async with self._on(fault, *[f"{host.name}-{name}" for host, name in ways]) as mine:
            if mine:
                await asyncio.gather(*(host.links[name].cut() for host, name in ways))
                await asyncio.sleep(seconds)
                await asyncio.gather(*(host.links[name].heal() for host, name in ways))

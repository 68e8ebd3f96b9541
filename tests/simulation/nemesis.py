"""Who breaks things: a seeded course of faults, several at once, and then nothing but healing."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from tests.simulation.telegram import Edge
from tests.simulation.tiers import Link, Route, Server

if TYPE_CHECKING:
    from tests.simulation.world import World

T = TypeVar("T")
_AT_ONCE = 3


class Nemesis:
    """Chooses faults, victims and times by the seed. Each fault is a method: it hurts, waits, and heals."""

    def __init__(self, world: "World", strengths: tuple[str, ...]) -> None:
        self._world = world
        self._story = world.story
        self._chance = world.story.dice("nemesis")
        self._strengths = strengths
        self._busy: set[object] = set()

    async def rage(self, until: float) -> None:
        """Break things until a moment of virtual time; everything is whole when this returns."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._chance.randint(1, _AT_ONCE)):
                group.create_task(self._one_after_another(until))
        self.heal()

    async def _one_after_another(self, until: float) -> None:
        loop = self._story.loop
        while loop.time() < until:
            await asyncio.sleep(self._chance.choice((0.0, 0.1, 0.5, 2.0, 4.0)))
            fault: Callable[[], object] = getattr(self, self._chance.choice(self._strengths))
            await fault()  # type: ignore[misc]

    def heal(self) -> None:
        """Make everything whole."""
        self._story.tell("all is healed", who="nemesis")
        self._world.telegram.edge = Edge()
        for server in self._world.servers:
            server.start()
            server.faults.refuses_writes = ""
            server.thaw()
        for worker in self._world.workers:
            worker.disk.full, worker.clock.skew = False, 0
            for link in worker.links:
                link.route = Route()

    def _tell(self, line: str, *values: object) -> None:
        self._story.tell(line, *values, who="nemesis")

    async def _while(self) -> None:
        await asyncio.sleep(self._chance.choice((0.01, 0.1, 0.3, 1.0, 3.0, 10.0)))

    @asynccontextmanager
    async def _alone_with(self, victim: T) -> AsyncIterator[T | None]:
        """Give a victim, or None when another fault has it in its hands."""
        if victim in self._busy:
            await asyncio.sleep(0.1)
            yield None
            return
        self._busy.add(victim)
        try:
            yield victim
        finally:
            self._busy.discard(victim)

    def _some_link(self) -> tuple[str, Link]:
        worker = self._chance.choice(self._world.workers)
        return worker.name, self._chance.choice(worker.links)

    def _some_server(self) -> Server:
        return self._chance.choice(self._world.servers)

    async def _hurt(self, line: str, **hurt: object) -> None:
        worker, link = self._some_link()
        async with self._alone_with(link) as victim:
            if victim is not None:
                self._tell("{} from {} to {}", line, worker, victim.name)
                victim.route = Route(**hurt)  # type: ignore[arg-type] # the faults of a route, by their names
                await self._while()
                victim.route = Route()
                self._tell("the way from {} to {} is whole again", worker, victim.name)

    async def cut(self) -> None:
        """Swallow everything between one worker and one tier."""
        await self._hurt("no way", cut=True)

    async def refuse(self) -> None:
        """Refuse one worker's connections to one tier."""
        await self._hurt("connections refused", refused=True)

    async def slow(self) -> None:
        """Make one way slow: answers come late, or too late."""
        await self._hurt("a slow way", slow=self._chance.choice((0.03, 0.2, 0.6)))

    async def lose_requests(self) -> None:
        """Lose some calls before they arrive."""
        await self._hurt("calls lost", loses=0.4)

    async def lose_answers(self) -> None:
        """Lose some answers of what was done."""
        await self._hurt("answers lost", loses_answers=self._chance.choice((0.3, 1.0)))

    async def hold(self) -> None:
        """Deliver some calls long after the caller has given up."""
        await self._hurt("calls held up", holds=0.4, seconds_held=self._chance.choice((0.3, 2.0, 6.0)))

    async def no_tier(self) -> None:
        """Cut one worker off from every tier."""
        worker = self._chance.choice(self._world.workers)
        self._tell("{} is cut off from all tiers", worker.name)
        for link in worker.links:
            link.route.cut = True
        await self._while()
        for link in worker.links:
            link.route.cut = False
        self._tell("{} reaches the tiers again", worker.name)

    async def split(self) -> None:
        """Let each worker reach one tier alone, or none: whoever decides knows only a part."""
        async with self._alone_with("split") as victim:
            if victim is None:
                return
            for worker in self._world.workers:
                reached = self._chance.choice((*worker.links, None))
                self._tell("{} reaches only {}", worker.name, reached.name if reached else "its disk")
                for link in worker.links:
                    link.route.cut = link is not reached
            await self._while()
            for worker in self._world.workers:
                for link in worker.links:
                    link.route.cut = False
            self._tell("all workers reach the tiers again")

    async def stop_tier(self) -> None:
        """Crash a tier and start it again, with all that it had."""
        async with self._alone_with(self._some_server()) as victim:
            if victim is not None:
                await self._stopped(victim)

    async def _stopped(self, server: Server) -> None:
        self._tell("{} crashes", server.name)
        server.crash()
        await self._while()
        server.start()
        self._tell("{} is up", server.name)

    async def freeze_tier(self) -> None:
        """Stop a tier in its tracks; what it was asked meanwhile is done when it goes on."""
        async with self._alone_with(self._some_server()) as victim:
            if victim is not None:
                self._tell("{} freezes", victim.name)
                victim.faults.frozen = True
                await self._while()
                victim.thaw()
                self._tell("{} goes on", victim.name)

    async def refuse_writes(self) -> None:
        """Let a tier be read only, or its disk full."""
        async with self._alone_with(self._some_server()) as victim:
            if victim is not None:
                victim.faults.refuses_writes = "it takes no writes (25006)"
                self._tell("{} takes no writes", victim.name)
                await self._while()
                victim.faults.refuses_writes = ""
                self._tell("{} takes writes again", victim.name)

    async def keep_copy(self) -> None:
        """Make a backup of a tier, for a later restore."""
        self._some_server().keep_copy()
        await self._while()

    async def restore(self) -> None:
        """Bring a tier back with the data of an earlier moment."""
        async with self._alone_with(self._some_server()) as victim:
            if victim is None:
                return
            self._tell("{} crashes", victim.name)
            safe = self._world.losses.learned_from(victim)
            victim.crash()
            await self._while()
            if victim.copies:
                self._tell("{} comes back with old data", victim.name)
                self._world.losses.go_back(victim, self._chance.choice(victim.copies), safe)
            victim.start()
            self._tell("{} is up", victim.name)

    async def kill(self) -> None:
        """Kill a worker, and start it again."""
        async with self._alone_with(self._chance.choice(self._world.workers)) as victim:
            if victim is not None:
                victim.crash()
                if not victim.lasting:
                    self._world.losses.lose_disk(victim, frozenset())
                await self._while()
                victim.start()

    async def lose_disk(self) -> None:
        """Kill a worker, and start it again with an empty disk."""
        async with self._alone_with(self._chance.choice(self._world.workers)) as victim:
            if victim is not None:
                safe = self._world.losses.shipped_from(victim)
                victim.crash()
                self._tell("the disk of {} is lost", victim.name)
                self._world.losses.lose_disk(victim, safe)
                await self._while()
                victim.start()

    async def fill_disk(self) -> None:
        """Let a worker's disk be full for a while."""
        async with self._alone_with(self._chance.choice(self._world.workers)) as victim:
            if victim is not None:
                victim.disk.full = True
                self._tell("the disk of {} is full", victim.name)
                await self._while()
                victim.disk.full = False
                self._tell("the disk of {} has room", victim.name)

    async def skew(self) -> None:
        """Set a worker's clock wrong."""
        worker = self._chance.choice(self._world.workers)
        worker.clock.skew = self._chance.choice((-30, -1, 0, 1, 30)) * 1_000_000
        self._tell("the clock of {} is wrong by {} s", worker.name, worker.clock.skew // 1_000_000)
        await self._while()

    async def trouble_telegram(self) -> None:
        """Lose, repeat and reorder what goes to and from Telegram, or let it be away."""
        async with self._alone_with(self._world.telegram) as victim:
            if victim is not None:
                victim.edge = self._chance.choice(
                    (
                        Edge(away=True),
                        Edge(loses=0.3, loses_answers=0.3),
                        Edge(loses_acknowledgements=0.4),
                        Edge(repeats=0.5, strays=0.5),
                        Edge(hurries=0.5, strays=0.3),
                    )
                )
                self._tell("{}", victim.edge)
                await self._while()
                victim.edge = self._world.fair

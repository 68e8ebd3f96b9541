"""What a person feels when tiers freeze in the middle of a talk, and when they come back."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import ExitStack
from time import perf_counter

from benchmarks.beside import beside
from benchmarks.house import inbound_of
from benchmarks.places import Place
from benchmarks.postgres import postgres
from benchmarks.race import NotMeasured
from benchmarks.report import Goal, figure, missing, title
from benchmarks.updates import People
from holdfast.engine.turns import Turns
from holdfast.infrastructure.tiers.service import TierService
from tests.servers.server import Server

_ROUNDS = 5
_PAUSE = 0.02
"""Seconds between a reply and what is said next."""
_AWHILE = 1.0
_LONG = 60.0
_FIRST, _GONE, _BACK = Goal(300), Goal(500), Goal(150)


def failover(place: Place) -> None:
    """Freeze the first of two tiers, and both, while somebody talks."""
    title(f"Failover, {place.name}: two tiers, every process of a server stopped and woken again")
    try:
        with ExitStack() as stack:
            servers = [stack.enter_context(postgres()) for _ in range(2)]
            dsns = [one.database() for one in servers]
            asyncio.run(_measure(place, dsns, [one.server for one in servers]))
    except NotMeasured as reason:
        missing("failover", reason)


async def _measure(place: Place, dsns: list[str], servers: list[Server]) -> None:
    async with beside(place.file("ours.db"), dsns) as (turns, service):
        talk = Talk(turns, service)
        await talk.until_all_serve()
        await talk.for_seconds(_AWHILE)
        for label, frozen, goal in (("the first tier", servers[:1], _FIRST), ("all tiers", servers, _GONE)):
            rounds = [await talk.round(frozen) for _ in range(_ROUNDS)]
            firsts, laters, backs = zip(*rounds, strict=True)
            figure(f"{label} frozen: the first turn", firsts, "ms", goal)
            figure("  the slowest turn after it, while frozen", laters, "ms")
            figure("  awake again: the slowest turn until all serve", backs, "ms", _BACK)


class Talk:
    """One person who talks without an end."""

    def __init__(self, turns: Turns, service: TierService) -> None:
        """Begin to talk to this engine."""
        self._turns = turns
        self._service = service
        self._people = People()

    async def turn(self) -> float:
        """Say one thing; give the milliseconds until it was durable."""
        await asyncio.sleep(_PAUSE)
        inbound = inbound_of(self._people.next())
        began = perf_counter()
        await self._turns.take(inbound)
        return (perf_counter() - began) * 1000

    async def for_seconds(self, seconds: float) -> float:
        """Talk for a while; give the slowest turn."""
        end = perf_counter() + seconds
        return await self._while(lambda: perf_counter() < end)

    async def until_all_serve(self) -> float:
        """Talk until all tiers serve, and a moment longer; give the slowest turn."""
        end = perf_counter() + _LONG
        slowest = await self._while(lambda: not self._all_serve and perf_counter() < end)
        if not self._all_serve:
            raise NotMeasured(f"a tier did not come back within {_LONG:.0f} s")
        return max(slowest, await self.for_seconds(_AWHILE))

    @property
    def _all_serve(self) -> bool:
        return all(tier.serves for tier in self._service.lineup.tiers)

    async def _while(self, more: Callable[[], bool]) -> float:
        slowest = 0.0
        while more():
            slowest = max(slowest, await self.turn())
        return slowest

    async def round(self, frozen: list[Server]) -> tuple[float, float, float]:
        """Freeze and thaw; give the first turn, the slowest after it, and the slowest at failback."""
        await _all(server.freeze for server in frozen)
        first = await self.turn()
        later = await self.for_seconds(_AWHILE)
        await _all(server.thaw for server in frozen)
        return first, later, await self.until_all_serve()


async def _all(works: Iterable[Callable[[], Awaitable[None]]]) -> None:
    await asyncio.gather(*(work() for work in works))

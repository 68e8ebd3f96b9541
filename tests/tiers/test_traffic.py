"""Tiers that come and go while people do not stop talking."""

import asyncio
from itertools import count

import pytest

from holdfast.infrastructure.tiers.memory import MemoryTier
from tests.tiers.workers import until, worker


async def test_a_tier_comes_back_although_nobody_stops_talking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Events come without an end, so a tier need not have all of them before turns reach it again."""
    neon = MemoryTier("neon")
    async with worker(neon) as one:
        # A pause in which somebody surely says something.
        monkeypatch.setattr(one.service.keepers[0], "_chance", lambda: 0.1)

        enough = asyncio.Event()

        async def talk() -> None:
            for update in count(1):
                if enough.is_set():
                    return
                await one.hear(update, "/addmachine")

        talking = asyncio.create_task(talk())
        await until(lambda: len(neon.events) > 1)
        neon.down = True
        await until(lambda: not one.service.lineup.tiers[0].serves)
        neon.down = False
        await until(lambda: one.service.lineup.tiers[0].serves)
        enough.set()
        await talking

        said = len(await one.texts())
        await until(lambda: len(neon.events) == len(neon.deliveries) == said)
        assert await one.problems() == []

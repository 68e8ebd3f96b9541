"""Timers of several workers beside tiers: the real engine and protocol, over stores in memory."""

import asyncio

from msgspec.structs import replace

from holdfast.domain.errors import NoTier
from holdfast.domain.kinds import Kind
from holdfast.engine.presence import Presence
from holdfast.engine.sweeper import Sweeper
from holdfast.infrastructure.tiers.memory import MemoryTier
from tests.conformance.clocks import NOON, StandingClock
from tests.conformance.scribe import inbound, thread
from tests.tiers.workers import FLOWS, Worker, two_workers, until, worker

SECOND = 1_000_000
END = NOON + 24 * 3600 * SECOND
ENDED = [Kind.STARTED, Kind.EXPIRED]


async def sweep(one: Worker, after: float, sweeper: Sweeper | None = None) -> tuple[int, Sweeper]:
    """Let a worker look so many seconds after the deadline; give how much happened, and its sweeper."""
    clock, presence = StandingClock(END + round(after * SECOND)), Presence(patience=1 << 60)
    presence.here(clock.now())
    sweeper = sweeper or Sweeper(FLOWS, one.log, one.turns, presence, clock=clock, thread_of=thread)
    sweeper._clock = clock  # noqa: SLF001 - time is turned
    return await sweeper.sweep(), sweeper


async def kinds(one: Worker) -> list[str]:
    return [event.kind for event in await one.log.history(thread())]


async def test_of_two_workers_at_once_one_ends_it() -> None:
    """Both find the same due at one moment: there is one event everywhere, and one message."""
    neon, supabase = MemoryTier("neon"), MemoryTier("supabase")
    async with two_workers(neon, supabase) as (one, other):
        await one.hear(1, "/addmachine")
        await until(lambda: len(other.journal_events()) == 1)
        _, waiting = await sweep(other, 30)
        happened = await asyncio.gather(sweep(one, 45), sweep(other, 45, waiting))
        await until(lambda: len(one.journal_events()) == len(other.journal_events()) == len(supabase.events) == 2)
        await asyncio.gather(one.sender.settle(), other.sender.settle())

        assert sum(count for count, _ in happened) == 1
        assert await kinds(one) == await kinds(other) == ENDED
        assert len(one.messages.texts) + len(other.messages.texts) == 2


async def test_when_the_worker_that_spoke_last_is_gone_another_follows() -> None:
    """It is left to the one that knows the person, and done by another ten seconds later."""
    neon = MemoryTier("neon")
    async with two_workers(neon) as (silent, other):
        await silent.hear(1, "/addmachine")
        await until(lambda: len(other.journal_events()) == 1)
        first, sweeper = await sweep(other, 6)
        second, _ = await sweep(other, 17, sweeper)

        assert (first, second) == (0, 1)
        assert await kinds(other) == ENDED


async def test_who_answered_on_another_worker_is_left_alone() -> None:
    """A worker that has not heard of the answer yet is refused by the tier, and then knows better."""
    neon = MemoryTier("neon")
    async with two_workers(neon) as (one, other):
        await one.hear(1, "/addmachine")
        await until(lambda: len(other.journal_events()) == 1)
        await other.turns.take(replace(inbound(2), occurred_at=END - SECOND))
        happened, _ = await sweep(one, 6)

        assert happened == 0
        assert Kind.EXPIRED not in await kinds(other)


async def test_while_no_tier_can_be_had_nothing_fires_and_nothing_is_forgotten() -> None:
    """A timer stands on a tier first: until one answers it waits, and then it fires once."""
    neon = MemoryTier("neon")
    async with worker(neon) as one:
        await one.hear(1, "/addmachine")
        neon.down = True
        _, sweeper = await sweep(one, -13 * 3600)
        refused = False
        try:
            await sweep(one, 6)
        except NoTier:
            refused = True
        still = await kinds(one)
        neon.down = False
        await until(lambda: one.service.lineup.tiers[0].serves)
        happened, _ = await sweep(one, 60, sweeper)

        assert refused
        assert still == [Kind.STARTED]
        assert (happened, await kinds(one)) == (1, ENDED)

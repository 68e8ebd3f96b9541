"""Leases, on every kind of tier: one worker has each, for as long as it holds it."""

import asyncio

from holdfast.domain.ids import OriginId
from holdfast.infrastructure.tiers.store import Holding, TierStore
from tests.conformance.tiers import LONG

ONE, OTHER, GONE, LATE = (OriginId(bytes([number]) * 16) for number in (1, 2, 3, 4))
LASTING, SHORT, RUN_OUT = 60.0, 0.05, 0.15


async def hold(tier: TierStore, worker: OriginId, *others: OriginId, seconds: float = LASTING) -> Holding:
    return await tier.hold(worker, others, seconds, LONG)


async def test_a_worker_has_its_own_lease(tier: TierStore, other_tier: TierStore) -> None:
    """Each worker that holds has its own, again and again, and nobody else's."""
    assert await hold(tier, ONE) == Holding(frozenset((ONE,)))
    for _ in range(2):
        assert await hold(other_tier, OTHER) == Holding(frozenset((OTHER,)), alive=2)
        assert await hold(tier, ONE) == Holding(frozenset((ONE,)), alive=2)


async def test_a_lease_that_has_run_out_is_taken(tier: TierStore, other_tier: TierStore) -> None:
    """What nobody held for long enough goes to whoever comes next, who has it from then on."""
    await hold(tier, ONE, seconds=SHORT)
    await hold(other_tier, OTHER)
    await asyncio.sleep(RUN_OUT)

    assert await hold(other_tier, OTHER) == Holding(frozenset((ONE, OTHER)))
    assert await hold(other_tier, OTHER) == Holding(frozenset((ONE, OTHER)))


async def test_who_comes_back_has_its_own_again(tier: TierStore, other_tier: TierStore) -> None:
    """A worker takes its own lease back from whoever has it, is told so, and the other finds that it has lost it."""
    await hold(tier, ONE, seconds=SHORT)
    await asyncio.sleep(RUN_OUT)
    await hold(other_tier, OTHER)

    assert await hold(tier, ONE) == Holding(frozenset((ONE,)), was_away=True, alive=2)
    assert await hold(other_tier, OTHER) == Holding(frozenset((OTHER,)), alive=2)
    assert await hold(tier, ONE) == Holding(frozenset((ONE,)), alive=2)


async def test_of_many_one_takes_it(tier: TierStore, other_tier: TierStore) -> None:
    """However many reach for a lease that has run out at the same moment, exactly one has it."""
    await hold(tier, GONE, seconds=SHORT)
    await asyncio.sleep(RUN_OUT)
    workers = [OriginId(bytes([number]) * 16) for number in range(10, 40)]

    holdings = await asyncio.gather(
        *(hold((tier, other_tier)[place % 2], worker) for place, worker in enumerate(workers))
    )

    assert sum(GONE in holding.origins for holding in holdings) == 1
    assert [worker in holding.origins for worker, holding in zip(workers, holdings, strict=True)] == [True] * 30


async def test_an_origin_without_a_lease_gets_one_that_must_run_out(tier: TierStore, other_tier: TierStore) -> None:
    """One that is only heard of is nobody's at first, and is taken when it has not come while a lease lasts."""
    first = await hold(tier, ONE, GONE)
    named_again = await hold(other_tier, OTHER, GONE, ONE)
    await hold(tier, ONE, LATE, seconds=SHORT)
    await asyncio.sleep(RUN_OUT)
    last = await hold(other_tier, OTHER, GONE, LATE)

    assert GONE not in first.origins | named_again.origins | last.origins
    assert LATE in last.origins

import asyncio

import pytest

from holdfast.engine.lanes import Lanes
from tests.conformance.scribe import ADA, BEN, thread
from tests.engine.fakes import few_steps


async def test_a_lane_is_had_alone_and_in_turn() -> None:
    """Of many who want one lane each has it alone, in the order they came."""
    lanes, seen = Lanes(), []

    async def visit(number: int) -> None:
        async with lanes.enter(thread()):
            seen.append(("in", number))
            await few_steps(3)
            seen.append(("out", number))

    await asyncio.gather(*(visit(number) for number in range(10)))

    assert seen == [(way, number) for number in range(10) for way in ("in", "out")]


async def test_lanes_do_not_touch() -> None:
    """Two lanes are used at once."""
    lanes = Lanes()

    async with lanes.enter(thread(ADA)), lanes.enter(thread(BEN)):
        assert len(lanes) == 2


async def test_a_lane_is_gone_when_nobody_wants_it() -> None:
    """A lane exists only while somebody is in it or waits for it, so that lanes do not pile up."""
    lanes = Lanes()
    async with lanes.enter(thread()):
        waiter = asyncio.create_task(enter_and_leave(lanes))
        await few_steps(3)
        while_used = len(lanes)
    await waiter

    assert (while_used, len(lanes)) == (1, 0)


async def test_who_gives_up_waiting_leaves_the_lane_in_order() -> None:
    """A cancelled waiter takes nobody's place, and the lane is still had alone."""
    lanes = Lanes()
    seen: list[int] = []

    async def visit(number: int) -> None:
        async with lanes.enter(thread()):
            assert len(seen) % 2 == 0
            seen.append(number)
            await few_steps(3)
            seen.append(number)

    tasks = [asyncio.create_task(visit(number)) for number in range(5)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    tasks[3].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    assert seen == [0, 0, 2, 2, 4, 4]
    assert len(lanes) == 0


async def test_a_failure_inside_frees_the_lane() -> None:
    """Who fails in a lane leaves it to the next."""
    lanes = Lanes()
    with pytest.raises(RuntimeError):
        await enter_and_leave(lanes, RuntimeError())

    await enter_and_leave(lanes)

    assert len(lanes) == 0


async def enter_and_leave(lanes: Lanes, error: Exception | None = None) -> None:
    async with lanes.enter(thread()):
        if error is not None:
            raise error

"""Virtual time, chance among what is ready, and processes that end at once."""

import asyncio
from random import Random

from tests.simulation.loop import Process, VirtualLoop


def test_no_time_is_waited_for() -> None:
    """A day passes at once, and the loop says that it has passed."""
    loop = VirtualLoop()
    loop.run_until_complete(asyncio.sleep(86_400))
    passed = loop.time()
    loop.finish()

    assert passed == 86_400


def test_a_deadline_is_kept_in_virtual_time() -> None:
    """A timeout ends what takes longer than it may, at the very moment."""
    loop = VirtualLoop()

    async def waits() -> float:
        try:
            async with asyncio.timeout(2.5):
                await asyncio.sleep(60)
        except TimeoutError:
            return loop.time()
        return 0.0

    ended = loop.run_until_complete(waits())
    loop.finish()

    assert ended == 2.5


def test_chance_chooses_among_what_is_ready() -> None:
    """Tasks that are ready at one moment run in an order that follows from the seed, and differs between seeds."""
    orders = {seed: [_order(seed) for _ in range(2)] for seed in range(5)}

    assert all(one == other for one, other in orders.values())
    assert len({tuple(one) for one, _ in orders.values()}) > 1


def _order(seed: int) -> list[int]:
    loop, order = VirtualLoop(Random(seed)), list[int]()

    async def notes(number: int) -> None:
        order.append(number)

    async def starts() -> None:
        await asyncio.gather(*(notes(number) for number in range(6)))

    loop.run_until_complete(starts())
    loop.finish()
    return order


def test_a_killed_process_takes_no_further_step() -> None:
    """Nothing of a process runs after it was killed: no timer, no task, and no clean-up."""
    loop, steps = VirtualLoop(), list[str]()

    async def works() -> None:
        try:
            await asyncio.sleep(1)
            steps.append("woke")
        finally:
            steps.append("cleaned up")

    async def kills() -> list[str]:
        process = Process(loop, "worker")
        process.spawn(works())
        await asyncio.sleep(0.5)
        process.kill()
        await asyncio.sleep(5)
        return list(steps)

    at_rest = loop.run_until_complete(kills())
    loop.finish()

    assert at_rest == []


def test_the_dead_are_not_heard_when_what_they_waited_for_comes() -> None:
    """An answer that arrives for a dead process wakes nobody."""
    loop, steps = VirtualLoop(), list[str]()

    async def waits(answer: "asyncio.Future[None]") -> None:
        await answer
        steps.append("heard")

    async def kills() -> None:
        answer: asyncio.Future[None] = loop.create_future()
        process = Process(loop, "worker")
        process.spawn(waits(answer))
        await asyncio.sleep(0)
        process.kill()
        loop.later(1, answer.set_result, None)
        await asyncio.sleep(2)

    loop.run_until_complete(kills())

    assert steps == []
    loop.finish()

import asyncio
import logging
from collections.abc import Callable

import pytest

from holdfast.domain.errors import LogUnavailable
from holdfast.engine.recovery import Recovery
from tests.conformance.clocks import StandingClock
from tests.engine.fakes import few_steps, house

SECRET = "what somebody said"


class Duty:
    """Owes something, and fails as it is told."""

    def __init__(self, name: str, calls: list[str], *faults: Exception, owes: int = 0) -> None:
        self.name = name
        self._calls = calls
        self._faults = list(faults)
        self._owes = owes

    async def resume(self) -> int:
        self._calls.append(self.name)
        if self._faults:
            raise self._faults.pop(0)
        taken_up, self._owes = self._owes, 0
        return taken_up


async def running(recovery: Recovery, done: Callable[[], bool]) -> None:
    """Let a recovery run until something is so."""
    task = asyncio.create_task(recovery.run())
    while not done():
        await few_steps(1)
    await few_steps()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_all_are_called_in_their_order_and_what_they_took_up_is_counted() -> None:
    """Every duty is called once, the first first, and the sum of what they took up is given."""
    calls: list[str] = []
    taken_up = await Recovery(StandingClock()).resume([Duty("one", calls, owes=2), Duty("two", calls, owes=3)])

    assert (calls, taken_up) == (["one", "two"], 5)


async def test_one_that_fails_holds_up_no_other_and_is_named(caplog: pytest.LogCaptureFixture) -> None:
    """After a failure the next is called all the same, and the operator reads which failed but no person's words."""
    calls: list[str] = []
    duties = [
        Duty("one", calls, LogUnavailable("the disk is full")),
        Duty("two", calls, RuntimeError(SECRET)),
        Duty("three", calls, owes=1),
    ]
    with caplog.at_level(logging.INFO):
        taken_up = await Recovery(StandingClock()).resume(duties)

    assert (calls, taken_up) == (["one", "two", "three"], 1)
    assert "one can't be taken up yet, and will be tried again: the disk is full" in caplog.text
    assert "two can't be taken up yet" in caplog.text
    assert "three: 1 taken up" in caplog.text
    assert SECRET not in caplog.text


async def test_what_failed_is_called_again_after_growing_pauses_and_nothing_else() -> None:
    """Only the one that failed is tried again, until it succeeds; then all is quiet."""
    calls: list[str] = []
    clock = StandingClock()
    recovery = Recovery(clock)
    await recovery.resume([Duty("one", calls), Duty("two", calls, *[LogUnavailable()] * 4)])
    await running(recovery, lambda: calls.count("two") == 5)

    assert calls == ["one", *["two"] * 5]
    assert clock.slept == [1.0, 2.0, 4.0, 8.0]


async def test_a_later_failure_begins_with_a_short_pause_again() -> None:
    """Pauses grow while something fails, and begin anew with the next failure."""
    calls: list[str] = []
    clock = StandingClock()
    recovery = Recovery(clock)
    await recovery.resume([Duty("one", calls, *[LogUnavailable()] * 2)])
    await running(recovery, lambda: len(calls) == 3)
    await recovery.resume([Duty("two", calls, LogUnavailable())])
    await running(recovery, lambda: calls.count("two") == 2)

    assert clock.slept == [1.0, 2.0, 1.0]


async def test_whenever_the_log_has_learned_of_more_all_are_called_again() -> None:
    """Each time something came home to the log, what follows it is asked what it owes now."""
    calls: list[str] = []
    async with house() as engine:
        news: asyncio.Queue[None] = asyncio.Queue()
        engine.log.learned = news.get  # type: ignore[method-assign]
        following = asyncio.create_task(Recovery(engine.clock).follow(engine.log, [Duty("one", calls)]))
        await few_steps()
        before = len(calls)
        news.put_nowait(None)
        news.put_nowait(None)
        await few_steps()
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)

    assert (before, calls) == (0, ["one", "one"])

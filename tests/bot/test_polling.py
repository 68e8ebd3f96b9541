import asyncio
from typing import Any, cast

import msgspec
import pytest

from holdfast.bot import polling
from holdfast.bot.intake import Intake
from holdfast.bot.polling import Polling
from holdfast.bot.wire import Wire
from holdfast.domain.errors import TelegramUnreachable
from holdfast.engine.presence import Presence
from holdfast.infrastructure.clock import SystemClock

LAST = 12


class Line:
    """A wire on which one batch of updates comes, and then nothing for ever; what is asked is written down."""

    def __init__(self, *, broken: bool = False) -> None:
        self.asked: list[dict[str, Any]] = []
        self.broken = broken

    async def call(self, method: str, **parameters: object) -> msgspec.Raw:
        self.asked.append(parameters)
        if parameters["limit"] == 1:
            if self.broken:
                raise TelegramUnreachable("there is nobody")
            return msgspec.Raw(b"[]")
        if len(self.asked) > 1:
            await asyncio.Event().wait()
        return msgspec.Raw(b'[{"update_id": %d}, {"update_id": %d}]' % (LAST - 1, LAST))


class Slow:
    """An intake that takes its time: until `time` is set."""

    def __init__(self) -> None:
        self.began, self.time = asyncio.Event(), asyncio.Event()
        self.taken: list[bytes] = []

    async def take(self, batch: list[bytes]) -> None:
        self.began.set()
        await self.time.wait()
        self.taken += batch


async def ended(line: Line, intake: Slow, *, in_time: bool = True) -> None:
    """Poll, and ask for the end in the middle of the batch."""
    running = Polling(cast(Wire, line), cast(Intake, intake), SystemClock(), Presence())
    task = asyncio.create_task(running.run())
    await intake.began.wait()
    task.cancel()
    await asyncio.sleep(0)
    if in_time:
        intake.time.set()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_the_batch_in_hand_is_taken_in_and_confirmed() -> None:
    """Asked to end in the middle of a batch, polling takes it in to its end and confirms it, and asks for no more."""
    line, intake = Line(), Slow()

    await ended(line, intake)

    assert len(intake.taken) == 2
    assert [(one["offset"], one["timeout"]) for one in line.asked] == [(0, 0), (LAST + 1, 0)]


async def test_what_does_not_come_to_its_end_is_not_confirmed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch that takes longer than its time is broken off, and Telegram keeps it."""
    monkeypatch.setattr(polling, "TAKING", 0.01)
    line, intake = Line(), Slow()

    await ended(line, intake, in_time=False)

    assert (intake.taken, [one["timeout"] for one in line.asked]) == ([], [0])


async def test_an_end_without_telegram_is_an_end() -> None:
    """When the last confirmation does not arrive, polling ends all the same: the batch comes again, and is known."""
    line, intake = Line(broken=True), Slow()

    await ended(line, intake)

    assert len(intake.taken) == 2


async def test_who_waits_for_updates_ends_at_once() -> None:
    """The first poll does not wait, the next does; asked to end while Telegram holds it, polling asks nothing more."""
    line, intake = Line(), Slow()
    intake.time.set()
    task = asyncio.create_task(Polling(cast(Wire, line), cast(Intake, intake), SystemClock(), Presence()).run())
    while len(line.asked) < 2:  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert [(one["offset"], one["timeout"]) for one in line.asked] == [(0, 0), (LAST + 1, 50)]

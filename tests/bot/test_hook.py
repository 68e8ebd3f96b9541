import asyncio
import json
from typing import Any

import msgspec
import pytest

from holdfast.bot.hook import Attendance
from holdfast.bot.wire import Wire
from holdfast.domain.errors import TelegramUnreachable
from holdfast.engine.presence import Presence
from tests.conformance.clocks import NOON

BEFORE = NOON // 1_000_000 - 1


class Passing:
    """A clock that stands while nobody sleeps; it ends the test when all answers were given."""

    def __init__(self) -> None:
        self.microseconds = NOON
        self.slept: list[float] = []

    def now(self) -> int:
        return self.microseconds

    async def sleep(self, seconds: float) -> None:
        self.microseconds += round(seconds * 1_000_000)
        self.slept.append(seconds)
        await asyncio.sleep(0)


class Answers(Wire):
    """A wire on which Telegram says of its webhook what it is told to, one answer after the other."""

    def __init__(self, *answers: dict[str, Any] | Exception) -> None:
        super().__init__("1:x", "http://127.0.0.1:1")
        self.answers = list(answers)

    async def call(self, method: str, *, wait: float = 0.0, **parameters: Any) -> msgspec.Raw:  # noqa: ANN401 - as the wire has it
        if not self.answers:
            raise EOFError
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return msgspec.Raw(json.dumps(answer).encode())


async def see(*answers: dict[str, Any] | Exception) -> float | None:
    """Let the bot look until there is no answer left; give when it was there last, in seconds since it began."""
    clock, presence = Passing(), Presence()
    with pytest.raises(EOFError):
        await Attendance(Answers(*answers), presence, clock).run()
    return (presence.last - NOON) / 1_000_000 if presence.last else None


def says(pending: int = 0, error: int = 0, url: str = "https://bot.example.org") -> dict[str, Any]:
    return {"url": url, "pending_update_count": pending, "last_error_date": error}


async def test_the_bot_is_there_while_nothing_waits() -> None:
    """Every half minute in which nothing waits with Telegram, the bot was there at the moment it looked."""
    assert await see(says()) == 0
    assert await see(says(), says(), says()) == 60


async def test_the_bot_is_there_while_little_waits_and_none_is_refused() -> None:
    """Posts that are under way are no backlog, when none of them was refused in the time a post may take."""
    assert await see(says(7, BEFORE), says(9, BEFORE)) == 0
    assert await see(says(7, BEFORE), says(9, BEFORE + 3)) is None


@pytest.mark.parametrize("first", [says(100), says(5000), says(url="")])
async def test_the_bot_is_not_there_while_much_waits(first: dict[str, Any]) -> None:
    """A backlog, or no webhook at all, is not being there; it is again as soon as the backlog is gone."""
    assert await see(first) is None
    assert await see(first, says()) == 30


async def test_a_backlog_that_grows_meanwhile_is_one() -> None:
    """What was little and is much at the second look has not been read."""
    assert await see(says(7), says(700)) is None


async def test_telegram_out_of_reach_is_asked_again(caplog: pytest.LogCaptureFixture) -> None:
    """An answer that does not come ends nothing, and is told."""
    assert await see(TelegramUnreachable("away"), says()) == 30
    assert "what waits with Telegram is not known: away" in caplog.text

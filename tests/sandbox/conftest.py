from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from holdfast.sandbox import SandboxServer, create_app
from holdfast.sandbox.app import TOKEN
from holdfast.sandbox.client import Control, Person
from holdfast.sandbox.clock import Clock
from tests.sandbox.wire import Bot

NOON = 1_800_000_000.0


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still until it is advanced."""
    return Clock(lambda: NOON)


@pytest.fixture
async def sandbox(clock: Clock) -> AsyncIterator[SandboxServer]:
    async with SandboxServer(clock=clock) as server:
        yield server


@dataclass
class Door:
    """The way into a sandbox."""

    url: str
    token: str
    transport: httpx.AsyncBaseTransport | None = None


@pytest.fixture
async def door(clock: Clock, limits: bool) -> Door:  # noqa: FBT001 - a fixture is given by name
    """Straight into the application; a file of tests that needs a socket has a door of its own."""
    app = create_app(clock=clock, limits=limits)
    return Door("http://localhost", TOKEN, httpx.ASGITransport(app))


@pytest.fixture
def limits() -> bool:
    """Whether the sandbox keeps Telegram's limits."""
    return False


@pytest.fixture
async def control(door: Door) -> AsyncIterator[Control]:
    async with Control(door.url, door.transport) as client:
        yield client


@pytest.fixture
async def bot(door: Door) -> AsyncIterator[Bot]:
    client = Bot(door.url, door.token, door.transport)
    async with client.http:
        yield client


@pytest.fixture
async def ada(control: Control, bot: Bot) -> Person:
    """Somebody who has started the bot, which has confirmed it."""
    person = await control.person("Ada")
    done = await person.starts()
    await bot("getUpdates", offset=_last(done.update_ids) + 1)
    return person


def _last(update_ids: tuple[int | None, ...]) -> int:
    assert update_ids[-1] is not None
    return update_ids[-1]

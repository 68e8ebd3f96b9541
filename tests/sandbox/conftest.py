from collections.abc import AsyncIterator

import pytest

from holdfast.sandbox import SandboxServer
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


@pytest.fixture
async def control(sandbox: SandboxServer) -> AsyncIterator[Control]:
    async with Control(sandbox.url) as client:
        yield client


@pytest.fixture
async def bot(sandbox: SandboxServer) -> AsyncIterator[Bot]:
    client = Bot(sandbox.url, sandbox.token)
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

from typing import Any

import pytest

from holdfast.sandbox import SandboxServer
from holdfast.sandbox.client import Control, Person
from tests.sandbox.conftest import Door
from tests.sandbox.wire import Bot


@pytest.fixture
async def door(sandbox: SandboxServer) -> Door:
    """These tests need a real connection."""
    return Door(sandbox.url, sandbox.token)


async def test_the_stream_tells_what_changed(ada: Person, bot: Bot, control: Control) -> None:
    """Watchers hear of messages, edits, toasts, typing and people, each under a number that grows."""
    version = (await control.get("/status", dict[str, Any]))["version"]
    sent = (await bot("sendMessage", chat_id=ada.id, text="x")).result
    await bot("editMessageText", chat_id=ada.id, message_id=sent["message_id"], text="y")
    await bot("sendChatAction", chat_id=ada.id, action="typing")
    await bot("deleteMessage", chat_id=ada.id, message_id=sent["message_id"])
    await control.person("Eve")

    kinds, numbers = await read_events(bot, version, 6)

    assert kinds == ["message", "edited", "typing", "deleted", "chat", "person"]
    assert numbers == list(range(version + 1, version + 7))


async def test_a_watcher_who_missed_too_much_is_told(bot: Bot) -> None:
    """Who asks for changes that are not kept hears that all is to be read again."""
    kinds, _ = await read_events(bot, 5, 1)

    assert kinds == ["resync"]


async def read_events(bot: Bot, after: int, count: int) -> tuple[list[str], list[int]]:
    kinds: list[str] = []
    numbers: list[int] = []
    async with bot.http.stream("GET", "/control/changes", params={"after": after}) as stream:
        async for line in stream.aiter_lines():
            name, _, value = line.partition(": ")
            if name == "event":
                kinds.append(value)
            if name == "id":
                numbers.append(int(value))
            if len(kinds) == count and not line:
                break
    return kinds, numbers

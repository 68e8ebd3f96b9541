import asyncio
import sqlite3
from pathlib import Path

import pytest

from holdfast.sandbox import SandboxServer
from holdfast.sandbox.client import Control
from holdfast.sandbox.state import StateFile
from tests.sandbox.wire import Bot

BUTTONS = {"inline_keyboard": [[{"text": "Go", "callback_data": "go"}]]}


async def test_all_survives_a_restart(tmp_path: Path) -> None:
    """People, chats, photos, keyboards, commands and unconfirmed updates are there after a restart."""
    state = tmp_path / "deep" / "sandbox.db"
    async with SandboxServer(state=state) as first, Control(first.url) as control:
        bot = Bot(first.url, first.token)
        async with bot.http:
            ada = await control.person("Ada")
            done = await ada.starts()
            await bot("getUpdates", offset=(done.update_ids[0] or 0) + 1, allowed_updates=["message"])
            await bot("sendMessage", chat_id=ada.id, text="Welcome", reply_markup=BUTTONS)
            await bot("setMyCommands", commands=[{"command": "help", "description": "Help"}])
            photo = await ada.sends_photo(seed=4)
            before = await ada.chat()
    async with SandboxServer(state=state) as second, Control(second.url) as control:
        bot = Bot(second.url, second.token)
        async with bot.http:
            [ada] = await control.people()
            after = await ada.chat()
            [update] = (await bot("getUpdates")).result
            file_id = update["message"]["photo"][-1]["file_id"]

            assert after.messages == before.messages
            assert update["update_id"] == photo.update_ids[0]
            assert (await bot("getFile", file_id=file_id)).result["file_size"] > 0
            assert (await bot("getMyCommands")).result == [{"command": "help", "description": "Help"}]
            assert (await ada.taps("Go")).update_ids == (None,)
            assert (await ada.says("next")).update_ids == (update["update_id"] + 1,)
            assert (await bot("sendMessage", chat_id=ada.id, text="x")).status == 200


async def test_numbers_go_on_where_they_were(tmp_path: Path) -> None:
    """With a state file update and message ids have neither a gap nor a repetition over a restart."""
    state = tmp_path / "sandbox.db"
    seen = []
    for _ in range(3):
        async with SandboxServer(state=state) as server, Control(server.url) as control:
            ada = (await control.people() or [await control.person("Ada")])[0]
            seen.append(await ada.says("x"))

    first, second, third = [(done.update_ids[0] or 0, done.message_ids[0]) for done in seen]
    assert second == (first[0] + 1, first[1] + 1)
    assert third == (second[0] + 1, second[1] + 1)


async def test_a_tap_can_be_answered_after_a_restart(tmp_path: Path) -> None:
    """A tap made before a restart waits for the bot, and can be answered once."""
    state = tmp_path / "sandbox.db"
    async with SandboxServer(state=state) as first, Control(first.url) as control:
        bot = Bot(first.url, first.token)
        async with bot.http:
            ada = await control.person("Ada")
            await ada.starts()
            await bot("sendMessage", chat_id=ada.id, text="Well?", reply_markup=BUTTONS)
            await ada.taps("Go")
    async with SandboxServer(state=state) as second:
        bot = Bot(second.url, second.token)
        async with bot.http:
            tap = (await bot("getUpdates")).result[-1]["callback_query"]

            assert (await bot("answerCallbackQuery", callback_query_id=tap["id"])).status == 200
            assert (await bot("answerCallbackQuery", callback_query_id=tap["id"])).status == 400


async def test_reset_reaches_the_file(tmp_path: Path) -> None:
    """What a reset forgets does not come back after a restart."""
    state = tmp_path / "sandbox.db"
    async with SandboxServer(state=state) as first, Control(first.url) as control:
        ada = await control.person("Ada")
        await ada.sends_photo()
        await control.reset()
    async with SandboxServer(state=state) as second, Control(second.url) as control:
        assert await control.people() == []
        assert (await control.status()).pending == 0

    [(left,)] = sqlite3.connect(state).execute("SELECT count(*) FROM things WHERE kind <> 'numbers'").fetchall()
    assert left == 0


async def test_changes_of_the_same_moment_are_one_commit(tmp_path: Path) -> None:
    """Many callers who wait at once are served by few commits, and each finds its change written."""
    state = StateFile(tmp_path / "sandbox.db")

    async def keep(number: int) -> None:
        state.put("things", number, number)
        await state.flushed()

    await asyncio.gather(*(keep(number) for number in range(200)))
    await state.close()

    again = StateFile(tmp_path / "sandbox.db")
    assert [number for _, number in again.all("things", int)] == list(range(200))
    await again.close()


async def test_a_failed_commit_is_tried_again(tmp_path: Path) -> None:
    """When the file cannot be written the caller hears of it, and nothing that was to be kept is forgotten."""
    path = tmp_path / "sandbox.db"
    state = StateFile(path)
    with sqlite3.connect(path) as other:
        other.execute("ALTER TABLE things RENAME TO hidden")
    state.put("things", 1, "one")
    with pytest.raises(sqlite3.Error):
        await state.flushed()
    with other:
        other.execute("ALTER TABLE hidden RENAME TO things")
    other.close()
    state.put("things", 2, "two")
    await state.flushed()

    assert [thing for _, thing in state.all("things", str)] == ["one", "two"]
    await state.close()

"""The disk gets full in the middle of conversations: the whole road, with the real bot as a process of its own."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from holdfast.domain.wording import WORDING
from holdfast.sandbox import SandboxServer
from holdfast.sandbox.client import Control, Person
from holdfast.sandbox.model import Message
from holdfast.sandbox.pictures import small
from holdfast.sandbox.sight import from_bot, text_of
from tests.chaos.disks import WAYS, Filled
from tests.chaos.processes import PATIENCE, until

TEXTS = "SELECT json_extract(substr(payload, 34), '$.said.text') FROM events ORDER BY pos"
NOT_STORED = "ERROR holdfast.bot: an input can't be stored yet: the journal cannot be written: "
AGAIN = re.compile(r"WARNING holdfast\.bot: inputs are stored again, after \d+\.\d seconds$", re.MULTILINE)


@dataclass(frozen=True)
class Talk:
    """The sandbox's control, and a bot whose disk can be filled."""

    control: Control
    bot: Filled

    async def tells(self, person: Person, first: str, *more: str) -> Message:
        """Let a person send texts, each after the reply to the one before; give the last reply."""
        reply = await person.sees(lambda _: True, PATIENCE, after=await person.says(first))
        for text in more:
            reply = await person.sees(lambda _: True, PATIENCE, after=await person.says(text))
        return reply

    async def complains(self, what: str, times: int = 1) -> None:
        """Wait until the log has said something so many times."""
        await until(lambda: self.bot.said().count(what) >= times, f"{times} times {what!r}: {self.bot.said()}")

    async def offsets(self) -> list[int]:
        """Give what each poll has confirmed."""
        return [int(call.params["offset"]) for call in await self.control.calls("getUpdates")]

    def verified(self) -> dict[str, Any]:
        """Let the bot's own command check every hash."""
        found: dict[str, Any] = json.loads(
            self.bot.command("log", "verify", "--json", "--journal", str(self.bot.seen)).stdout
        )
        return found


@asynccontextmanager
async def talking(way: str, folder: Path) -> AsyncIterator[Talk]:
    """Run a bot that is polled for, and end it at last with status 0."""
    async with SandboxServer() as sandbox, Control(sandbox.url) as control:
        with WAYS[way](folder, sandbox.url) as bot:
            bot.start()
            yield Talk(control, bot)
            assert await bot.stop() == 0


async def read_by(person: Person) -> list[str]:
    """Give all that a person has read, oldest first."""
    return [text_of(message) or "" for message in from_bot(await person.chat())][::-1]


@pytest.mark.parametrize("way", WAYS)
async def test_a_full_disk_keeps_everything_waiting_and_says_so(way: str, tmp_path: Path) -> None:
    """While there is no room nothing is confirmed or answered; then all is stored in order, and each is told once."""
    async with talking(way, tmp_path) as talk:
        ada, bob, eve = [await talk.control.person(name) for name in ("Ada", "Bob", "Eve")]
        await talk.tells(ada, "/addmachine", "Press 4")
        await talk.tells(bob, "/addmachine")
        await talk.control.all_confirmed()
        stored = talk.bot.read(TEXTS)

        talk.bot.fill()
        waiting = ((ada, "Bosch"), (ada, "PX-4"), (bob, "Lathe 2"))
        said = await talk.control.batch([{"kind": "text", "person_id": one.id, "text": text} for one, text in waiting])
        await talk.complains(NOT_STORED)
        said.append(await eve.says("/start"))
        polls = await talk.offsets()
        await talk.complains(NOT_STORED, 9)

        assert (await talk.control.status()).pending == len(said)
        assert await talk.offsets() == polls
        assert max(polls) <= min(number for done in said for number in done.update_ids if number is not None)
        assert talk.bot.read(TEXTS) == stored
        assert [(await one.chat()).messages[-1].from_.is_bot for one in (ada, bob, eve)] == [False] * 3
        assert f"{NOT_STORED}{talk.bot.COMPLAINT}\n" in talk.bot.said()

        talk.bot.empty()
        await ada.sees("PX-4", PATIENCE)
        await bob.sees("Lathe 2", PATIENCE)
        await eve.sees(WORDING["noted.start"], PATIENCE)
        await talk.control.all_confirmed()
        after = await talk.tells(ada, "SN-1")
        heard = {one.user.first_name: await read_by(one) for one in (ada, bob, eve)}
        texts = [text for (text,) in talk.bot.read(TEXTS)][len(stored) :]

        assert sorted(texts) == sorted(["Bosch", "PX-4", "Lathe 2", "/start", "SN-1"])
        assert [text for text in texts if text in {"Bosch", "PX-4", "SN-1"}] == ["Bosch", "PX-4", "SN-1"]
        assert [texts.count(WORDING["delayed"]) for texts in heard.values()] == [1, 1, 1]
        told = heard["Ada"].index(WORDING["delayed"])
        assert [text.splitlines()[0] for text in heard["Ada"][told + 1 :]] == [
            "✓ Manufacturer: Bosch",
            "✓ Model number: PX-4",
            "✓ Serial number: SN-1",
        ]
        assert "5 of 8" in (text_of(after) or "")
        assert AGAIN.search(talk.bot.said())
        assert talk.verified()["problems"] == []
        await until(lambda: talk.bot.owed() == 0, "every reply is recorded")


@pytest.mark.parametrize("way", WAYS)
async def test_a_reply_is_sent_once_and_recorded_when_there_is_room(way: str, tmp_path: Path) -> None:
    """A disk that gets full between a turn and its delivery delays the record, and never repeats the reply."""
    async with talking(way, tmp_path) as talk:
        ada = await talk.control.person("Ada")
        await talk.tells(ada, "/addmachine")
        await talk.control.fault("slow", "sendMessage", seconds=1.0)
        await ada.sees("2 of 8", PATIENCE, after=await ada.says("Press 4"))
        talk.bot.fill()
        await talk.complains("ERROR holdfast.engine: a delivery is not recorded yet: the journal cannot be written")
        owed = talk.bot.owed()
        talk.bot.empty()
        await until(lambda: talk.bot.owed() == 0, "the delivery is recorded")
        heard = await read_by(ada)

        assert owed == 1
        assert [text.splitlines()[0] for text in heard[1:]] == ["✓ Nickname: Press 4"]
        assert talk.bot.read("SELECT count(*), count(DISTINCT answers) FROM deliveries") == [(2, 2)]
        assert talk.verified()["problems"] == []


@pytest.mark.parametrize("way", WAYS)
async def test_a_picture_that_finds_no_room_is_fetched_again(way: str, tmp_path: Path) -> None:
    """A conversation with a picture goes on, and the picture's bytes are kept, once, when there is room for them."""
    picture = small(3) + bytes(1_000_000)
    async with talking(way, tmp_path) as talk:
        ada = await talk.control.person("Ada")
        await talk.tells(ada, "/addmachine", "Press 4")
        talk.bot.fill(room=500_000)
        await ada.sees("Photo received", PATIENCE, after=await ada.sends_photo(picture))
        await talk.complains("WARNING holdfast.engine: photo work waits for 1 s: the journal cannot be written: ")
        answer = await talk.tells(ada, "Bosch")
        kept = talk.bot.read("SELECT count(*) FROM blobs")
        talk.bot.empty()
        await until(lambda: talk.bot.read("SELECT count(*) FROM photos_wanted") == [(0,)], "the picture is kept")

        assert "3 of 8" in (text_of(answer) or "")
        assert kept == [(0,)]
        assert talk.bot.read("SELECT content FROM blobs") == [(b"\0" + picture,)]
        assert talk.bot.read("SELECT count(*) FROM events WHERE kind = 'photo.stored'") == [(1,)]
        assert WORDING["delayed"] not in await read_by(ada)
        assert talk.verified()["problems"] == []

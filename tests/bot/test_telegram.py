"""Facts of Telegram's edge, each met by the real bot over the wire."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest

from holdfast.bot.updates import ALLOWED
from holdfast.domain.wording import WORDING
from holdfast.infrastructure.clock import SystemClock
from holdfast.sandbox import SandboxServer
from holdfast.sandbox.client import Control, Person
from holdfast.sandbox.model import Message
from holdfast.sandbox.pictures import small
from holdfast.sandbox.sight import buttons, from_bot, labels, text_of
from tests.bot.road import Road, shown, taps, tells

HOUR, DAY = 3600, 86_400
LONGEST_TEXT, LONGEST_CAPTION, LONGEST_DATA = 4096, 1024, 64
TWENTY_MEGABYTES = 20 * 1024 * 1024


async def refusals(road: Road) -> list[str | None]:
    """Give what the sandbox refused of all that the bot has asked for."""
    return [call.description for call in await road.control.calls() if call.status != 200]


async def heard(person: Person) -> list[Message]:
    """Give the bot's messages, oldest first."""
    return [*from_bot(await person.chat())][::-1]


async def test_a_poll_asks_as_telegram_wants_it(road: Road) -> None:
    """A poll waits at most fifty seconds, names the kinds it can read, and confirms what is stored by its offset."""
    async with road.bot():
        ada = await road.control.person("Ada")
        done = await ada.says("/start")
        await ada.sees("Hello", after=done)
        await road.control.all_confirmed()
        await ada.sees("Hello", after=await ada.says("/start"))
    first, *_, last = await road.control.calls("getUpdates")

    assert int(first.params["timeout"]) <= 50
    assert [f'"{kind}"' in first.params["allowed_updates"] for kind in ALLOWED] == [True] * len(ALLOWED)
    assert int(first.params["offset"]) == 0
    assert int(last.params["offset"]) == (done.update_ids[0] or 0) + 1


async def test_a_text_waits_a_day_and_a_tap_does_not(road: Road) -> None:
    """What was written while the bot was away is answered, a tap is gone, and its button works at the next tap."""
    ada = await road.control.person("Ada")
    async with road.bot():
        await tells(ada, "/addmachine", "Press 4")
        await road.control.all_confirmed()
    await ada.taps("Skip")
    await road.control.advance(151)
    text = await ada.says("Bosch")
    await road.control.advance(23 * HOUR)
    async with road.bot():
        answer = await ada.sees("3 of 8", after=text)
        skipped = await taps(ada, "Skip", "4 of 8")

    assert "Bosch" in shown(answer)
    assert "Model number skipped" in shown(skipped)
    assert road.rows("SELECT json_extract(facts, '$.cause') FROM events ORDER BY pos") == [
        *[("command",), ("text",), ("text",), ("button",)]
    ]


async def test_numbers_that_begin_anew_after_a_silent_week(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lower numbers after seven days are new inputs: stored behind the old ones, answered, confirmed, each once."""
    ahead, real = [0], SystemClock.now
    monkeypatch.setattr(SystemClock, "now", lambda clock: real(clock) + ahead[0] * 1_000_000)
    async with road.bot():
        ada = await road.control.person("Ada")
        old = await ada.says("/addmachine")
        await ada.sees("1 of 8", after=old)
        await road.control.all_confirmed()
        ahead[0] = 8 * DAY
        await road.control.advance(8 * DAY)
        await road.control.jump(-5000)
        new = await ada.says("/help")
        await ada.sees("I ask one question", after=new)
        await ada.sees("2 of 8", after=await ada.says("Press 4"))
        await road.control.all_confirmed(10)
        polls = await road.control.calls("getUpdates")

    assert (new.update_ids[0] or 0) < (old.update_ids[0] or 0)
    assert road.rows("SELECT count(*), count(DISTINCT dedup_key) FROM events WHERE dedup_key LIKE 'tg:%'") == [(3, 3)]
    assert road.rows("SELECT kind FROM events ORDER BY ots, version LIMIT 1") == [("conversation.started",)]
    assert len(polls) < 20
    assert await road.differences() == []


async def test_who_blocks_the_bot_and_comes_back_goes_on(road: Road) -> None:
    """That somebody blocks the bot, and lets it write again, is kept without a reply, and nothing is begun anew."""
    async with road.bot():
        ada = await road.control.person("Ada")
        await tells(ada, "/addmachine", "Press 4")
        await ada.blocks()
        await ada.unblocks()
        answer = await tells(ada, "Bosch")
        messages = await heard(ada)

    assert "3 of 8" in shown(answer)
    assert len(messages) == 3
    assert road.rows("SELECT json_extract(facts, '$.rule') FROM events WHERE kind = 'thread.noted' ORDER BY pos") == [
        ("blocked",),
        ("unblocked",),
    ]
    assert road.rows("SELECT count(*) FROM deliveries") == [(3,)]
    assert await road.differences() == []


async def test_a_group_that_grows_is_told_once_under_each_id(road: Road) -> None:
    """A group is told as soon as the bot is in it; as a supergroup it has another id, and the old one hears no more."""
    async with road.bot():
        ada = await road.control.person("Ada")
        team = await road.control.group("Team", ada)
        await ada.at(team).says("/start")
        await ada.at(team).sees(WORDING["noted.group"])
        larger = await road.control.upgrade(team)
        await ada.at(larger).says("hello?")
        await road.control.all_confirmed()
        await ada.sees("I ask one question", after=await ada.says("/help"))
    sent = [int(call.params["chat_id"]) for call in await road.control.calls("sendMessage")]

    assert sorted(sent) == sorted([team.id, larger.id, ada.id])
    assert await refusals(road) == []
    assert road.rows("SELECT count(*) FROM quarantine") == [(0,)]
    assert road.rows("SELECT count(*) FROM events WHERE json_extract(facts, '$.rule') = 'moved'") == [(1,)]


@pytest.fixture
async def strict(tmp_path: Path) -> AsyncIterator[Road]:
    """A road whose sandbox keeps Telegram's limits."""
    async with SandboxServer(limits=True) as sandbox, Control(sandbox.url) as control:
        yield Road(sandbox, control, tmp_path / "local.db")


async def test_replies_are_paced_within_the_real_limits(strict: Road) -> None:
    """A heap of replies to one person and to forty others brings no 429, and all are there, each chat's in order."""
    people = [await strict.control.person(f"Person {number}") for number in range(40)]
    *_, last = [await people[0].says(said) for said in ("/addmachine", "Press 4", "Bosch", "PX-4", "SN-1")]
    done = [(one, await one.says("/help")) for one in people[1:]]
    async with strict.bot(holdfast_pace="telegram"):
        for one, after in done:
            await one.sees("I ask one question", 30, after=after)
        await people[0].sees("5 of 8", 30, after=last)
    calls = await strict.control.calls("sendMessage")

    assert {one.status for one in calls} == {200}
    assert len(calls) == 44
    assert [number in shown(one) for number, one in zip("12345", await heard(people[0]), strict=True)] == [True] * 5


async def test_the_real_limits_are_kept_to(strict: Road) -> None:
    """After a 429 the bot is silent in that chat for as long as it was told, and every reply comes, in its order."""
    ada = await strict.control.person("Ada")
    for said in ("/addmachine", "Press 4", "Bosch", "PX-4", "SN-1", "Hall 2", "/skip"):
        await ada.says(said)
    last = await ada.says("/help")
    async with strict.bot():
        await ada.sees("I ask one question", 30, after=last)
        await strict.control.all_confirmed()
    calls = await strict.control.calls("sendMessage", ada.id)
    refused = [(one.time, after.time) for one, after in pairwise(calls) if one.status == 429]

    assert refused
    assert all(after - before >= 1 for before, after in refused)
    assert [text_of(one).splitlines()[0] for one in await heard(ada)][1:6] == [
        *("✓ Nickname: Press 4", "✓ Manufacturer: Bosch", "✓ Model number: PX-4", "✓ Serial number: SN-1"),
        "✓ Location: Hall 2",
    ]


async def test_the_longest_texts_fit(road: Road) -> None:
    """With the longest answers everywhere no message, caption or button is refused; a longer one gets a sentence."""
    longest = ["n" * 100, "&" * 100, "<" * 100, "s" * 100, "ß" * 200, "🏭" * 1000]
    async with road.bot():
        ada = await road.control.person("Ada")
        await tells(ada, "/addmachine")
        long = shown(await tells(ada, "x" * LONGEST_TEXT))
        await tells(ada, *longest)
        photo = await ada.sends_photo(caption="c" * LONGEST_CAPTION)
        await ada.sees("check", after=photo)
        await tells(ada, "y" * LONGEST_TEXT)
        await taps(ada, "Leave it out", "Left out")
        await taps(ada, "✓ Save", "Saved")
        await tells(ada, "/library")
        [machine] = [one for one in labels((await heard(ada))[-1]) if one.startswith("nnn")]
        await taps(ada, machine, "Nickname")
        messages = await heard(ada)

    assert "That is too long" in long
    assert await refusals(road) == []
    assert max(len(button.callback_data or "") for one in messages for button in buttons(one)) <= LONGEST_DATA
    assert road.rows("SELECT length(notes) FROM user_machines") == [(1000,)]


async def test_a_link_s_payload_is_kept(road: Road) -> None:
    """Start behind a link carries up to 64 characters, which stand in the log and frighten nobody."""
    payload = "aZ_-" * 16
    async with road.bot():
        ada = await road.control.person("Ada")
        await ada.sees(WORDING["noted.start"], after=await ada.starts(payload))

    assert road.rows("SELECT json_extract(substr(payload, 34), '$.said.text') FROM events") == [(f"/start {payload}",)]


async def test_a_picture_beyond_20_megabytes_is_told(road: Road) -> None:
    """What Telegram does not hand out is not asked for; the person is told, and the conversation goes on."""
    async with road.bot():
        ada = await road.control.person("Ada")
        await tells(ada, "/addmachine", "Press 4")
        large = small(1) + bytes(TWENTY_MEGABYTES)
        await ada.sees("larger than 20 MB", after=await ada.sends_document(large, "plate.png", mime_type="image/png"))
        answer = await tells(ada, "Bosch")

    assert "3 of 8" in shown(answer)
    assert await road.control.calls("getFile") == []


async def test_a_path_that_has_grown_old_is_asked_for_anew(road: Road, caplog: pytest.LogCaptureFixture) -> None:
    """A file's path is good for an hour: when it has lapsed before the download, another one is asked for."""
    async with road.bot():
        ada = await road.control.person("Ada")
        await road.control.fault("slow", "getFile", seconds=HOUR + 1)
        await ada.sees("A photo!", after=await ada.sends_photo(seed=3))
        for _ in range(100):
            await road.control.advance(HOUR + 1)
            if await road.control.calls("getFile"):
                break
            await asyncio.sleep(0.1)
        await road.until("SELECT count(*) FROM photos_wanted", [(0,)])

    assert "failed the 1. time: download: 404" in caplog.text
    assert road.rows("SELECT content FROM blobs") == [(b"\0" + small(3),)]


async def test_a_change_whose_answer_was_lost_is_made_once(road: Road) -> None:
    """Told that a message is not modified, the bot knows that its first try arrived, and sends no second message."""
    async with road.bot():
        ada = await road.control.person("Ada")
        await tells(ada, "/addmachine", "Press 4")
        before = len(await heard(ada))
        await road.control.fault("drop", "editMessageText")
        await taps(ada, "Skip", "3 of 8")
        await road.until("SELECT count(*) FROM deliveries", [(3,)])
        after = len(await heard(ada))

    assert (before, after) == (2, 2)
    assert ["message is not modified" in (why or "") for why in await refusals(road)] == [False, True]
    assert road.rows("SELECT kind FROM deliveries ORDER BY pos DESC LIMIT 1") == [("delivery.sent",)]


async def test_a_second_poller_is_named_and_got_over(road: Road, caplog: pytest.LogCaptureFixture) -> None:
    """While somebody else polls the log says so; afterwards the bot goes on, and every input is answered once."""
    async with road.bot():
        ada = await road.control.person("Ada")
        await tells(ada, "/start")
        await road.control.fault(
            "error", "getUpdates", times=2, code=409, description="Conflict: terminated by other getUpdates request"
        )
        await tells(ada, "/addmachine")
        answer = await tells(ada, "Press 4")

    assert "2 of 8" in shown(answer)
    assert "Telegram gives this bot's updates to somebody else: getUpdates: 409 Conflict" in caplog.text
    assert road.rows("SELECT count(*), count(DISTINCT dedup_key) FROM events") == [(3, 3)]


async def test_the_menu_names_every_command(road: Road) -> None:
    """As soon as the bot runs, the phone's menu offers its commands."""
    async with road.bot():
        ada = await road.control.person("Ada")
        await tells(ada, "/start")
        menu = await road.control.calls("setMyCommands")

    assert [call.status for call in menu] == [200]
    assert [
        f'"{name}"' in menu[0].params["commands"] for name in ("addmachine", "library", "skip", "back", "help")
    ] == [True] * 5

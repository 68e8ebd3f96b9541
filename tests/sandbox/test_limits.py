import httpx
import pytest

from holdfast.sandbox import create_app
from holdfast.sandbox.app import TOKEN
from holdfast.sandbox.client import Control, Person
from tests.sandbox.wire import Bot


@pytest.fixture
def limits() -> bool:
    """These tests are about the limits."""
    return True


async def burst(bot: Bot, chat_id: int, most: int = 100) -> int:
    """Send as fast as it goes; how many messages passed."""
    for number in range(most):
        if (await bot("sendMessage", chat_id=chat_id, text="x")).status == 429:
            return number
    return most


async def test_a_chat_takes_a_short_burst_and_then_one_a_second(ada: Person, bot: Bot, control: Control) -> None:
    """Five messages to one chat pass at once, the next has to wait a second."""
    assert await burst(bot, ada.id) == 5
    refused = await bot("sendMessage", chat_id=ada.id, text="x")
    await control.advance(1)

    assert refused.refusal == (429, "Too Many Requests: retry after 1")
    assert refused.body["parameters"] == {"retry_after": 1}
    assert await burst(bot, ada.id) == 1


async def test_a_group_takes_20_a_minute(ada: Person, bot: Bot, control: Control) -> None:
    """A group takes twenty messages, and the next one three seconds later."""
    group = await control.group("Team", ada)

    assert await burst(bot, group.id) == 20
    refused = await bot("sendMessage", chat_id=group.id, text="x")
    assert refused.body["parameters"] == {"retry_after": 3}
    await control.advance(60)
    assert await burst(bot, group.id) == 20


async def test_thirty_a_second_overall(bot: Bot, control: Control) -> None:
    """However many chats there are, thirty messages a second pass."""
    people = [await control.person(f"P{number}") for number in range(10)]
    for person in people:
        await person.starts()
    passed = [await burst(bot, person.id, 4) for person in people]

    assert sum(passed) == 30
    await control.advance(1)
    assert sum([await burst(bot, person.id, 4) for person in people]) > 0


async def test_an_album_counts_each_picture(ada: Person, bot: Bot) -> None:
    """An album costs as much as its pictures one by one."""
    photo = (await bot("getUpdates")).result
    done = await ada.sends_photo()
    [update] = (await bot("getUpdates")).result
    media = [{"type": "photo", "media": update["message"]["photo"][-1]["file_id"]}] * 4
    await bot("sendMediaGroup", chat_id=ada.id, media=media)

    assert (photo, done.chat_id) == ([], ada.id)
    assert await burst(bot, ada.id) == 1


async def test_edits_count_too(ada: Person, bot: Bot) -> None:
    """An edit costs as much as a message; one that changes nothing costs nothing."""
    message = (await bot("sendMessage", chat_id=ada.id, text="0")).result
    where = {"chat_id": ada.id, "message_id": message["message_id"]}
    statuses = [(await bot("editMessageText", **where, text=str(number))).status for number in range(6)]

    assert statuses == [400, 200, 200, 200, 200, 429]


async def test_without_limits_all_passes() -> None:
    """The limits are off unless they are asked for."""
    transport = httpx.ASGITransport(create_app())
    bot = Bot("http://localhost", TOKEN, transport)
    async with Control("http://localhost", transport) as control, bot.http:
        ada = await control.person("Ada")
        await ada.starts()

        assert await burst(bot, ada.id) == 100

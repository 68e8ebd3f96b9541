import pytest

from holdfast.sandbox.client import NotSeen, Person
from holdfast.sandbox.sight import labels, text_of
from tests.sandbox.wire import Bot


async def test_who_sees_nothing_is_told_what_there_was(ada: Person, bot: Bot) -> None:
    """Waiting in vain ends with the last texts, so that the failure explains itself."""
    await bot("sendMessage", chat_id=ada.id, text="something else")

    with pytest.raises(NotSeen, match=r"Ada does not see 'hello'; the last messages are .*'something else'"):
        await ada.sees("hello", patience=0)


async def test_only_newer_messages_count_after_an_input(ada: Person, bot: Bot) -> None:
    """With `after`, what the bot wrote earlier is not taken for its answer."""
    await bot("sendMessage", chat_id=ada.id, text="ok")
    done = await ada.says("again")
    with pytest.raises(NotSeen):
        await ada.sees("ok", patience=0, after=done)

    sent = (await bot("sendMessage", chat_id=ada.id, text="ok")).result
    assert (await ada.sees("ok", after=done)).message_id == sent["message_id"]


async def test_a_label_or_its_data_finds_the_newest_button(ada: Person, bot: Bot) -> None:
    """A button is named by what stands on it or by its data, and the newest one is tapped."""
    keyboard = {"inline_keyboard": [[{"text": "Skip", "callback_data": "s"}], [{"text": "Back", "callback_data": "b"}]]}
    await bot("sendMessage", chat_id=ada.id, text="one", reply_markup=keyboard)
    second = (await bot("sendMessage", chat_id=ada.id, text="two", reply_markup=keyboard)).result
    screen = await ada.screen()
    assert screen is not None

    assert (text_of(screen), labels(screen)) == ("two", ["Skip", "Back"])
    assert (await ada.taps("Back")).message_ids == (second["message_id"],)
    assert (await ada.taps("s")).message_ids == (second["message_id"],)

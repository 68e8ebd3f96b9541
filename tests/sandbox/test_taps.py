import pytest

from holdfast.sandbox.client import Control, NotSeen, Person, Refused
from holdfast.sandbox.model import Message
from tests.sandbox.wire import Bot

TOO_OLD = (
    400,
    "Bad Request: query is too old and response timeout expired or query ID is invalid",
)


async def question(ada: Person, bot: Bot) -> Message:
    keyboard = {"inline_keyboard": [[{"text": "Yes", "callback_data": "y"}, {"text": "No", "callback_data": "n"}]]}
    await bot("sendMessage", chat_id=ada.id, text="Well?", reply_markup=keyboard)
    return await ada.sees("Well?")


async def test_a_tap_is_an_update(ada: Person, bot: Bot) -> None:
    """A tap tells who tapped, on which message, and the button's data."""
    message = await question(ada, bot)
    done = await ada.taps("No")

    [update] = (await bot("getUpdates")).result
    query = update["callback_query"]

    assert query["id"] == done.callback_query_id
    assert query["data"] == "n"
    assert query["from"]["id"] == ada.id
    assert query["message"]["message_id"] == message.message_id
    assert query["message"]["reply_markup"]["inline_keyboard"][0][0]["text"] == "Yes"


async def test_an_answer_is_seen(ada: Person, bot: Bot) -> None:
    """The bot's answer to a tap shows as a toast, or as an alert."""
    await question(ada, bot)
    done = await ada.taps("y")
    answer = await bot("answerCallbackQuery", callback_query_id=done.callback_query_id, text="Noted", show_alert=True)
    [toast] = (await ada.chat()).toasts

    assert answer.result is True
    assert (toast.callback_query_id, toast.text, toast.show_alert) == (done.callback_query_id, "Noted", True)


async def test_a_tap_is_answered_once(ada: Person, bot: Bot) -> None:
    """A second answer, and one to an unknown tap, is refused."""
    await question(ada, bot)
    done = await ada.taps("y")
    await bot("answerCallbackQuery", callback_query_id=done.callback_query_id)

    assert (await bot("answerCallbackQuery", callback_query_id=done.callback_query_id)).refusal == TOO_OLD
    assert (await bot("answerCallbackQuery", callback_query_id="1")).refusal == TOO_OLD


async def test_a_tap_can_be_answered_for_150_seconds(ada: Person, bot: Bot, control: Control) -> None:
    """After 150 seconds a tap can be answered no more."""
    await question(ada, bot)
    early, late = await ada.taps("y"), await ada.taps("n")
    await control.advance(149)
    assert (await bot("answerCallbackQuery", callback_query_id=early.callback_query_id)).status == 200

    await control.advance(1)
    assert (await bot("answerCallbackQuery", callback_query_id=late.callback_query_id)).refusal == TOO_OLD


async def test_a_tap_waits_for_150_seconds(ada: Person, bot: Bot, control: Control) -> None:
    """A tap that the bot does not fetch within 150 seconds is lost, while a text beside it stays."""
    await question(ada, bot)
    await ada.taps("y")
    await ada.says("a text")
    await control.advance(149)
    assert len((await bot("getUpdates")).result) == 2

    await control.advance(1)
    assert await bot.texts() == ["a text"]
    assert (await control.status()).pending == 1


async def test_old_messages_can_be_tapped(ada: Person, bot: Bot) -> None:
    """A button far up in the chat works like a new one."""
    message = await question(ada, bot)
    await bot("sendMessage", chat_id=ada.id, text="later")
    done = await ada.taps("Yes", message)

    assert done.message_ids == (message.message_id,)


async def test_a_button_that_is_gone_can_be_tapped(ada: Person, bot: Bot) -> None:
    """A phone that has not heard of an edit yet sends the data of a button that is gone."""
    message = await question(ada, bot)
    await bot("editMessageText", chat_id=ada.id, message_id=message.message_id, text="Done")
    with pytest.raises(NotSeen):
        await ada.taps("Yes")

    await ada.taps_data(message, "y")

    [update] = (await bot("getUpdates")).result
    assert update["callback_query"]["data"] == "y"


async def test_a_deleted_message_cannot_be_tapped(ada: Person, bot: Bot) -> None:
    """There is nothing to tap on where a message was deleted."""
    message = await question(ada, bot)
    await bot("deleteMessage", chat_id=ada.id, message_id=message.message_id)

    with pytest.raises(Refused):
        await ada.taps_data(message, "y")


async def test_a_toast_is_short(ada: Person, bot: Bot) -> None:
    """The answer to a tap has at most 200 characters."""
    await question(ada, bot)
    done = await ada.taps("y")
    answer = await bot("answerCallbackQuery", callback_query_id=done.callback_query_id, text="x" * 201)

    assert answer.refusal == (400, "Bad Request: MESSAGE_TOO_LONG")

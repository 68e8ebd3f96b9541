import pytest

from holdfast.sandbox.client import Control, Person
from holdfast.sandbox.pictures import small
from tests.sandbox.wire import Bot

GO = {"inline_keyboard": [[{"text": "Go", "callback_data": "go"}]]}
NOT_MODIFIED = (
    "Bad Request: message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)


async def sent(bot: Bot, chat_id: int, **params: object) -> dict[str, object]:
    """Send a message; what names it in an edit."""
    message = (await bot("sendMessage", **{"chat_id": chat_id, "text": "before", **params})).result
    return {"chat_id": chat_id, "message_id": message["message_id"]}


async def test_a_text_can_be_changed(ada: Person, bot: Bot) -> None:
    """An edit replaces the text in place, and takes a keyboard away that it does not repeat."""
    where = await sent(bot, ada.id, reply_markup=GO)
    edited = (await bot("editMessageText", **where, text="<i>after</i>", parse_mode="HTML")).result
    seen = await ada.screen()

    assert edited["text"] == "after"
    assert edited["entities"] == [{"type": "italic", "offset": 0, "length": 5}]
    assert "edit_date" in edited
    assert seen is not None
    assert (seen.text, seen.reply_markup) == ("after", None)


async def test_the_same_again_is_refused(ada: Person, bot: Bot) -> None:
    """An edit that changes neither text nor keyboard is refused, for text, keyboard and caption."""
    where = await sent(bot, ada.id, reply_markup=GO)

    assert (await bot("editMessageText", **where, text="before", reply_markup=GO)).refusal == (
        400,
        NOT_MODIFIED,
    )
    assert (await bot("editMessageReplyMarkup", **where, reply_markup=GO)).refusal == (400, NOT_MODIFIED)


async def test_a_keyboard_alone_can_be_changed(ada: Person, bot: Bot) -> None:
    """A keyboard can be put under a message and taken away, and the text stays."""
    where = await sent(bot, ada.id)

    assert (await bot("editMessageReplyMarkup", **where, reply_markup=GO)).result["reply_markup"] == GO
    bare = (await bot("editMessageReplyMarkup", **where)).result
    assert bare["text"] == "before"
    assert "reply_markup" not in bare


async def test_a_caption_can_be_changed(ada: Person, bot: Bot) -> None:
    """A photo's caption can be changed, but not to what it was."""
    files = {"photo": ("x.png", small())}
    answer = await bot.http.post(
        f"/bot{bot.token}/sendPhoto", data={"chat_id": ada.id, "caption": "before"}, files=files
    )
    where = {"chat_id": ada.id, "message_id": answer.json()["result"]["message_id"]}

    assert (await bot("editMessageCaption", **where, caption="before")).refusal == (400, NOT_MODIFIED)
    assert (await bot("editMessageCaption", **where, caption="after")).result["caption"] == "after"
    assert (await bot("editMessageText", **where, text="x")).refusal == (
        400,
        "Bad Request: there is no text in the message to edit",
    )


async def test_only_the_bots_own_can_be_edited(ada: Person, bot: Bot) -> None:
    """What a person wrote, and what is not there, cannot be edited."""
    theirs = (await ada.says("mine")).message_ids[0]

    assert (await bot("editMessageText", chat_id=ada.id, message_id=theirs, text="x")).refusal == (
        400,
        "Bad Request: message can't be edited",
    )
    assert (await bot("editMessageText", chat_id=ada.id, message_id=7, text="x")).refusal == (
        400,
        "Bad Request: message to edit not found",
    )


async def test_a_text_has_no_caption(ada: Person, bot: Bot) -> None:
    """The caption of a text cannot be edited."""
    where = await sent(bot, ada.id)

    assert (await bot("editMessageCaption", **where, caption="x")).refusal == (
        400,
        "Bad Request: there is no caption in the message to edit",
    )


async def test_a_message_can_be_deleted_once(ada: Person, bot: Bot) -> None:
    """A deleted message is gone from the chat, and cannot be deleted again."""
    where = await sent(bot, ada.id)

    assert (await bot("deleteMessage", **where)).result is True
    assert await ada.screen() is None
    assert (await bot("deleteMessage", **where)).refusal == (400, "Bad Request: message to delete not found")


@pytest.mark.parametrize(("hours", "status"), [(48, 200), (49, 400)])
async def test_only_young_messages_can_be_deleted(
    ada: Person, bot: Bot, control: Control, hours: int, status: int
) -> None:
    """A message can be deleted for two days."""
    where = await sent(bot, ada.id)
    await control.advance(hours * 3600)

    assert (await bot("deleteMessage", **where)).status == status

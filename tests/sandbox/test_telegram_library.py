import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
import telegram
from telegram import InlineKeyboardButton, InlineKeyboardMarkup, InputMediaPhoto, Update
from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken, NetworkError, RetryAfter
from telegram.ext import Application, CallbackQueryHandler, CommandHandler, ContextTypes, MessageHandler, filters

from holdfast.sandbox import SandboxServer, pictures
from holdfast.sandbox.client import Control, Person
from tests.sandbox.conftest import Door
from tests.sandbox.wire import Bot, polls, until

GO = InlineKeyboardMarkup([[InlineKeyboardButton("Go", callback_data="go")]])


@pytest.fixture
async def door(sandbox: SandboxServer) -> Door:
    """These tests need a real connection."""
    return Door(sandbox.url, sandbox.token)


@pytest.fixture
async def library(sandbox: SandboxServer) -> AsyncIterator[telegram.Bot]:
    """The bot of python-telegram-bot, as its users have it."""
    async with telegram.Bot(
        sandbox.token, base_url=f"{sandbox.url}/bot", base_file_url=f"{sandbox.url}/file/bot"
    ) as client:
        yield client


async def test_it_sends_and_edits(ada: Person, library: telegram.Bot) -> None:
    """Texts, photos, albums and edits go through the library unchanged."""
    text = await library.send_message(ada.id, "<b>Hi</b>", parse_mode="HTML", reply_markup=GO)
    photo = await library.send_photo(ada.id, pictures.small(1), caption="one")
    album = await library.send_media_group(ada.id, [InputMediaPhoto(pictures.small(number)) for number in (2, 3)])
    document = await library.send_document(ada.id, b"1,2", filename="values.csv")
    edited = await text.edit_text("Bye", reply_markup=GO)
    captioned = await photo.edit_caption("two")

    assert text.parse_entities() == {text.entities[0]: "Hi"}
    assert text.reply_markup == GO
    assert len({message.media_group_id for message in album}) == 1
    assert document.document is not None
    assert document.document.file_name == "values.csv"
    assert isinstance(edited, telegram.Message)
    assert isinstance(captioned, telegram.Message)
    assert (edited.text, captioned.caption) == ("Bye", "two")
    assert await text.delete() is True


async def test_it_reads_and_downloads(ada: Person, library: telegram.Bot) -> None:
    """The library parses every kind of update, and downloads what was sent."""
    done = await ada.says("/help")
    await ada.sends_photo(pictures.small(7), caption="the pump")
    await ada.sends_document(b"1,2,3", "values.csv")
    for what in ("sticker", "voice", "location", "contact"):
        await ada.sends_other(what)
    await ada.edits(done, "/start")
    await ada.blocks()
    updates = await library.get_updates(timeout=5)
    photo = await updates[1].effective_message.photo[-1].get_file()  # type: ignore[union-attr]

    assert await photo.download_as_bytearray() == pictures.small(7)
    assert updates[0].effective_message is not None
    assert updates[0].effective_message.parse_entities([telegram.MessageEntity.BOT_COMMAND])
    assert [update.edited_message is not None for update in updates[-2:]] == [True, False]
    assert updates[-1].my_chat_member is not None


async def test_it_asks_about_the_bot(ada: Person, library: telegram.Bot) -> None:
    """Commands, chats and the webhook are read back as they were set."""
    await library.set_my_commands([("help", "What I can do")])

    assert library.bot.username == "sandbox_bot"
    assert (await library.get_my_commands())[0].command == "help"
    assert (await library.get_chat(ada.id)).first_name == "Ada"
    assert (await library.get_webhook_info()).url == ""
    assert await library.send_chat_action(ada.id, "typing") is True


async def test_refusals_become_its_errors(
    ada: Person, library: telegram.Bot, control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every refusal is the exception that the library raises for Telegram's own."""
    monkeypatch.setenv("PTB_TIMEDELTA", "1")
    with pytest.raises(BadRequest, match="Chat not found"):
        await library.send_message(1, "x")
    await control.fault("flood", retry_after=9)
    with pytest.raises(RetryAfter) as flood:
        await library.send_message(ada.id, "x")
    for fault in ("drop", "reset", "error"):
        await control.fault(fault)
        with pytest.raises(NetworkError):
            await library.send_message(ada.id, "x")
    await ada.blocks()
    with pytest.raises(Forbidden, match="blocked"):
        await library.send_message(ada.id, "x")

    assert flood.value.retry_after == timedelta(seconds=9)


async def test_a_wrong_token_is_its_error(sandbox: SandboxServer) -> None:
    """The library takes 401 for a wrong token."""
    stranger = telegram.Bot("1:wrong", base_url=f"{sandbox.url}/bot")

    with pytest.raises(InvalidToken):
        async with stranger:
            pass


async def test_two_pollers_are_a_conflict(library: telegram.Bot, bot: Bot, control: Control) -> None:
    """The library hears of a second poller as it does from Telegram."""
    older = asyncio.create_task(library.get_updates(timeout=20))
    await until(lambda: polls(control))
    await bot("getUpdates")

    with pytest.raises(Conflict):
        await older


async def test_an_application_runs_unchanged(sandbox: SandboxServer, control: Control) -> None:
    """A whole bot with commands, buttons and polling works on the sandbox as it is."""
    async with running(sandbox):
        ada = await control.person("Ada")
        await ada.starts()
        await ada.sees("Welcome")
        await ada.taps("Go")
        await ada.sees("gone")
        await ada.says("<b>hello</b>")
        await ada.sees("You said <b>hello</b>")
        [toast] = (await ada.chat()).toasts
        status = await control.all_confirmed()

    assert toast.text == "Going"
    assert status.pending == 0


Any_Application = Application[Any, Any, Any, Any, Any, Any]


@asynccontextmanager
async def running(sandbox: SandboxServer) -> AsyncIterator[Any_Application]:
    builder = Application.builder().token(sandbox.token)
    app = builder.base_url(f"{sandbox.url}/bot").base_file_url(f"{sandbox.url}/file/bot").build()
    app.add_handlers(
        [CommandHandler("start", welcome), CallbackQueryHandler(go), MessageHandler(filters.TEXT, echo)],
    )
    async with app:
        assert app.updater is not None
        await app.start()
        await app.updater.start_polling()
        yield app
        await app.updater.stop()
        await app.stop()


async def welcome(update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
    assert update.message is not None
    await update.message.reply_html("<b>Welcome</b>", reply_markup=GO)


async def go(update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
    assert update.callback_query is not None
    await update.callback_query.answer("Going")
    await update.callback_query.edit_message_text("gone")


async def echo(update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
    assert update.message is not None
    await update.message.reply_text(f"You said {update.message.text}")

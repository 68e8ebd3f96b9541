"""The same questionnaire as python-telegram-bot's own examples would write it: the bot we are compared with.

`python stock_bot.py TOKEN URL PICKLE HANDLED`. Each update's number goes into the file HANDLED, synced, as soon as
the first handler has it: the count most in this bot's favour. It knows nothing of Holdfast.
"""

import os
import sys
import warnings
from typing import Any

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.ext import (
    Application,
    CallbackQueryHandler,
    CommandHandler,
    ContextTypes,
    ConversationHandler,
    MessageHandler,
    PicklePersistence,
    TypeHandler,
    filters,
)
from telegram.warnings import PTBUserWarning

FIELDS = ("Nickname", "Manufacturer", "Model number", "Serial number", "Location", "Notes", "Photo")
CARD = len(FIELDS)
LONGEST = 100
Context = ContextTypes.DEFAULT_TYPE


class Record:
    """The updates that came as far as a handler, one number a line."""

    def __init__(self, path: str) -> None:
        self._file = open(path, "a", encoding="ascii")  # noqa: PTH123, SIM115 - open as long as the bot lives

    async def write(self, update: Update, _context: Context) -> None:
        """Keep one number for good."""
        self._file.write(f"{update.update_id}\n")
        self._file.flush()
        os.fsync(self._file.fileno())


def machine_of(context: Context) -> dict[str, str]:
    data: dict[str, Any] | None = context.user_data
    return data.setdefault("machine", {}) if data is not None else {}


async def show(update: Update, text: str, *labels: str) -> None:
    """Answer with a text and buttons."""
    if update.callback_query is not None:
        await update.callback_query.answer()
    rows = [[InlineKeyboardButton(label, callback_data=label)] for label in labels]
    if update.effective_chat is not None:
        await update.effective_chat.send_message(text, reply_markup=InlineKeyboardMarkup(rows))


async def ask(update: Update, context: Context, place: int) -> int:
    """Ask a question; a photo that came early answers the last one."""
    if place < CARD and not (FIELDS[place] == "Photo" and "Photo" in machine_of(context)):
        await show(update, f"{FIELDS[place]}?", "Skip", "‹ Back")
        return place
    lines = [f"{name}: {machine_of(context).get(name, '–')}" for name in FIELDS]
    await show(update, "\n".join([*lines, "Is everything right?"]), "✓ Save", "‹ Back")
    return CARD


async def start(update: Update, context: Context) -> int:
    machine_of(context).clear()
    return await ask(update, context, 0)


def answer_at(place: int) -> Any:  # noqa: ANN401 - a handler's callback
    async def answer(update: Update, context: Context) -> int:
        text = (update.effective_message.text if update.effective_message else None) or ""
        if len(text) > LONGEST:
            await show(update, "That is too long.")
            return place
        machine_of(context)[FIELDS[place]] = text
        return await ask(update, context, place + 1)

    return answer


def photo_at(place: int) -> Any:  # noqa: ANN401 - a handler's callback
    async def photo(update: Update, context: Context) -> int:
        photos = update.effective_message.photo if update.effective_message else ()
        machine_of(context)["Photo"] = photos[-1].file_id if photos else ""
        return await ask(update, context, place + 1 if FIELDS[place] == "Photo" else place)

    return photo


def skip_at(place: int) -> Any:  # noqa: ANN401 - a handler's callback
    async def skip(update: Update, context: Context) -> int:
        return await ask(update, context, place + 1)

    return skip


def back_at(place: int) -> Any:  # noqa: ANN401 - a handler's callback
    async def back(update: Update, context: Context) -> int:
        machine_of(context).pop(FIELDS[place - 1], None)
        return await ask(update, context, max(place - 1, 0))

    return back


async def save(update: Update, context: Context) -> int:
    await show(update, f"Saved {machine_of(context).get('Nickname', '')}.", "Register a machine")
    return ConversationHandler.END


async def other(update: Update, _context: Context) -> None:
    await show(update, "I did not expect that here.")


def state_at(place: int) -> list[Any]:
    text = filters.TEXT & ~filters.COMMAND & filters.UpdateType.MESSAGE
    typed = [] if FIELDS[place] == "Photo" else [MessageHandler(text, answer_at(place))]
    return [
        *typed,
        MessageHandler(filters.PHOTO, photo_at(place)),
        CommandHandler("skip", skip_at(place)),
        CallbackQueryHandler(skip_at(place), "^Skip$"),
        CommandHandler("back", back_at(place)),
        CallbackQueryHandler(back_at(place), "^‹ Back$"),
    ]


def conversation() -> ConversationHandler[Context]:
    card = [
        CallbackQueryHandler(save, "^✓ Save$"),
        CommandHandler("back", back_at(CARD)),
        CallbackQueryHandler(back_at(CARD), "^‹ Back$"),
    ]
    return ConversationHandler(
        entry_points=[CommandHandler("addmachine", start), CallbackQueryHandler(start, "^Register a machine$")],
        states={**{place: state_at(place) for place in range(CARD)}, CARD: card},
        fallbacks=[MessageHandler(filters.ALL, other), CallbackQueryHandler(other)],
        allow_reentry=True,
        persistent=True,
        name="registration",
    )


def main(token: str, url: str, pickle: str, handled: str) -> None:
    """Run until a signal ends it."""
    warnings.filterwarnings("ignore", category=PTBUserWarning)
    application = (
        Application.builder()
        .token(token)
        .base_url(f"{url}/bot")
        .base_file_url(f"{url}/file/bot")
        .persistence(PicklePersistence(pickle))
        .build()
    )
    application.add_handler(TypeHandler(Update, Record(handled).write), group=-1)
    application.add_handler(conversation())
    application.add_handler(MessageHandler(filters.ALL, other))
    application.add_handler(CallbackQueryHandler(other))
    application.run_polling(allowed_updates=Update.ALL_TYPES)


if __name__ == "__main__":
    main(*sys.argv[1:])

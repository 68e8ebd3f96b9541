"""Python-telegram-bot's ConversationHandler; PicklePersistence is flushed after each update. Argument: the file."""

import asyncio
import json
import sys
from collections import deque
from pathlib import Path

from telegram import Update
from telegram.ext import (
    Application,
    BaseHandler,
    CommandHandler,
    ContextTypes,
    ConversationHandler,
    MessageHandler,
    PicklePersistence,
    filters,
)

from benchmarks.peers.instant import InstantRequest
from benchmarks.slices import Slice, one_after_another, serve
from benchmarks.updates import BOT, MOST, People

QUESTIONS = ("nickname", "manufacturer", "model number", "serial number", "location", "notes", "photo")
_END = ConversationHandler.END


async def begin(update: Update, context: ContextTypes.DEFAULT_TYPE) -> int:
    """Ask the first question."""
    if update.message is None or context.user_data is None:
        return _END
    context.user_data["answers"] = {}
    await update.message.reply_text(f"What is its {QUESTIONS[0]}?")
    return 0


async def file(update: Update, context: ContextTypes.DEFAULT_TYPE) -> int:
    """Keep the answer and ask the next question, or show what was said."""
    if update.message is None or context.user_data is None:
        return _END
    answers = context.user_data["answers"]
    answers[QUESTIONS[len(answers)]] = update.message.text
    if len(answers) == len(QUESTIONS):
        await update.message.reply_text("\n".join(f"{name}: {value}" for name, value in answers.items()))
    else:
        await update.message.reply_text(f"What is its {QUESTIONS[len(answers)]}?")
    return len(answers)


async def cancel(update: Update, context: ContextTypes.DEFAULT_TYPE) -> int:
    """Forget the answers."""
    if update.message is not None and context.user_data is not None:
        context.user_data.clear()
        await update.message.reply_text("Cancelled.")
    return _END


def conversation() -> ConversationHandler[ContextTypes.DEFAULT_TYPE]:
    """Declare the flow."""
    takes: list[BaseHandler[Update, ContextTypes.DEFAULT_TYPE, object]] = [
        MessageHandler(filters.TEXT & ~filters.COMMAND, file),
        CommandHandler("skip", file),
    ]
    return ConversationHandler(
        entry_points=[CommandHandler("addmachine", begin)],
        states={state: list(takes) for state in range(len(QUESTIONS) + 1)},
        fallbacks=[CommandHandler("cancel", cancel)],
        name="add_machine",
        persistent=True,
    )


async def main(store: Path) -> None:
    """Serve slices."""
    builder = Application.builder().token(f"{BOT}:none").persistence(PicklePersistence(store))
    app = builder.request(InstantRequest()).get_updates_request(InstantRequest()).build()
    app.add_handler(conversation())
    people, stock = People(), deque[bytes]()
    async with app:

        async def turn() -> None:
            await app.process_update(Update.de_json(json.loads(stock.popleft()), app.bot))
            await app.update_persistence()

        async def run(seconds: float) -> Slice:
            people.fill(stock, MOST * seconds)
            return await one_after_another(turn, seconds)

        await serve(run)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))

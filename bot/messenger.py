"""Screens become Telegram's messages here, and nowhere else."""

import logging
from typing import Any

import msgspec
from msgspec import Struct

from holdfast.bot.wire import Wire
from holdfast.domain.errors import TelegramError
from holdfast.domain.screen import Screen

logger = logging.getLogger("holdfast.bot")


class _Sent(Struct):
    message_id: int


class TelegramMessenger:
    """Sends screens over the wire."""

    def __init__(self, wire: Wire) -> None:
        """Send through this wire."""
        self._wire = wire

    async def send(self, chat_id: int, screen: Screen) -> int:
        """Show a screen; give its message id."""
        result = await self._wire.call("sendMessage", chat_id=chat_id, **message_of(screen))
        return msgspec.json.decode(result, type=_Sent).message_id

    async def acknowledge(self, callback_id: str) -> None:
        """Stop a tapped button's spinner. Best effort: a tap older than 150 s can't be acknowledged any more."""
        try:
            await self._wire.call("answerCallbackQuery", callback_query_id=callback_id)
        except TelegramError as error:
            logger.info("a tap was not acknowledged: %s", error)


def message_of(screen: Screen) -> dict[str, Any]:
    """Give the parameters of a message that shows a screen."""
    parameters: dict[str, Any] = {"text": screen.text, "parse_mode": "HTML"}
    if screen.keyboard:
        rows = [[{"text": one.label, "callback_data": one.data} for one in row] for row in screen.keyboard]
        parameters["reply_markup"] = {"inline_keyboard": rows}
    return parameters

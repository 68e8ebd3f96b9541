"""Screens become Telegram's messages here, and nowhere else."""

import logging
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from holdfast.bot.parts import parts_of
from holdfast.bot.wire import Wire
from holdfast.domain.errors import Blocked, TelegramError, TelegramRefused
from holdfast.domain.screen import Screen

logger = logging.getLogger("holdfast.bot")
_UNCHANGED = "message is not modified"


class _Sent(Struct):
    message_id: int


class TelegramMessenger:
    """Sends screens over the wire."""

    def __init__(self, wire: Wire) -> None:
        """Send through this wire."""
        self._wire = wire

    def parts(self, screen: Screen) -> tuple[Screen, ...]:
        """Divide what is longer than one message may be."""
        return parts_of(screen)

    async def send(self, chat_id: int, screen: Screen, replaces: int = 0) -> int:
        """Show a screen; give its message id. What can't be changed in place any more becomes a new message."""
        if replaces and await self._changed(chat_id, screen, replaces):
            return replaces
        if screen.photo:
            return await self._photo(chat_id, screen)
        return _id_of(await self._wire.call("sendMessage", chat_id=chat_id, **message_of(screen)))

    async def _photo(self, chat_id: int, screen: Screen) -> int:
        """Show a photo that Telegram keeps; where it keeps it no longer, the text alone."""
        try:
            return _id_of(await self._wire.call("sendPhoto", chat_id=chat_id, **message_of(screen)))
        except Blocked:
            raise
        except TelegramRefused as error:
            logger.warning("a photo could not be shown: %s", error)
            return await self.send(chat_id, replace(screen, photo=""))

    async def _changed(self, chat_id: int, screen: Screen, message_id: int) -> bool:
        try:
            await self._wire.call("editMessageText", chat_id=chat_id, message_id=message_id, **message_of(screen))
        except Blocked:
            raise
        except TelegramRefused as error:
            return _UNCHANGED in str(error)
        return True

    async def acknowledge(self, callback_id: str) -> None:
        """Stop a tapped button's spinner. Best effort: a tap older than 150 s can't be acknowledged any more."""
        try:
            await self._wire.call("answerCallbackQuery", callback_query_id=callback_id)
        except TelegramError as error:
            logger.info("a tap was not acknowledged: %s", error)


def _id_of(result: msgspec.Raw) -> int:
    return msgspec.json.decode(result, type=_Sent).message_id


def message_of(screen: Screen) -> dict[str, Any]:
    """Give the parameters of a message that shows a screen."""
    parameters: dict[str, Any] = {"parse_mode": "HTML"}
    if screen.photo:
        parameters |= {"photo": screen.photo, "caption": screen.text}
    else:
        parameters["text"] = screen.text
    if screen.keyboard:
        rows = [[{"text": one.label, "callback_data": one.data} for one in row] for row in screen.keyboard]
        parameters["reply_markup"] = {"inline_keyboard": rows}
    return parameters

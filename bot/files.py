"""Photos, fetched from Telegram."""

import msgspec
from msgspec import Struct

from holdfast.bot.wire import Wire


class _File(Struct):
    file_path: str


class TelegramFiles:
    """Fetches files over the wire."""

    def __init__(self, wire: Wire) -> None:
        """Fetch through this wire."""
        self._wire = wire

    async def fetch(self, file_id: str) -> bytes:
        """Give a file's bytes; TelegramUnreachable: try later, TelegramRefused: it can't be had."""
        found = await self._wire.call("getFile", file_id=file_id)
        return await self._wire.fetch(msgspec.json.decode(found, type=_File).file_path)

"""Telegram's part in a race of webhooks: each person posts, waits for 200 and for the reply, and posts again.

The standard library alone: peers use it too.
"""

import asyncio
import json

from benchmarks.updates import People

SECRET = "a-secret-for-the-race"  # noqa: S105 - it opens nothing
_HEAD = (
    "POST / HTTP/1.1\r\nhost: 127.0.0.1\r\nx-telegram-bot-api-secret-token: {secret}\r\n"
    "content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
)
_OK = b"HTTP/1.1 200"


class NotTaken(Exception):
    """A webhook answered something else than 200."""


class Posters:
    """So many people, each on a connection of their own."""

    def __init__(self, count: int) -> None:
        """Begin with nobody connected."""
        self.count = count
        self._people = People()
        self._ways: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._waiting: dict[int, asyncio.Event] = {}

    async def connect(self, port: int) -> None:
        """Connect everybody."""
        self._ways = [await asyncio.open_connection("127.0.0.1", port) for _ in range(self.count)]

    def replied(self, chat_id: int) -> None:
        """Hear that somebody's reply was handed to the request layer."""
        if waiting := self._waiting.get(chat_id):
            waiting.set()

    async def turn(self, seat: int) -> None:
        """Post one person's update, and wait until it was confirmed and answered."""
        raw = self._people.next(seat)
        chat_id = int(json.loads(raw)["message"]["chat"]["id"])
        replied = self._waiting[chat_id] = asyncio.Event()
        reader, writer = self._ways[seat]
        writer.write(_HEAD.format(secret=SECRET, length=len(raw)).encode() + raw)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(_OK):
            raise NotTaken(head.partition(b"\r\n")[0].decode())
        await replied.wait()
        del self._waiting[chat_id]

    def close(self) -> None:
        """Hang up."""
        for _, writer in self._ways:
            writer.close()

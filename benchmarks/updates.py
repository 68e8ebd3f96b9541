"""What people send: the raw bytes of Telegram's updates, for every contestant the same."""

import json
import time
from collections import Counter, deque

SCRIPT = (
    "/addmachine",
    "Press 4",
    "ACME Hydraulics",
    "HX-200",
    "SN 00412-7",
    "Hall 2, row C",
    "Oil every week, filter every month",
    "/skip",
    "/cancel",
)
"""One conversation: a command, six answers, a step skipped, and it is cancelled on the card that asks to confirm."""

BOT = 42
MOST = 20_000
"""More turns a second than any contestant takes one after another."""

FIRST_PERSON = 1_000_000
TALKS = 20
"""After so many conversations a person makes room for another one: nobody talks for ever."""


class People:
    """Writes updates: each person goes through the script again and again."""

    def __init__(self, first: int = FIRST_PERSON) -> None:
        """Begin with nobody having said anything."""
        self._first = first
        self._said: Counter[int] = Counter()
        self._updates = time.time_ns() // 1_000_000 % 1_000_000_000

    def next(self, seat: int = 0) -> bytes:
        """Write the next update of whoever sits in this seat."""
        said = self._said[seat]
        self._said[seat] += 1
        self._updates += 1
        person = self._first + seat + 1000 * (said // (TALKS * len(SCRIPT)))
        return update(self._updates, person, SCRIPT[said % len(SCRIPT)])

    def fill(self, stock: deque[bytes], wanted: float, seat: int = 0) -> None:
        """Write updates of one seat ahead, so that no turn's time has the writing in it."""
        while len(stock) < wanted:
            stock.append(self.next(seat))


def update(number: int, person: int, text: str) -> bytes:
    """Write one update as Telegram does."""
    message = {
        "message_id": number,
        "from": {"id": person, "is_bot": False, "first_name": "Ada", "username": "ada", "language_code": "en"},
        "chat": {"id": person, "first_name": "Ada", "username": "ada", "type": "private"},
        "date": int(time.time()),
        "text": text,
    }
    if text.startswith("/"):
        message["entities"] = [{"offset": 0, "length": len(text), "type": "bot_command"}]
    return json.dumps({"update_id": number, "message": message}).encode()


def answer(number: int) -> bytes:
    """Write what Telegram answers when a message was sent."""
    return _ANSWER % number


_ANSWER = (
    b'{"ok":true,"result":{"message_id":%d,"from":{"id":42,"is_bot":true,"first_name":"Bot","username":"bench_bot"},'
    b'"chat":{"id":1000000,"first_name":"Ada","type":"private"},"date":1800000000,"text":"Noted."}}'
)

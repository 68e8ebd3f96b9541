"""People whose inputs are posted to one bot or another, as Telegram would: again and again, until one says 200."""

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from random import Random

import httpx

from holdfast.domain import taps
from holdfast.domain.ids import ThreadId, conversation_of, thread_of
from tests.chaos.processes import BOT_ID
from tests.fire.chronicle import Chronicle
from tests.fire.hosts import Host
from tests.fire.people import ANSWERS

_STRAYS, _ELSEWHERE = 0.15, 0.5
"""How often an input goes to another bot than its person's, and how often it does when it comes again."""
_AGAIN = 0.1


@dataclass(frozen=True)
class Acknowledged:
    """One input that a bot took: its name, how often it was posted, and after how many seconds it was taken."""

    dedup_key: str
    tries: int
    took: float


@dataclass
class Poster:
    """One person, who sends nothing before the last input is acknowledged; `pause` is in seconds."""

    number: int
    hosts: Sequence[Host]
    client: httpx.AsyncClient
    updates: Iterator[int]
    chronicle: Chronicle
    rng: Random
    pause: float
    taken: list[Acknowledged] = field(default_factory=list)
    _messages: Iterator[int] = field(default_factory=lambda: count(1_000_001))

    @property
    def thread_id(self) -> ThreadId:
        """The person's thread."""
        return thread_of("telegram", BOT_ID, self.number)

    @property
    def keys(self) -> list[str]:
        """The names of what was acknowledged, in the order in which it was sent."""
        return [one.dedup_key for one in self.taken]

    async def work(self, enough: asyncio.Event) -> None:
        """Register one machine after the other until it is enough."""
        for number in count(1):
            start = await self.says("/addmachine")
            for text in (f"Press {number}", *ANSWERS):
                if enough.is_set():
                    return
                await self.says(text)
            await self.taps(taps.action(conversation_of(self.thread_id, start), taps.CONFIRM))

    async def says(self, text: str) -> str:
        """Send a text, and give the input's name."""
        which = next(self._messages)
        return await self._sends(which, {"message": {**self._message(which), "from": self._user, "text": text}})

    async def taps(self, data: str) -> str:
        """Tap a button."""
        which = f"tap{next(self._messages)}"
        tap = {"id": which, "from": self._user, "chat_instance": "1", "data": data, "message": self._message(1)}
        return await self._sends(which, {"callback_query": tap})

    @property
    def _user(self) -> dict[str, object]:
        return {"id": self.number, "is_bot": False, "first_name": f"P{self.number}", "language_code": "en"}

    def _message(self, which: int) -> dict[str, object]:
        return {"message_id": which, "date": int(time.time()), "chat": {"id": self.number, "type": "private"}}

    async def _sends(self, which: object, update: dict[str, object]) -> str:
        number = next(self.updates)
        key = f"tg:{BOT_ID}:{number}:{self.number}:{which}"
        self.chronicle.tell("input", key=key)
        begun, tries = time.monotonic(), 0
        raw = json.dumps({"update_id": number, **update}).encode()
        while True:
            tries += 1
            host = self._host(_STRAYS if tries == 1 else _ELSEWHERE)
            if await host.take(self.client, raw):
                break
            await asyncio.sleep(self.rng.uniform(0.5, 1.5) * _AGAIN)
        self.taken.append(Acknowledged(key, tries, time.monotonic() - begun))
        self.chronicle.tell("acknowledged", key=key, by=host.name, tries=tries)
        await asyncio.sleep(self.rng.uniform(0.0, 2.0) * self.pause)
        return key

    def _host(self, strays: float) -> Host:
        """Choose the person's own bot, mostly."""
        own = self.hosts[self.number % len(self.hosts)]
        return self.rng.choice(self.hosts) if self.rng.random() < strays else own

"""Telegram: it keeps each update until it is acknowledged, delivers it at least once, and shows what bots send."""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from holdfast.domain.errors import TelegramUnreachable
from holdfast.domain.screen import Screen
from tests.simulation.story import NOON, Story

_WAY = 0.02
_PATIENCE = 10.0
_AGAIN = 0.7


@dataclass
class Update:
    """One update; times are virtual seconds. `overtakes` says that it was not held back for the one before it."""

    number: int
    person: int
    raw: bytes
    told: str
    key: str
    first_posted: float = -1.0
    acknowledged: float = -1.0


class Receiver(Protocol):
    """A worker as Telegram sees it."""

    name: str

    @property
    def takes(self) -> bool:
        """Whether it answers at all."""

    def post(self, update: Update, done: Callable[[], None]) -> None:
        """Take an update; `done` is called when it is acknowledged."""


@dataclass
class Chat:
    """One person's private chat."""

    person: int
    last_message: int = 0
    queue: list[Update] = field(default_factory=list)
    screens: list[tuple[int, Screen]] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def number(self) -> int:
        """Give the next message its number."""
        self.last_message += 1
        return self.last_message


@dataclass
class Edge:
    """What is wrong with Telegram, or the way to it; chances from 0 to 1."""

    away: bool = False
    loses: float = 0.0
    loses_answers: float = 0.0
    loses_acknowledgements: float = 0.0
    repeats: float = 0.0
    hurries: float = 0.0
    strays: float = 0.0


class Telegram:
    """Updates go to workers as a webhook's would: a person's next one when the last is acknowledged, mostly."""

    def __init__(self, story: Story, bot_id: int) -> None:
        self.edge = Edge()
        self.chats: dict[int, Chat] = {}
        self.updates: list[Update] = []
        self.workers: Sequence[Receiver] = ()
        self._story = story
        self._bot_id = bot_id
        self._chance = story.dice("telegram")
        self._number = 1000
        self._under_way = 0

    @property
    def quiet(self) -> bool:
        """Whether everything was acknowledged, and nothing is being delivered again."""
        return not self._under_way and all(not chat.queue for chat in self.chats.values())

    def join(self, person: int) -> Chat:
        """Open a chat."""
        chat = self.chats[person] = Chat(person)
        self._story.loop.spawn(self._pump(chat))
        return chat

    def says(self, person: int, text: str) -> Update:
        """Take a text that a person sends."""
        chat = self.chats[person]
        message = {"message_id": chat.number(), **self._place(person), "text": text}
        return self._enqueue(chat, {"message": {**message, "from": _user(person)}}, text, message["message_id"])

    def taps(self, person: int, message_id: int, data: str) -> Update:
        """Take a tap on a button."""
        chat = self.chats[person]
        callback = f"tap{self._number}"
        message = {"message_id": message_id, **self._place(person)}
        tap = {"id": callback, "from": _user(person), "data": data, "message": message}
        return self._enqueue(chat, {"callback_query": tap}, f"[{data}]", callback)

    def _place(self, person: int) -> dict[str, object]:
        date = NOON // 1_000_000 + int(self._story.loop.time())
        return {"date": date, "chat": {"id": person, "type": "private"}}

    def _enqueue(self, chat: Chat, update: dict[str, object], told: str, which: object) -> Update:
        self._number += 1
        raw = json.dumps({"update_id": self._number, **update}).encode()
        key = f"tg:{self._bot_id}:{self._number}:{chat.person}:{which}"
        one = Update(self._number, chat.person, raw, told, key)
        self._story.tell("{} sends u{}: {}", chat.person, one.number, told, who="telegram")
        self.updates.append(one)
        chat.queue.append(one)
        chat.changed.set()
        return one

    async def _pump(self, chat: Chat) -> None:
        while True:
            while not chat.queue:
                chat.changed.clear()
                await chat.changed.wait()
            update = chat.queue[0]
            work = self._story.loop.spawn(self._deliver(update))
            if self._chance.random() >= self.edge.hurries:
                await work
            chat.queue.pop(0)

    async def _deliver(self, update: Update) -> None:
        """Post an update until it is acknowledged; sometimes once more, to whomever."""
        self._under_way += 1
        while not await self._posted(update, self._worker_for(update)):
            await self._pause()
        update.acknowledged = self._story.loop.time()
        if self._chance.random() < self.edge.repeats:
            await asyncio.sleep(self._chance.choice((0.0, 0.05, 5.0)))
            self._story.tell("u{} is delivered once more", update.number, who="telegram")
            await self._posted(update, self._chance.choice(self.workers))
        self._under_way -= 1

    async def _pause(self) -> None:
        await asyncio.sleep(self._chance.uniform(0.1, _AGAIN))

    def _worker_for(self, update: Update) -> Receiver:
        if self._chance.random() < self.edge.strays:
            return self._chance.choice(self.workers)
        return self.workers[update.person % len(self.workers)]

    async def _posted(self, update: Update, worker: Receiver) -> bool:
        done: asyncio.Future[None] = self._story.loop.create_future()
        await asyncio.sleep(self._chance.random() * _WAY)
        if update.first_posted < 0:
            update.first_posted = self._story.loop.time()
        if self.edge.away or not worker.takes:
            worker = self._chance.choice(self.workers)
            if self.edge.away or not worker.takes:
                return False
        loses = self._chance.random() < self.edge.loses_acknowledgements

        def acknowledged() -> None:
            if not loses and not done.done():
                done.set_result(None)

        worker.post(update, acknowledged)
        if self._chance.random() < self.edge.repeats:
            self._chance.choice(self.workers).post(update, lambda: None)
        return bool((await asyncio.wait((done,), timeout=_PATIENCE))[0])

    async def show(self, person: int, screen: Screen, replaces: int) -> int:
        """Show a screen to a person, and give its message's number; TelegramUnreachable, also when it was shown."""
        await asyncio.sleep(self._chance.random() * _WAY)
        if self.edge.away or self._chance.random() < self.edge.loses:
            raise TelegramUnreachable
        chat = self.chats[person]
        number = replaces or chat.number()
        chat.screens.append((number, screen))
        self._story.tell("{} reads: {}", person, " / ".join(screen.text.split("\n\n"))[:90])
        await asyncio.sleep(self._chance.random() * _WAY)
        if self._chance.random() < self.edge.loses_answers:
            raise TelegramUnreachable
        return number


def _user(person: int) -> dict[str, object]:
    return {"id": person, "first_name": f"P{person}", "is_bot": False, "language_code": "en"}

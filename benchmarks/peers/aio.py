"""Aiogram's finite state machine. Arguments: sqlite or redis, a folder, how many people."""
# mypy: disable-error-code="import-not-found,misc,untyped-decorator,no-any-unimported"

import asyncio
import json
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

from aiogram import Bot, Dispatcher
from aiogram.client.session.base import BaseSession
from aiogram.filters import Command
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.fsm.storage.base import BaseStorage
from aiogram.fsm.storage.redis import RedisStorage
from aiogram.types import Message
from aiogram_sqlite_storage.sqlitestore import SQLStorage
from redis.asyncio import Redis

from benchmarks.peers.redis_server import redis_server
from benchmarks.slices import Slice, serve
from benchmarks.updates import People, answer

QUESTIONS = ("nickname", "manufacturer", "model", "serial", "location", "notes", "photo")
_CONNECTIONS = 512


class Form(StatesGroup):
    """One state for each question, and the card at the end."""

    nickname, manufacturer, model, serial, location, notes, photo = (State() for _ in range(7))
    card = State()


STATES = (*Form.__all_states__,)


async def begin(message: Message, state: FSMContext) -> None:
    """Ask the first question."""
    await state.set_state(Form.nickname)
    await message.answer(f"What is its {QUESTIONS[0]}?")


async def file(message: Message, state: FSMContext) -> None:
    """Keep the answer and ask the next question, or show what was said."""
    name = str(await state.get_state()).partition(":")[2]
    answers = await state.update_data({name: message.text})
    following = len(answers)
    await state.set_state(STATES[following])
    if following == len(QUESTIONS):
        await message.answer("\n".join(f"{one}: {value}" for one, value in answers.items()))
    else:
        await message.answer(f"What is its {QUESTIONS[following]}?")


async def cancel(message: Message, state: FSMContext) -> None:
    """Forget the answers."""
    await state.clear()
    await message.answer("Cancelled.")


class InstantSession(BaseSession):
    """Answers at once."""

    def __init__(self) -> None:
        """Begin with nothing sent."""
        super().__init__()
        self.sent = 0

    async def close(self) -> None:
        """Nothing to close."""

    async def make_request(self, bot: Bot, method: Any, timeout: int | None = None) -> Any:  # noqa: ANN401, ARG002, ASYNC109
        """Read the answer, as the library's own session does."""
        self.sent += 1
        told = answer(self.sent).decode()
        return self.check_response(bot=bot, method=method, status_code=200, content=told).result

    async def stream_content(self, *_: object, **__: object) -> AsyncIterator[bytes]:
        """Nothing to download."""
        yield b""


@asynccontextmanager
async def storage_of(kind: str, folder: Path) -> AsyncIterator[BaseStorage]:
    """Open the storage by its documented way."""
    if kind == "sqlite":
        # It logs an error for each person who has no data yet, which would cost it time.
        logging.getLogger("aiogram_sqlite_storage").setLevel(logging.CRITICAL)
        yield SQLStorage(str(folder / "fsm.db"), serializing_method="json")
        return
    with redis_server(folder) as socket:
        storage = RedisStorage(Redis(unix_socket_path=str(socket), max_connections=_CONNECTIONS))
        yield storage
        await storage.close()


async def main(kind: str, folder: Path, count: int) -> None:
    """Serve slices."""
    people, bot = People(), Bot("42:none", session=InstantSession())
    async with storage_of(kind, folder) as storage:
        dispatcher = Dispatcher(storage=storage)
        dispatcher.message.register(begin, Command("addmachine"))
        dispatcher.message.register(cancel, Command("cancel"))
        dispatcher.message.register(file)

        async def turn(raw: bytes, since: float) -> float:
            await dispatcher.feed_raw_update(bot, json.loads(raw))
            return (perf_counter() - since) * 1e6

        async def run(seconds: float) -> Slice:
            micros: list[float] = []
            began = now = perf_counter()
            while now < began + seconds:
                batch = [people.next(seat) for seat in range(count)]
                began += (now := perf_counter()) - now
                micros.extend(await asyncio.gather(*(turn(raw, now) for raw in batch)))
                now = perf_counter()
            return Slice(micros, now - began)

        await serve(run)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))

"""The whole road in one process: a sandbox, and the real bot that polls it."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.cli import wiring
from holdfast.cli.rebuild import Difference, rebuild
from holdfast.cli.run import serve
from holdfast.infrastructure.settings import Settings
from holdfast.sandbox import SandboxServer
from holdfast.sandbox.client import Control, Person
from holdfast.sandbox.model import Message
from holdfast.sandbox.sight import labels, text_of


@dataclass(frozen=True)
class Road:
    """A sandbox with its control, and where the bot keeps its journal."""

    sandbox: SandboxServer
    control: Control
    journal: Path

    @asynccontextmanager
    async def bot(self, **more: Any) -> AsyncIterator[None]:  # noqa: ANN401 - whatever settings hold
        """Run the real bot for a while; a bot that ends by itself fails the test."""
        task = asyncio.create_task(serve(self.settings(**more), self.sandbox.token, self.sandbox.url))
        try:
            yield
        finally:
            ended_by_itself = task.done()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            assert not ended_by_itself

    def settings(self, **more: Any) -> Settings:  # noqa: ANN401 - whatever settings hold
        """Give the settings of a bot on this road; where nothing is limited, it sends as fast as it can."""
        return Settings(holdfast_journal=self.journal, **{"holdfast_pace": "none", **more})

    async def differences(self) -> list[Difference]:
        """Fold every table anew from the events, and give what differs from those that the bot has kept."""
        async with wiring.archive(self.settings()) as archive:
            return (await rebuild(archive)).differences

    async def until(self, question: str, wanted: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """Ask the tables until they answer as wanted, for ten seconds at most; give what they answer then."""
        for _ in range(200):
            if (found := self.rows(question)) == wanted:
                return found
            await asyncio.sleep(0.05)
        return self.rows(question)

    def rows(self, question: str) -> list[tuple[Any, ...]]:
        """Ask the journal's tables directly, as an operator would."""
        with sqlite3.connect(f"{self.journal.as_uri()}?mode=ro", uri=True) as connection:
            found = connection.execute(question).fetchall()
        connection.close()
        return found


@asynccontextmanager
async def road(folder: Path) -> AsyncIterator[Road]:
    """Lay the road in a folder."""
    async with SandboxServer() as sandbox, Control(sandbox.url) as control:
        yield Road(sandbox, control, folder / "local.db")


def shown(message: Message | None) -> str:
    """Give a message's text."""
    assert message is not None
    return text_of(message) or ""


def buttons(message: Message | None) -> list[str]:
    """Give the labels of a message's buttons."""
    assert message is not None
    return labels(message)


async def tells(person: Person, *texts: str) -> Message | None:
    """Let a person send texts, each after the reply to the one before; give the last reply."""
    seen = None
    for text in texts:
        seen = await person.sees(lambda _: True, after=await person.says(text))
    return seen


async def taps(person: Person, label: str, wanted: str = "") -> Message:
    """Let a person tap a button, and give what they then see."""
    return await person.sees(wanted, after=await person.taps(label))


async def registers(person: Person, nickname: str = "Press 4") -> None:
    """Let a person register a machine in the shortest way."""
    await tells(person, "/addmachine", nickname, *["/skip"] * 6)
    await taps(person, "✓ Save", "Saved")

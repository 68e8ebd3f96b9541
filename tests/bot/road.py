"""The whole road in one process: a sandbox, and the real bot that polls it."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.cli.run import serve
from holdfast.infrastructure.settings import Settings
from holdfast.sandbox import SandboxServer
from holdfast.sandbox.client import Control
from holdfast.sandbox.model import Message
from holdfast.sandbox.sight import labels, text_of


@dataclass(frozen=True)
class Road:
    """A sandbox with its control, and where the bot keeps its journal."""

    sandbox: SandboxServer
    control: Control
    journal: Path

    @asynccontextmanager
    async def bot(self) -> AsyncIterator[None]:
        """Run the real bot for a while; a bot that ends by itself fails the test."""
        settings = Settings(holdfast_journal=self.journal)
        task = asyncio.create_task(serve(settings, self.sandbox.token, self.sandbox.url))
        try:
            yield
        finally:
            ended_by_itself = task.done()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            assert not ended_by_itself

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

"""Reading a journal beside the bot that writes it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from holdfast.infrastructure.clock import SystemClock, system_randomness
from holdfast.infrastructure.log.journal import SqliteJournal


@asynccontextmanager
async def reading(path: Path) -> AsyncIterator[SqliteJournal]:
    """Read a journal beside the bot that writes it."""
    journal = SqliteJournal(path, SystemClock(), system_randomness, read_only=True)
    await journal.open()
    try:
        yield journal
    finally:
        await journal.close()

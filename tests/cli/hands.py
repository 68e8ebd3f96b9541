"""What an operator's hands do in these tests: type commands, prepare tiers and journals."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from typer.testing import CliRunner

from holdfast.cli.main import app
from holdfast.cli.tiers import TierReport, report
from holdfast.infrastructure.settings import Settings
from holdfast.infrastructure.tiers.postgres_migrations import migrate
from tests.conformance.scribe import BOT
from tests.infrastructure.files import filled, hand_on
from tests.servers.database import Database
from tests.servers.seed import SUPERUSER

LONG = 30.0
"""Seconds that no migration of a test needs."""


@dataclass(frozen=True)
class Said:
    """What a command printed, and its exit status."""

    text: str
    status: int

    def read(self) -> Any:  # noqa: ANN401 - a JSON value
        return json.loads(self.text)


async def typed(*words: str) -> Said:
    """Type a command of holdfast, in a thread, since it has a loop of its own; raises what ended it."""
    done = await asyncio.to_thread(CliRunner().invoke, app, list(words))
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Said(done.stdout, done.exit_code)


def tiers_setting(**dsns: str) -> str:
    """Write tiers as HOLDFAST_TIERS has them."""
    return " ".join(f"{name}={dsn}" for name, dsn in dsns.items())


async def reports(journal: Path = Path("none.db"), **dsns: str) -> list[TierReport]:
    """Look at tiers beside a journal."""
    settings = Settings(holdfast_tiers=SecretStr(tiers_setting(**dsns)))
    return (await report(settings, journal)).tiers


async def migrated(database: Database) -> Database:
    """Bring a tier up to this program."""
    await migrate(database.dsn, LONG)
    return database


async def run(database: Database, statement: str, user: str = SUPERUSER) -> Any:  # noqa: ANN401 - a row's first column
    """Do something to a database behind the program's back."""
    session = await database.connect(user)
    try:
        return await session.fetchval(statement)
    finally:
        await session.close()


async def journal_of(path: Path, people: int = 2, bot_id: int = BOT) -> Path:
    """Make a journal of a bot with two events and one delivery for each person."""
    await filled(path, people=people)
    with hand_on(path) as journal:
        journal.execute("INSERT INTO tier_meta (name, value) VALUES ('bot_id', ?)", (str(bot_id),))
    return path


def given(path: Path, tier_id: str, *, events: int, deliveries: int, canary: int) -> None:
    """Let a journal remember how far it has been given to a tier, and the canary it saw there."""
    with hand_on(path) as journal:
        journal.execute(
            "INSERT OR REPLACE INTO cursors VALUES (?, ?, ?, ?, 0, 0, 0, 0)", (tier_id, events, deliveries, canary)
        )


def whats(problems: Sequence[Any]) -> str:
    """Give what was found, as one text."""
    return "\n".join(f"{one.verdict} {one.name}: {one.what} → {one.advice}" for one in problems)

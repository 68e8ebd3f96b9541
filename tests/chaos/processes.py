"""Real processes: the sandbox and the bots under test. Each is ended by its id, whatever happens."""

import asyncio
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from holdfast.sandbox.client import Control
from holdfast.sandbox.record import Call

TOKEN = "1000000001:sandbox"
BOT_ID = 1_000_000_001
PATIENCE = 60.0
LOOKS_PER_SECOND = 50
OURS = re.compile(r"HOLDFAST_|TELEGRAM_|\w+_DATABASE_URL$|\w+_PROXY$", re.IGNORECASE)


GUARD = 'read _; kill -KILL -"$0"'
"""Waits in a shell until the tests let go of its standard input; if they died without a word, it ends their program."""


class TookTooLong(AssertionError):
    """What was waited for did not happen."""


class EndedByItself(AssertionError):
    """A program ended that should have gone on."""


async def until(happened: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    """Look again and again, until it has happened."""
    loop = asyncio.get_running_loop()
    end = loop.time() + patience
    while not happened():
        if loop.time() > end:
            raise TookTooLong(f"after {patience:.0f} s still not: {what}")
        await asyncio.sleep(1 / LOOKS_PER_SECOND)


class Program:
    """A program that is started, killed and started again, in a process group of its own."""

    def __init__(self, name: str, command: list[str], folder: Path, **settings: str) -> None:
        """Nothing is started yet; all that it ever says goes into one file."""
        self.output = folder / f"{name}.txt"
        self.settings = settings
        self._command = command
        self._folder = folder
        self._born = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its id, once it has been started."""
        assert self._process is not None
        return self._process.pid

    @property
    def environment(self) -> dict[str, str]:
        """What the tests themselves run in, without anybody's settings and proxies."""
        return {name: value for name, value in os.environ.items() if not OURS.match(name)} | self.settings

    def start(self) -> None:
        """Begin a life."""
        self._born = len(self.said())
        with self.output.open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        command = ["/bin/sh", "-c", GUARD, str(self._process.pid)]
        self._guard = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)

    def kill(self) -> None:
        """End it as a power cut would: SIGKILL to its process group."""
        self._wait(self._signal(signal.SIGKILL))

    async def stop(self) -> int:
        """Ask it to end, and give its exit status."""
        return await asyncio.to_thread(self._wait, self._signal(signal.SIGTERM))

    def _signal(self, number: signal.Signals) -> "subprocess.Popen[bytes]":
        if self._process is None or self._process.poll() is not None:
            raise EndedByItself(f"{self._command} has ended; it said last:\n{self.said()[-2000:]}")
        os.killpg(self._process.pid, number)
        return self._process

    def _wait(self, process: "subprocess.Popen[bytes]") -> int:
        status = process.wait(PATIENCE)
        self._dismiss_guard()
        return status

    def _dismiss_guard(self) -> None:
        """First the guard, then its input: it must not strike at an id that belongs to somebody else by now."""
        if self._guard is not None and self._guard.stdin is not None:
            self._guard.kill()
            self._guard.wait(PATIENCE)
            self._guard.stdin.close()
            self._guard = None

    def said(self) -> str:
        """All that it wrote, in all its lives."""
        return self.output.read_text(errors="replace") if self.output.exists() else ""

    def said_now(self) -> str:
        """What it wrote in its present life."""
        return self.said()[self._born :]

    def owed(self) -> int:
        """Count the replies it has promised itself to send; most programs keep no such account."""
        return 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()
        self._dismiss_guard()


class Sandbox(Program):
    """Telegram's part, played by a process that nobody kills before the end."""

    GREETING = re.compile(r"^Bot API: +(http://[^/]+)/", re.MULTILINE)

    def __init__(self, folder: Path) -> None:
        """Listen on any free port of this machine."""
        command = [sys.executable, "-m", "holdfast.sandbox", "--port", "0", "--token", TOKEN, "--no-limits"]
        super().__init__("sandbox", command, folder)

    async def ready(self) -> str:
        """Start, and give the address."""
        self.start()
        await until(lambda: self.GREETING.search(self.said()) is not None, f"the sandbox listens: {self.said()}")
        [url] = self.GREETING.findall(self.said())
        return str(url)


class Holdfast(Program):
    """The bot of the project, as it is installed."""

    def __init__(self, folder: Path, url: str, *options: str) -> None:
        """Keep the journal in the folder."""
        self.journal = folder / "journal.db"
        self.executable = str(Path(sys.executable).with_name("holdfast"))
        super().__init__(
            "holdfast",
            [self.executable, "run", *options],
            folder,
            TELEGRAM_BOT_TOKEN=TOKEN,
            TELEGRAM_API_URL=url,
            HOLDFAST_JOURNAL=str(self.journal),
            HOLDFAST_PACE="none",
        )

    def owed(self) -> int:
        """Count the events that have no delivery: the rows themselves, not what the heads say of them.

        A photo that was stored owes nobody a reply.
        """
        query = (
            "SELECT count(*) FROM events "
            "WHERE kind != 'photo.stored' AND event_id NOT IN (SELECT answers FROM deliveries)"
        )
        has_events = "SELECT 1 FROM sqlite_master WHERE name = 'deliveries'"
        return int(self.read(query)[0][0]) if self.seen.exists() and self.read(has_events) else 0

    @property
    def seen(self) -> Path:
        """The journal, as it is found from here."""
        return self.journal

    def read(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the journal's file, as anybody can."""
        with closing(sqlite3.connect(f"file:{self.seen}?mode=ro", uri=True)) as connection:
            return connection.execute(query).fetchall()

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run another of its commands on the same journal."""
        return subprocess.run(
            [self.executable, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )


class Posted(Holdfast):
    """The same bot, posted to: it tells the sandbox where before it starts."""

    def __init__(self, folder: Path, url: str, port: int) -> None:
        """Listen on a port of this machine."""
        super().__init__(folder, url, "--webhook", "--port", str(port))
        self.settings |= {
            "TELEGRAM_WEBHOOK_URL": f"http://127.0.0.1:{port}/",
            "TELEGRAM_WEBHOOK_SECRET": "a-secret-that-nobody-knows",
        }

    def start(self) -> None:
        """Set the webhook, and begin a life."""
        assert self.command("webhook", "set").returncode == 0
        super().start()


class StockBot(Program):
    """A bot as python-telegram-bot's own examples are written."""

    def __init__(self, folder: Path, url: str) -> None:
        """Keep its pickle and the record of what it handled in the folder."""
        self.handled = folder / "handled.txt"
        script = Path(__file__).with_name("stock_bot.py")
        command = [sys.executable, str(script), TOKEN, url, str(folder / "stock.pickle"), str(self.handled)]
        super().__init__("stock", command, folder)


class Calls(msgspec.Struct, frozen=True):
    """A page of the sandbox's record of calls, and the number of the last there is."""

    lines: list[Call]
    last: int


async def calls_so_far(control: Control) -> int:
    """Count the calls that bots have made."""
    return (await control.get("/calls", Calls, after=2**53)).last


async def speaks(control: Control, program: Program, after: int) -> None:
    """Wait until a bot has called a method since its start. A poll does not tell: it may be its former life's."""
    loop = asyncio.get_running_loop()
    end = loop.time() + PATIENCE
    while all(call.method == "getUpdates" for call in (await control.get("/calls", Calls, after=after)).lines):
        if loop.time() > end:
            raise TookTooLong(f"the bot calls no method; it said last:\n{program.said()[-2000:]}")
        await asyncio.sleep(1 / LOOKS_PER_SECOND)

"""`holdfast chat`: the same engine in a terminal."""

import asyncio
import sys
import threading
from pathlib import Path

from holdfast.cli import wiring
from holdfast.cli.plain import buttons, shown
from holdfast.domain.event import Said
from holdfast.domain.ids import thread_of
from holdfast.domain.inbound import Inbound
from holdfast.domain.screen import Screen
from holdfast.engine.owed import OwedReplies
from holdfast.infrastructure.clock import SystemClock
from holdfast.infrastructure.settings import Settings

JOURNAL = Path("data/chat.db")
_PERSON = 1
_BEGINNING = 1_700_000_000_000_000
"""Microseconds; inputs are numbered by the milliseconds since then, which fit beside the epoch."""

_HINT = "Type your answer; #2 taps the second button; Ctrl-D leaves, and next time you go on where you were.\n"


class Terminal:
    """Shows screens on standard output, and remembers the buttons shown last."""

    def __init__(self) -> None:
        """Begin with nothing shown."""
        self.last = Screen(text="")

    async def send(self, _chat_id: int, screen: Screen, _replaces: int = 0) -> int:
        """Show a screen."""
        self.last = screen
        sys.stdout.write(f"\n{shown(screen)}\n")
        sys.stdout.flush()
        return 0

    def parts(self, screen: Screen) -> tuple[Screen, ...]:
        """A terminal takes a screen of any length."""
        return (screen,)

    async def acknowledge(self, _callback_id: str) -> None:
        """A terminal has no spinner to stop."""

    def understand(self, line: str) -> tuple[str, str]:
        """Tell a typed text from a tap: `#2` is the second button of the last screen."""
        choices = buttons(self.last)
        number = line.removeprefix("#")
        if line.startswith("#") and number.isascii() and number.isdigit() and 0 < int(number) <= len(choices):
            return "tap", choices[int(number) - 1].data
        return "text", line


class Lines:
    """Lines typed, read in a thread that nobody waits for: Ctrl-C ends the chat also while it waits for one."""

    def __init__(self) -> None:
        """Begin to read when a line is asked for."""
        self._wanted = threading.Semaphore(0)
        self._typed: asyncio.Queue[str] = asyncio.Queue(1)
        self._loop = asyncio.get_running_loop()
        threading.Thread(target=self._read, name="lines", daemon=True).start()

    async def next(self) -> str:
        """Ask for a line; empty when the input has ended."""
        sys.stdout.write("\n> ")
        sys.stdout.flush()
        self._wanted.release()
        return await self._typed.get()

    def _read(self) -> None:
        while self._wanted.acquire():
            line = sys.stdin.readline()
            self._loop.call_soon_threadsafe(self._typed.put_nowait, line)


async def chat(settings: Settings, journal: Path) -> None:
    """Chat until the input ends."""
    terminal = Terminal()
    async with wiring.running(settings.alone(journal), 0, terminal) as bot:
        sys.stdout.write(_HINT)
        if not await OwedReplies(bot.flows, bot.log, bot.sender, bot.log.leases, SystemClock()).resume():
            await _take(bot, "text", "/start")
        await bot.sender.settle()
        lines = Lines()
        while line := await lines.next():
            await _take(bot, *terminal.understand(line.rstrip("\n")))
            await bot.sender.settle()


async def _take(bot: wiring.Bot, kind: str, text: str) -> None:
    now = SystemClock().now()
    said = Said(type=kind, user_id=_PERSON, chat_id=_PERSON, message_id=now, text=text)
    await bot.turns.take(
        Inbound(
            thread_id=thread_of("terminal", 0, _PERSON),
            dedup_key=f"terminal:{now}",
            order=await bot.orders.of((now - _BEGINNING) // 1000, now),
            occurred_at=now,
            received_at=now,
            said=said,
        )
    )

"""One storm from its beginning to what came of it, over either bot."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from holdfast.sandbox.client import Control, NotSeen
from holdfast.sandbox.sight import from_bot, text_of
from tests.chaos.evidence import (
    Findings,
    judge_inputs,
    judge_machines,
    judge_places,
    judge_replies,
)
from tests.chaos.processes import Holdfast, Sandbox, StockBot, TookTooLong, until
from tests.chaos.storm import MOMENTS, Blow, Storm, Trouble, kill

WHOLE_CHAT = 1_000_000
COMPLAINT = re.compile(r"^(?:Traceback.*|\S+ \S+ ERROR .*)$", re.MULTILINE)


@dataclass(frozen=True)
class Outcome:
    """What came of a storm over Holdfast."""

    storm: Storm
    findings: Findings
    status: int
    faults: Counter[str]


@dataclass(frozen=True)
class StockOutcome:
    """What came of a storm over the stock bot."""

    storm: Storm
    inputs: int
    handled: int
    replies: int
    saved: int

    @property
    def lost(self) -> int:
        """How many inputs no handler ever had."""
        return self.inputs - self.handled


async def at_once(_bot: Holdfast) -> None:
    """Wait for nothing more."""


async def over_holdfast(  # noqa: PLR0913 - what a storm is made of
    folder: Path,
    seed: int,
    blows: int,
    blow: Blow = kill,
    moments: dict[str, int] = MOMENTS,
    *,
    rest: Callable[[Holdfast], Awaitable[None]] = at_once,
    troubles: tuple[Trouble, ...] = (),
    **settings: str,
) -> Outcome:
    """Let a storm pass over our bot, let everything settle, and read what is there."""
    with Sandbox(folder) as sandbox:
        url = await sandbox.ready()
        with Holdfast(folder, url) as bot:
            bot.settings |= settings
            async with Control(url) as control:
                storm = Storm(control, bot, seed, blows, blow, moments, troubles=troubles)
                await storm.pass_over()
                await _settle(storm, bot)
                await rest(bot)
                findings = await _examine(storm, bot)
                faults = Counter(call.fault for call in await control.calls() if call.fault)
                return Outcome(storm, findings, await bot.stop(), faults)


async def _settle(storm: Storm, bot: Holdfast) -> None:
    """Let the bot come to rest; if it can't, the findings tell more of it than a time-out would."""
    with suppress(NotSeen, TookTooLong):
        await storm.control.all_confirmed()
        await until(lambda: bot.owed() == 0, "all replies are delivered")


async def _examine(storm: Storm, bot: Holdfast) -> Findings:
    findings = Findings()
    lines = await _export(findings, bot)
    inputs = await storm.control.inputs()
    taps = {update: query for one in storm.people for update, query in one.diary.taps.items()}
    judge_inputs(findings, inputs, taps, lines)
    judge_machines(findings, storm.people, bot)
    judge_places(findings, storm.people, bot)
    for one in storm.people:
        sight = await storm.control.sight(one.person.id, last=WHOLE_CHAT)
        judge_replies(findings, one, sight, lines, bot)
    for command, trouble in (("log verify", "problems"), ("rebuild", "differences")):
        done = await asyncio.to_thread(bot.command, *command.split(), "--json")
        if done.returncode or json.loads(done.stdout)[trouble]:
            findings.failures.append(f"{command} ends with {done.returncode}: {done.stdout[-2000:]}{done.stderr}")
    findings.failures += [f"the bot wrote: {line}" for line in COMPLAINT.findall(bot.said())]
    return findings


async def _export(findings: Findings, bot: Holdfast) -> list[dict[str, object]]:
    done = await asyncio.to_thread(bot.command, "log", "export")
    if done.returncode:
        findings.failures.append(f"log export ends with {done.returncode}: {done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()]


async def over_stock_bot(folder: Path, seed: int, blows: int) -> StockOutcome:
    """Let the same storm pass over the stock bot, and count what came as far as a handler."""
    with Sandbox(folder) as sandbox:
        url = await sandbox.ready()
        with StockBot(folder, url) as bot:
            async with Control(url) as control:
                storm = Storm(control, bot, seed, blows, trusting=False)
                await storm.pass_over()
                await control.all_confirmed()
                # It ends only when it has emptied its queue.
                await bot.stop()
                inputs = {one.update_id for one in await control.inputs()}
                handled = {int(line) for line in bot.handled.read_text().split()}
                chats = [await control.sight(one.person.id, last=WHOLE_CHAT) for one in storm.people]
                replies = [text_of(message) for chat in chats for message in from_bot(chat)]
                saved = sum(text.startswith("Saved") for text in replies)
                return StockOutcome(storm, len(inputs), len(inputs & handled), len(replies), saved)


def share_sent_twice(ours: Outcome) -> str:
    """Tell how many messages were sent twice, of how many, and what was done to them."""
    found = ours.findings
    told = ", ".join(f"{count} x {kind}" for kind, count in sorted(ours.faults.items()))
    return (
        f"Seed {ours.storm.seed} (HOLDFAST_SEED): {found.replies_shown} messages of the bot through {ours.storm.blows} "
        f"ends ({sum(ours.storm.owed)} replies owed at these) and {told or 'no faults'}: "
        f"{found.replies_twice} sent twice ({found.replies_twice / max(found.replies_shown, 1):.2%})"
    )


def table(ours: Outcome, stock: StockOutcome) -> str:
    """Lay the figures of both bots side by side."""
    found = ours.findings
    rows: list[tuple[str, object, object]] = [
        ("", "Holdfast", "python-telegram-bot"),
        ("kills (SIGKILL)", ours.storm.blows, stock.storm.blows),
        ("inputs in flight at the kills", sum(ours.storm.in_flight), sum(stock.storm.in_flight)),
        ("replies owed at the kills", sum(ours.storm.owed), "-"),
        ("inputs sent", found.inputs, stock.inputs),
        ("inputs lost", len(found.lost), stock.lost),
        ("inputs out of order", len(found.misordered), "-"),
        ("inputs taken in twice", len(found.doubled), "-"),
        ("further copies in the log", found.copies, "-"),
        ("updates delivered again on purpose", ours.storm.repeated, "-"),
        ("replies sent twice", found.replies_twice, "-"),
        ("machines confirmed", found.confirmed, stock.saved),
        ("machines found", found.found, "-"),
    ]
    head = f"Seed {ours.storm.seed} (HOLDFAST_SEED)"
    return "\n".join([head, *(f"{name:36}{one!s:>10}{other!s:>22}" for name, one, other in rows)])

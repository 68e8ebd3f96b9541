"""A hundred thousand timers at one moment: bounded memory, the pace that Telegram allows, each once, none lost."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from holdfast.domain.drafts import place_of, started
from holdfast.domain.evolve import evolve
from holdfast.domain.kinds import Kind
from holdfast.domain.ports import Head, Turn
from holdfast.domain.screen import Screen
from holdfast.domain.state import ThreadState
from holdfast.engine.owed import OwedReplies
from holdfast.engine.pacing import Pacing
from holdfast.engine.presence import Presence
from holdfast.engine.sender import Sender
from holdfast.engine.sweeper import Sweeper
from holdfast.engine.turns import Turns
from holdfast.infrastructure.clock import system_randomness
from holdfast.infrastructure.log.event_log import EventLog
from holdfast.infrastructure.log.journal import SqliteJournal
from holdfast.projections.fold import fold_of
from tests.conformance.clocks import Dice
from tests.conformance.scribe import BOT, codec, inbound, thread
from tests.engine.fakes import FLOWS, survey
from tests.engine.virtual import VirtualClock

FIRST, TOGETHER = 1000, 500
DAY = 24 * 3600.0
GROWS_BY = 150
"""Megabytes that the process may grow by, however many timers there are."""


class Telegram:
    """Counts the messages that reach it, by the second."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self.seconds: Counter[int] = Counter()
        self.chats: Counter[int] = Counter()

    async def send(self, chat_id: int, screen: Screen, replaces: int = 0) -> int:
        assert "closed" in screen.text
        assert replaces == 0
        self.seconds[int(self._clock.seconds)] += 1
        self.chats[chat_id] += 1
        return len(self.chats)

    async def acknowledge(self, callback_id: str) -> None:
        raise AssertionError(callback_id)

    def parts(self, screen: Screen) -> tuple[Screen, ...]:
        return (screen,)


def megabytes() -> float:
    """Give what the process holds of memory at this moment."""
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


async def begin(log: EventLog, person: int) -> None:
    """Write that somebody has begun; what they were told then is no matter here."""
    given, nobody = inbound(1, "/survey", person=person), ThreadState(user_id=person, chat_id=person)
    draft = started(place_of(FLOWS, nobody, given), survey)
    minted = log.mint(given, Head(), draft)
    after = evolve(nobody, minted.event)
    turn = Turn(
        thread_id=given.thread_id,
        expected=Head(),
        minted=minted,
        rows=fold_of(FLOWS)(nobody, after, minted.event),
        owes_reply=False,
        last_conversation_id=draft.conversation_id,
    )
    await log.append(turn)


async def fire_at_once(folder: Path, people: int) -> tuple[Telegram, float]:
    """Let so many people's conversations run out at one moment; give what reached Telegram, and the growth in MB."""
    clock, presence = VirtualClock(), Presence(patience=1 << 60)
    log = EventLog(SqliteJournal(folder / "many.db", clock, system_randomness), codec(), clock, Dice())
    await log.open(BOT)
    telegram = Telegram(clock)
    sender = Sender(log, telegram, clock, pacing=Pacing(clock))
    turns = Turns(FLOWS, fold_of(FLOWS), log, sender, presence)
    for first in range(0, people, TOGETHER):
        await asyncio.gather(*(begin(log, FIRST + n) for n in range(first, min(first + TOGETHER, people))))
    clock.advance(DAY + 3600)
    presence.here(clock.now())
    sweeper = Sweeper(FLOWS, log, turns, presence, clock=clock, thread_of=thread)
    before, most = megabytes(), 0.0
    owed = OwedReplies(FLOWS, log, sender, log.leases, clock)
    tasks = [asyncio.create_task(sweeper.run()), asyncio.create_task(owed.run())]
    while len(telegram.chats) < people:
        for _ in range(20):
            await asyncio.sleep(0)
        most = max(most, megabytes())
        if not clock.wake_next():
            await asyncio.sleep(0.001)
    await sender.settle()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    kinds = Counter([one.kind for n in range(0, people, 97) for one in await log.history(thread(FIRST + n))])
    assert kinds[Kind.STARTED] == kinds[Kind.EXPIRED] == len(range(0, people, 97))
    await sender.close()
    await log.close()
    return telegram, most - before


def check(telegram: Telegram, grown: float, people: int) -> None:
    """Everybody was told once, no second had more than the pace and a burst, and memory stayed within its bound."""
    print(f"{people} timers: {grown:.0f} MB more, {max(telegram.seconds.values())} messages in the fullest second")  # noqa: T201
    assert set(telegram.chats.values()) == {1}
    assert len(telegram.chats) == people
    assert max(telegram.seconds.values()) <= 40
    assert grown < GROWS_BY


async def test_hundreds_at_once_go_out_at_the_pace_that_is_allowed(tmp_path: Path) -> None:
    """More timers than the sender holds are each told once, thirty a second."""
    check(*await fire_at_once(tmp_path, 600), 600)


@pytest.mark.torture
async def test_a_hundred_thousand_at_once(tmp_path: Path) -> None:
    """All that are due at one moment fire in bounded memory and within the send limits, each once."""
    check(*await fire_at_once(tmp_path, 100_000), 100_000)

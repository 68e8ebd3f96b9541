"""`holdfast drill`: cut each tier in turn under traffic of its own, and see that nothing is lost."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

from holdfast.cli import logs, wiring
from holdfast.cli.proxy import Proxy
from holdfast.cli.verify_tiers import verify
from holdfast.domain.errors import LogUnavailable, SettingsError
from holdfast.domain.event import Said
from holdfast.domain.ids import thread_of
from holdfast.domain.inbound import Inbound
from holdfast.domain.screen import Screen
from holdfast.infrastructure.clock import SystemClock
from holdfast.infrastructure.log.journal_tail import JournalTail
from holdfast.infrastructure.settings import Settings
from holdfast.infrastructure.tiers.comparison import Side
from holdfast.infrastructure.tiers.postgres_migrations import migrate
from holdfast.infrastructure.tiers.store import Table
from holdfast.infrastructure.tiers.survey import survey
from holdfast.infrastructure.tiers.view import TierView

BOT = 1
"""The drill's own bot; Telegram gives no bot this number."""
_PEOPLE = range(1, 9)
_WITHIN = 20.0
_LONGEST = 120.0
_PAUSE = 0.02


class Cut(Struct, frozen=True, kw_only=True):
    """One tier cut off and brought back; times in milliseconds.

    `first_turn_ms` is from the cut to the end of the first turn that began after it, `longest_turn_ms` the longest turn
    while it was cut, `merged_ms` from the healing until the tier held everything; None when it did not in two minutes.
    """

    tier: str
    turns: int
    refused: int
    first_turn_ms: float | None
    longest_turn_ms: float | None
    merged_ms: float | None


class DrillReport(Struct, frozen=True, kw_only=True):
    """What the drill found: `lost` are turns that were accepted and that a tier does not hold at the end."""

    ok: bool
    accepted: int
    refused: int
    lost: int
    equal: bool
    cuts: list[Cut]


class _Silent:
    """A messenger that shows nobody anything."""

    def __init__(self) -> None:
        self._numbers = count(1)

    async def send(self, _chat_id: int, _screen: Screen, _replaces: int = 0) -> int:
        """Number a message."""
        return next(self._numbers)

    def parts(self, screen: Screen) -> tuple[Screen, ...]:
        """Show all at once."""
        return (screen,)

    async def acknowledge(self, callback_id: str) -> None:
        """Do nothing."""


class _Turn(Struct, frozen=True):
    begun: float
    ended: float
    accepted: bool


class _Traffic:
    """A few people who never stop talking, each one turn at a time."""

    def __init__(self, bot: wiring.Bot) -> None:
        self._bot = bot
        self._flows = False
        self._clock = SystemClock()
        self._updates = count(self._clock.now() // 1000 % (1 << 38))
        self.turns: list[_Turn] = []
        self.accepted: set[str] = set()

    @asynccontextmanager
    async def flowing(self) -> AsyncIterator[None]:
        """Let them talk meanwhile; at the end each finishes the turn it is in."""
        self._flows = True
        async with asyncio.TaskGroup() as group:
            for person in _PEOPLE:
                group.create_task(self._talk(person))
            try:
                yield
            finally:
                self._flows = False

    async def _talk(self, person: int) -> None:
        while self._flows:
            await self._say(person)
            await asyncio.sleep(_PAUSE)

    async def _say(self, person: int) -> None:
        loop, update, now = asyncio.get_running_loop(), next(self._updates), self._clock.now()
        said = Said(type="text", user_id=person, chat_id=person, update_id=update, message_id=update, text="drill")
        key = f"tg:{BOT}:{update}:{person}:{update}"
        inbound = Inbound(
            thread_id=thread_of("telegram", BOT, person),
            dedup_key=key,
            order=await self._bot.orders.of(update, now),
            occurred_at=now,
            received_at=now,
            said=said,
        )
        begun = loop.time()
        try:
            await self._bot.turns.take(inbound)
        except LogUnavailable:
            self.turns.append(_Turn(begun, loop.time(), accepted=False))
            return
        self.accepted.add(key)
        self.turns.append(_Turn(begun, loop.time(), accepted=True))


async def drill(settings: Settings, variable: str, seconds: float) -> DrillReport:
    """Drill with the tiers that an environment variable names, each cut for so many seconds.

    SettingsError when it names none, or a database that is not the drill's: one with a log of somebody in it.
    """
    if not os.environ.get(variable):
        raise SettingsError(f"{variable} names no tiers; set it to name=dsn of empty databases made for the drill")
    own = settings.on(os.environ[variable])
    named = own.tiers()
    logs.set_up(*own.secrets())
    for name, dsn in named:
        await _make_ready(name, dsn)
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="holdfast-drill-")))
        doors = {name: await stack.enter_async_context(Proxy(*_target(name, dsn))) for name, dsn in named}
        shown = " ".join(f"{name}={_through(dsn, doors[name].port)}" for name, dsn in named)
        mine = settings.alone(folder / "drill.db").on(shown)
        async with wiring.running(mine, BOT, _Silent()) as bot:
            traffic = _Traffic(bot)
            views = [await stack.enter_async_context(_view(name, dsn)) for name, dsn in named]
            tail = await stack.enter_async_context(_tail(mine.holdfast_journal))
            cuts = [await _cut(traffic, name, door, seconds, (tail, *views)) for name, door in doors.items()]
            found = await verify(mine, mine.holdfast_journal)
            lost = sum([await _lost(view, traffic.accepted) for view in views])
    refused = sum(not turn.accepted for turn in traffic.turns)
    ok = not lost and found.equal and all(cut.merged_ms is not None for cut in cuts)
    accepted = len(traffic.accepted)
    return DrillReport(ok=ok, accepted=accepted, refused=refused, lost=lost, equal=found.equal, cuts=cuts)


async def _make_ready(name: str, dsn: str) -> None:
    """Refuse a database with somebody's log, and migrate an empty one."""
    facts = (await survey(name, dsn, _WITHIN)).facts
    if facts is not None and (facts.bot_id not in (None, BOT) or (facts.bot_id is None and facts.events)):
        raise SettingsError(
            f"the tier {name} holds the log of the bot {facts.bot_id}; a drill wants a database of its own"
        )
    await migrate(dsn, _WITHIN)


def _target(name: str, dsn: str) -> tuple[str, int]:
    parts = urlsplit(dsn)
    if not parts.hostname or "," in parts.netloc:
        raise SettingsError(f"the tier {name} must name one host in its address, for a drill")
    return parts.hostname, parts.port or 5432


def _through(dsn: str, port: int) -> str:
    parts = urlsplit(dsn)
    login, _, _ = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{login}@127.0.0.1:{port}").geturl()


@asynccontextmanager
async def _view(name: str, dsn: str) -> AsyncIterator[TierView]:
    """Look at a tier at its own address, past the door."""
    view = TierView(name, dsn, _WITHIN)
    try:
        await view.open()
        yield view
    finally:
        view.close()


@asynccontextmanager
async def _tail(path: Path) -> AsyncIterator[JournalTail]:
    tail = JournalTail(path)
    try:
        yield tail
    finally:
        await tail.close()


async def _cut(traffic: _Traffic, name: str, door: Proxy, seconds: float, sides: Sequence[Side]) -> Cut:
    loop = asyncio.get_running_loop()
    before = len(traffic.turns)
    async with traffic.flowing():
        await asyncio.sleep(seconds)
        await door.cut()
        cut = loop.time()
        await asyncio.sleep(seconds)
    await door.heal()
    merged = await _merged(sides, loop.time())
    turns = traffic.turns[before:]
    after = [turn for turn in turns if turn.begun >= cut and turn.accepted]
    return Cut(
        tier=name,
        turns=len(turns),
        refused=sum(not turn.accepted for turn in turns),
        first_turn_ms=_ms(min((turn.ended for turn in after), default=None), cut),
        longest_turn_ms=max((round((one.ended - one.begun) * 1000, 1) for one in after), default=None),
        merged_ms=_ms(merged, 0.0),
    )


def _ms(end: float | None, begin: float) -> float | None:
    return None if end is None else round((end - begin) * 1000, 1)


async def _merged(sides: Sequence[Side], healed: float) -> float | None:
    """Give the seconds until all sides are alike; None after two minutes."""
    loop = asyncio.get_running_loop()
    tables: tuple[Table, ...] = ("events", "deliveries")
    while loop.time() < healed + _LONGEST:
        first, *others = [[await side.digest(of, 0) for of in tables] for side in sides]
        if all(other == first for other in others):
            return loop.time() - healed
        await asyncio.sleep(_PAUSE)
    return None


async def _lost(view: TierView, accepted: set[str]) -> int:
    """Count what a tier lacks of what was accepted."""
    found = await view.slice([thread_of("telegram", BOT, person) for person in _PEOPLE])
    return len(accepted - {record.dedup_key for records in found.threads.values() for record in records})

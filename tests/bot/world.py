"""The bot's edge over the real engine and a journal, with people who send anything; and all that must hold of it."""

import asyncio
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random

from holdfast.bot.intake import Intake, dedup_key
from holdfast.domain.event import Event
from holdfast.domain.flow import Flows
from holdfast.domain.ids import thread_of
from holdfast.domain.machine_flows import MACHINE_FLOWS
from holdfast.domain.screen import Screen
from holdfast.engine.gate import Gate
from holdfast.engine.orders import Orders
from holdfast.engine.sender import Sender
from holdfast.engine.turns import Turns
from holdfast.infrastructure.log.codec import Codec
from holdfast.infrastructure.log.event_log import EventLog
from holdfast.infrastructure.log.keys import Keyring
from holdfast.infrastructure.log.stores import JournalStore
from holdfast.infrastructure.log.verify import Verifier
from holdfast.projections.fold import TABLES, fold_of, rows_of
from tests.bot.fuzz import MARKS, NOBODY, Made, Maker, heard, read, spoken
from tests.conformance.clocks import NOON, Dice
from tests.domain.reading import fault

BOT = 7
PATIENCE = 120.0
"""Seconds a batch may take before it counts as one that never returns."""

_FLOWS = Flows(MACHINE_FLOWS)
_CODEC = Codec(Keyring(None, bytes))
_SLIP = re.compile(r"Traceback|Exception|\b[A-Z]\w+Error\b|pydantic|msgspec|sqlite|\.py\b|/site-packages/|line \d+, in")
_APOLOGY = "something went wrong on my side"


class Ticking:
    """A clock that goes on by a little at each look."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._now = NOON

    def now(self) -> int:
        self._now += self._random.randrange(400_000)
        return self._now

    def seconds(self) -> int:
        return self._now // 1_000_000

    def turn(self, seconds: int) -> None:
        self._now += seconds * 1_000_000

    async def sleep(self, seconds: float) -> None:
        self._now += round(seconds * 1_000_000)
        await asyncio.sleep(0)


@dataclass
class Screens:
    """A messenger that keeps what it shows, and tells the maker of updates."""

    maker: Maker
    shown: list[tuple[int, Screen]] = field(default_factory=list)

    async def send(self, chat_id: int, screen: Screen, replaces: int = 0) -> int:
        await asyncio.sleep(0)
        self.shown.append((chat_id, screen))
        message_id = replaces or 1_000_000 + len(self.shown)
        self.maker.shown(chat_id, message_id, screen)
        return message_id

    def parts(self, screen: Screen) -> tuple[Screen, ...]:
        return (screen,)

    async def acknowledge(self, callback_id: str) -> None:
        return None


class World:
    """A bot, its journal, and the people around it. Whatever happens follows from the seed."""

    def __init__(self, journal: JournalStore, seed: int) -> None:
        self.random = Random(seed)
        self.clock = Ticking(self.random)
        self.maker = Maker(self.random, self.clock.seconds)
        self.screens = Screens(self.maker)
        self.taken: list[Made] = []
        self._journal = journal
        self._dice = Dice(seed)
        self._held: list[Made] = []
        self._before = 0

    async def open(self) -> None:
        """Start the bot; also over what an earlier one left."""
        self.log = EventLog(self._journal, _CODEC, self.clock, self._dice)
        opened = await self.log.open(BOT)
        epoch = int(opened.meta.get("update_epoch", "0"))
        orders = Orders(self.log, epoch, opened.last_ots, opened.last_received_at)
        self.sender = Sender(self.log, self.screens, self.clock)
        turns = Turns(_FLOWS, fold_of(_FLOWS), self.log, self.sender)
        gate = Gate(frozenset(), frozenset())
        self.intake = Intake(BOT, turns, self.log, orders=orders, gate=gate, clock=self.clock)

    async def close(self) -> None:
        """Stop the bot, once it has said all."""
        await self.sender.settle()
        await self.log.close()

    async def live(self, inputs: int) -> None:
        """Take in so many updates, batch by batch, with redeliveries, late ones, pauses and restarts."""
        while len(self.taken) < inputs:
            size = self.random.randint(1, self.random.choice((2, 5, 20, 100)))
            await self.take(self._batch(min(size, inputs - len(self.taken))))
            chance = self.random.random()
            if chance < 0.06:
                await self.close()
                await self.open()
            elif chance < 0.1:
                self.clock.turn(self.random.choice((3600, 25 * 3600)))
            elif chance < 0.11:
                await self._silent_week()
        await self.take(self._held)

    async def _silent_week(self) -> None:
        """Let Telegram count anew, as it may after a week; by then it has given up what it had not delivered."""
        await self.take(self._held)
        self._held, self._before = [], len(self.taken)
        self.clock.turn(8 * 24 * 3600)
        self.maker.number = self.random.randrange(10**8)

    def _batch(self, size: int) -> list[Made]:
        """Make new updates; some come later than they should, and some that came before come again."""
        batch: list[Made] = []
        late = self._held
        self._held = []
        for made in (self.maker.make() for _ in range(size)):
            (self._held if self.random.random() < 0.03 else batch).append(made)
        batch += late
        before = self.taken[self._before :][-300:]
        if before and self.random.random() < 0.5:
            batch += [self.random.choice(before) for _ in range(self.random.randint(1, 5))]
        if self.random.random() < 0.2:
            self.random.shuffle(batch)
        return batch

    async def take(self, batch: Iterable[Made]) -> None:
        """Hand a batch to the intake, and wait until all is answered."""
        made = list(batch)
        async with asyncio.timeout(PATIENCE):
            await self.intake.take([one.raw for one in made])
            await self.sender.settle()
        self.taken += made

    async def events(self) -> dict[bytes, list[Event]]:
        """Read every thread."""
        return {thread_id: list(await self.log.history(thread_id)) async for thread_id in self._journal.threads()}

    async def faults(self) -> list[str]:
        """Say all that does not hold; each with what it was found in."""
        events = await self.events()
        verdict = await Verifier(self._journal, _CODEC).verify()
        owed = [thread.thread_id.hex() async for thread in self.log.owed()]
        return [
            *(f"verify: {problem}" for problem in verdict.problems),
            *(f"owed: {thread}" for thread in owed),
            *await self._lost(events),
            *self._strange_screens(),
            *_strangers(events),
            *await self._other_rows(events),
        ]

    async def _lost(self, events: dict[bytes, list[Event]]) -> list[str]:
        """Find the updates that are neither one event nor in quarantine, or both."""
        aside = {one.raw for one in await self.log.set_aside()}
        counts: dict[str, list[Event]] = {}
        for event in (one for thread in events.values() for one in thread):
            counts.setdefault(event.dedup_key, []).append(event)
        faults = [f"{len(many)} events are one input {key}" for key, many in counts.items() if len(many) > 1]
        texts: dict[str, set[str]] = {}
        for made in {made.raw: made for made in self.taken}.values():
            key = _key(made.raw)
            if made.sound and key not in counts:
                faults.append(f"was sound, and is no event: {made.raw[:300]!r}")
            if (key in counts) == (made.raw in aside):
                faults.append(f"{'is both' if key in counts else 'is lost'}: {made.raw[:300]!r}")
            texts.setdefault(key, set()).add(_text(made.raw))
        return faults + [
            f"{key} says {said.text[:80]!r}, not {texts.get(key)}"
            for key, (event, *_) in counts.items()
            if event.words and (said := event.words.said) and said.text not in texts.get(key, {said.text})
        ]

    def _strange_screens(self) -> list[str]:
        faults = []
        for chat_id, screen in self.screens.shown:
            told = f"{screen.text}\n{screen.keyboard}\n{screen.photo}"
            if strange := fault(screen):
                faults.append(f"{strange}: {told[:300]}")
            if _SLIP.search(told) or _APOLOGY in told:
                faults.append(f"shows an error: {told[:300]}")
            if others := set(MARKS.findall(told)) - {str(chat_id), NOBODY}:
                faults.append(f"{chat_id} reads what {others} wrote: {told[:300]}")
        return faults

    async def _other_rows(self, events: dict[bytes, list[Event]]) -> list[str]:
        """Find the rows that a rebuild would not write as they stand."""
        rebuilt = [rows_of(_FLOWS, thread) for thread in events.values()]
        wanted = {name: row for rows in rebuilt for name, row in rows.items()}
        stands = {(table, row.key): row for table in TABLES for row in await self._journal.rows(table)}
        faults = [f"two threads write {len(wanted)} rows"] if len(wanted) != sum(map(len, rebuilt)) else []
        return faults + [
            f"{name} stands as {stands.get(name)}, rebuilt as {wanted.get(name)}"
            for name in {*wanted, *stands}
            if wanted.get(name) != stands.get(name)
        ]


def _strangers(events: dict[bytes, list[Event]]) -> list[str]:
    """Find what stands in a thread it does not belong to."""
    faults = []
    for thread_id, thread in events.items():
        for event in thread:
            said = event.words.said if event.words else None
            if said is None:
                continue
            home = ("telegram-group", said.chat_id) if said.type == "group" else ("telegram", said.user_id)
            if thread_of(home[0], BOT, home[1]) != thread_id or (
                home[0] == "telegram" and said.chat_id != said.user_id
            ):
                faults.append(f"{said.user_id} in {said.chat_id} stands in another's thread")
            if others := set(MARKS.findall(f"{event.words}")) - {str(said.user_id), NOBODY}:
                faults.append(f"the words of {others} stand in the thread of {said.user_id}")
            if event.facts.rule == "failed":
                faults.append(f"failed: {said}"[:300])
    return faults


def _key(raw: bytes) -> str:
    """Name the input an update is; empty when it is none."""
    said = heard(raw)
    return dedup_key(BOT, said) if said else ""


def _text(raw: bytes) -> str:
    """Read with the standard library alone, where it can, what an update says."""
    tree = read(raw)
    if tree is None:
        said = heard(raw)
        return said.text if said else ""
    words = (spoken(tree).get(name) for name in ("text", "caption", "data"))
    return next((text for text in words if isinstance(text, str)), "")

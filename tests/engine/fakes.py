"""The engine over a journal in memory, with a messenger that is told what happens to each message."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated

from msgspec.structs import replace
from pydantic import AfterValidator

from holdfast.domain.event import Draft, Event, Said
from holdfast.domain.flow import Flow, Flows, Step
from holdfast.domain.ids import EventId, OriginId, ThreadId
from holdfast.domain.inbound import Inbound
from holdfast.domain.machine_flows import add_machine
from holdfast.domain.ports import (
    Delivery,
    Due,
    Head,
    Held,
    Loaded,
    Log,
    Minted,
    Owed,
    Quarantined,
    Receipt,
    Turn,
    Waiting,
    WantedPhoto,
)
from holdfast.domain.screen import Screen
from holdfast.engine.owed import OwedReplies
from holdfast.engine.presence import Presence
from holdfast.engine.reply import Reply
from holdfast.engine.sender import Sender
from holdfast.engine.turns import Turns
from holdfast.infrastructure.log.event_log import EventLog
from holdfast.infrastructure.log.memory import MemoryJournal
from holdfast.infrastructure.log.stores import JournalStore
from holdfast.projections.fold import fold_of
from tests.conformance.clocks import Dice, StandingClock
from tests.conformance.scribe import ADA, BOT, codec, inbound, thread

SLIP = "the validator's own secret slip"


def _slips(text: str) -> str:
    if text == "slip":
        raise RuntimeError(SLIP)
    return text


survey = Flow(
    name="survey",
    command="survey",
    title="A survey",
    steps=(Step(name="mood", prompt="How are you?", type=Annotated[str, AfterValidator(_slips)]),),
)
FLOWS = Flows([add_machine, survey])


class Messages:
    """A messenger that keeps what it shows, and fails as it is told."""

    def __init__(self, clock: StandingClock) -> None:
        self._clock = clock
        self.shown: list[tuple[int, Screen]] = []
        self.acknowledged: list[str] = []
        self.faults: list[Exception] = []
        self.fails_after = 0
        self.faults_of: dict[int, Exception] = {}
        self.gates: dict[int, asyncio.Event] = {}
        self.divided: dict[str, tuple[Screen, ...]] = {}
        self.at_once = 0
        self.most_at_once = 0

    async def send(self, chat_id: int, screen: Screen, replaces: int = 0) -> int:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(0)
            if gate := self.gates.get(chat_id):
                await gate.wait()
            if self.faults and len(self.shown) >= self.fails_after:
                raise self.faults.pop(0)
            if fault := self.faults_of.get(chat_id):
                raise fault
        finally:
            self.at_once -= 1
        self.shown.append((chat_id, screen))
        return 100 + len(self.shown)

    def parts(self, screen: Screen) -> tuple[Screen, ...]:
        return self.divided.get(screen.text, (screen,))

    async def acknowledge(self, callback_id: str) -> None:
        self.acknowledged.append(callback_id)

    def texts(self, chat_id: int = ADA) -> list[str]:
        """What one person has read."""
        return [screen.text for chat, screen in self.shown if chat == chat_id]

    def hold(self, chat_id: int = ADA) -> asyncio.Event:
        """Let nothing through to a person until the event is set."""
        return self.gates.setdefault(chat_id, asyncio.Event())


class Telling:
    """A log that passes everything on, and may be told to do something before an append or a record."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self.appends: list[Turn] = []
        self.recorded: list[Delivery] = []
        self.facts: dict[str, str] = {}
        self.debtors: set[ThreadId] = set()
        self.others: dict[EventId, OriginId] = {}
        self.loads = 0
        self.before_append: Callable[[Turn], None] = lambda _turn: None
        self.before_record: Callable[[Delivery], None] = lambda _delivery: None

    async def load(self, thread_id: ThreadId, inbound: Inbound) -> Loaded:
        self.loads += 1
        return await self._log.load(thread_id, inbound)

    async def copies(self, thread_id: ThreadId, dedup_key: str) -> tuple[Event, ...]:
        return await self._log.copies(thread_id, dedup_key)

    async def history(self, thread_id: ThreadId) -> tuple[Event, ...]:
        return await self._log.history(thread_id)

    def mint(self, inbound: Inbound, head: Head, draft: Draft) -> Minted:
        return self._log.mint(inbound, head, draft)

    async def append(self, turn: Turn) -> Receipt:
        self.appends.append(turn)
        self.before_append(turn)
        return await self._log.append(turn)

    async def learned(self) -> None:
        await self._log.learned()

    async def seen(self, at: int) -> int:
        return await self._log.seen(at)

    async def forked(self) -> frozenset[ThreadId]:
        return await self._log.forked()

    async def secure(self, thread_id: ThreadId) -> bool:
        return await self._log.secure(thread_id)

    async def record(self, delivery: Delivery) -> None:
        self.before_record(delivery)
        await self._log.record(delivery)
        self.recorded.append(delivery)

    async def delivered(self, event_id: EventId) -> bool:
        return await self._log.delivered(event_id)

    async def owed(self) -> AsyncIterator[Owed]:
        async for one in self._log.owed():
            yield self._with_others(one)

    def owes_elsewhere(self, thread_id: ThreadId) -> bool:
        return thread_id in self.debtors or self._log.owes_elsewhere(thread_id)

    async def owed_in(self, thread_id: ThreadId) -> Owed:
        return self._with_others(await self._log.owed_in(thread_id))

    def _with_others(self, owed: Owed) -> Owed:
        others = {one: origin for one, origin in self.others.items() if one in owed.event_ids}
        return replace(owed, others=owed.others | others)

    async def quarantine(self, item: Quarantined) -> None:
        await self._log.quarantine(item)

    async def event(self, event_id: EventId) -> Event | None:
        return await self._log.event(event_id)

    async def waiting(self, since: int, after: Waiting, at_most: int) -> list[Waiting]:
        return await self._log.waiting(since, after, at_most)

    async def due(self, until: int, after: Due | None, at_most: int) -> list[Due]:
        return await self._log.due(until, after, at_most)

    async def wrote_last(self, thread_id: ThreadId) -> bool:
        return await self._log.wrote_last(thread_id)

    async def threads_between(self, since: int, until: int, after: ThreadId, at_most: int) -> list[ThreadId]:
        return await self._log.threads_between(since, until, after, at_most)

    async def photos_wanted(self) -> list[EventId]:
        return await self._log.photos_wanted()

    async def photo_wanted(self, event_id: EventId) -> WantedPhoto | None:
        return await self._log.photo_wanted(event_id)

    async def keep(self, thread_id: ThreadId, digest: bytes, content: bytes) -> None:
        await self._log.keep(thread_id, digest, content)

    async def remember(self, name: str, value: str) -> None:
        self.facts[name] = value
        await self._log.remember(name, value)


class Shared:
    """Leases that are as they are told; at first there is nobody else."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.are_sure = False
        self.origins: set[OriginId] = set()
        self.held: list[Held] = []

    async def hold(self) -> Held:
        return self.held.pop(0) if self.held else Held()

    def answers_for(self, origin: OriginId) -> bool:
        return origin in self.origins


class House:
    """One running engine."""

    def __init__(self, journal: JournalStore, seed: int, flows: Flows, limits: dict[str, int]) -> None:
        self.clock = StandingClock()
        self.event_log = EventLog(journal, codec(), self.clock, Dice(seed))
        self.log = Telling(self.event_log)
        self.messages = Messages(self.clock)
        self.flows = flows
        self.leases = Shared()
        self.sender = Sender(self.log, self.messages, self.clock, leases=self.leases, pacing=None, **limits)
        self.presence = Presence()
        self.turns = Turns(flows, fold_of(flows), self.log, self.sender, self.presence)

    async def hear(self, *inputs: Inbound) -> None:
        """Take inputs in, one after the other, and let every reply be sent."""
        for one in inputs:
            await self.turns.take(one)
        await self.sender.settle()

    async def say(self, *texts: str, person: int = ADA, update: int = 0) -> None:
        """Take texts of one person in, numbered from the number of events there are."""
        known = len(await self.event_log.history(thread(person)))
        for place, text in enumerate(texts, start=update or known + 1):
            await self.hear(inbound(place, text, person=person))

    async def history(self, person: int = ADA) -> tuple[Event, ...]:
        return await self.event_log.history(thread(person))

    async def kinds(self, person: int = ADA) -> list[str]:
        return [event.kind for event in await self.history(person)]

    async def debts(self) -> list[EventId]:
        """What the log says is owed."""
        return [one async for owed in self.log.owed() for one in owed.event_ids if one not in owed.others]

    def owed_replies(self) -> OwedReplies:
        return OwedReplies(self.flows, self.log, self.sender, self.leases, self.clock)

    @asynccontextmanager
    async def taking_up(self) -> AsyncIterator[None]:
        """Take up what is left to the log, as it goes on in the program."""
        task = asyncio.create_task(self.owed_replies().run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def resume(self) -> int:
        """Take up what is owed, as at a start, and let it be sent."""
        taken_up = await self.owed_replies().resume()
        await self.sender.settle()
        return taken_up


@asynccontextmanager
async def house(
    journal: JournalStore | None = None,
    *,
    seed: int = 1,
    flows: Flows = FLOWS,
    **limits: int,
) -> AsyncIterator[House]:
    """Run an engine over a journal, a new one in memory when none is given."""
    engine = House(journal or MemoryJournal(), seed, flows, limits)
    await engine.event_log.open(BOT)
    try:
        yield engine
    finally:
        await engine.sender.close(0)
        await engine.event_log.close()


def reply(update: int, person: int = ADA, *texts: str, callback_id: str = "") -> Reply:
    """A reply to some event, of one screen or of several."""
    return Reply(
        thread_id=thread(person),
        chat_id=person,
        answers=EventId(update.to_bytes(16, "big")),
        screens=tuple(Screen(text=text) for text in texts or (f"reply {update}",)),
        callback_id=callback_id,
    )


def said_as(given: Inbound, **fields: object) -> Inbound:
    """The same input with something else about what was said."""
    said: Said = replace(given.said, **fields)
    return replace(given, said=said)


async def few_steps(count: int = 20) -> None:
    """Let whatever can go on do so."""
    for _ in range(count):
        await asyncio.sleep(0)


async def soon(condition: Callable[[], bool]) -> None:
    """Let a few seconds pass, until something is so."""
    for _ in range(5000):
        if condition():
            return
        await asyncio.sleep(0.001)


def fails(*errors: Exception) -> Callable[[object], None]:
    """Raise these errors, one each time, and then no more."""
    left = list(errors)

    def fail(_: object) -> None:
        if left:
            raise left.pop(0)

    return fail

"""Workers over tiers: the real engine and the real protocol, over stores in memory and a clock that runs."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from holdfast.domain import taps
from holdfast.domain.event import Event
from holdfast.domain.flow import Flows
from holdfast.domain.ids import OriginId
from holdfast.domain.machine_flows import add_machine
from holdfast.domain.ports import RowChange
from holdfast.domain.screen import Screen
from holdfast.engine.owed import OwedReplies
from holdfast.engine.recovery import Recovery
from holdfast.engine.sender import Sender
from holdfast.engine.takeover import Takeover
from holdfast.engine.turns import Turns
from holdfast.infrastructure.clock import SystemClock
from holdfast.infrastructure.log.envelope import Record
from holdfast.infrastructure.log.event_log import EventLog
from holdfast.infrastructure.log.group_commit import GroupCommit
from holdfast.infrastructure.log.memory import MemoryJournal
from holdfast.infrastructure.log.stores import JournalStore, Write
from holdfast.infrastructure.log.verify import Verifier
from holdfast.infrastructure.tiers.leases import LEASE
from holdfast.infrastructure.tiers.service import TierService
from holdfast.infrastructure.tiers.store import TierStore
from holdfast.projections.fold import TABLES, fold_of
from tests.conformance.beside import tiers_beside
from tests.conformance.clocks import Dice
from tests.conformance.scribe import ADA, BOT, codec, inbound, thread

FLOWS = Flows([add_machine])
_PATIENCE = 10.0


class Shown:
    """A messenger that keeps what it shows."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.chats: defaultdict[int, list[str]] = defaultdict(list)

    async def send(self, chat_id: int, screen: Screen, replaces: int = 0) -> int:
        self.texts.append(screen.text)
        self.chats[chat_id].append(screen.text)
        return 100 + len(self.texts)

    def parts(self, screen: Screen) -> tuple[Screen, ...]:
        return (screen,)

    async def acknowledge(self, callback_id: str) -> None:
        self.texts.append(callback_id)


class Worker:
    """One process: an engine, its journal, and the tiers it knows."""

    def __init__(  # noqa: PLR0913 - what a worker is made of
        self,
        tiers: Sequence[TierStore],
        journal: JournalStore,
        *,
        seed: int,
        copies: int,
        lease: float = LEASE,
        lasting: bool = True,
    ) -> None:
        def keeping(journal: JournalStore, commits: GroupCommit[Write, None]) -> TierService:
            self.service = tiers_beside(tiers, copies, lease, lasting=lasting)(journal, commits)
            return self.service

        self.journal = journal
        self.messages = Shown()
        self.log = EventLog(journal, codec(), SystemClock(), Dice(seed), tiers=keeping)
        self.sender = Sender(self.log, self.messages, SystemClock(), leases=self.log.leases)
        self.owed = OwedReplies(FLOWS, self.log, self.sender, self.log.leases, SystemClock())
        clock, recovery = SystemClock(), Recovery(SystemClock())
        self.takeover = Takeover(self.log.leases, recovery, [self.owed], clock, every=lease / 4)
        self.turns = Turns(FLOWS, fold_of(FLOWS), self.log, self.sender)
        self._works: list[asyncio.Task[None]] = []

    async def begin(self) -> None:
        """Hold the leases, and do from now on what a program does beside its turns."""
        await self.takeover.begin()
        self._works = [asyncio.create_task(work) for work in (self.owed.run(), self.takeover.run())]

    async def rest(self) -> None:
        """Do nothing more beside the turns."""
        for work in self._works:
            work.cancel()
        await asyncio.gather(*self._works, return_exceptions=True)

    async def hear(self, update: int, text: str, person: int = ADA) -> None:
        """Take one input in and let its reply be sent."""
        await self.turns.take(inbound(update, text, person=person))
        await self.settle()

    async def settle(self) -> None:
        """Wait until nothing is left to send, also nothing that waits for another worker."""
        async with asyncio.timeout(_PATIENCE):
            while self.sender.left or not self.sender.is_idle:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.005)

    async def confirm(self, update: int) -> None:
        """Tap the button that saves the machine."""
        (conversation,) = {event.conversation_id for event in await self.log.history(thread())}
        await self.hear_as("tap", update, taps.action(conversation or b"", taps.CONFIRM))

    async def hear_as(self, kind: str, update: int, text: str) -> None:
        await self.turns.take(inbound(update, text, kind=kind))
        await self.settle()

    async def answer_what_is_owed(self) -> int:
        taken_up = await self.owed.resume()
        await self.sender.settle()
        return taken_up

    async def texts(self, person: int = ADA) -> list[str]:
        """What one person said, as this worker's journal has it."""
        return [said_in(event) for event in await self.log.history(thread(person))]

    async def rows(self) -> list[RowChange]:
        """Every row of every projection in the journal."""
        return [row for table in TABLES for row in await self.journal.rows(table)]

    def journal_events(self) -> list[Record]:
        """Every event of a journal in memory."""
        assert isinstance(self.journal, MemoryJournal)
        return self.journal.kept("events")

    def journal_deliveries(self) -> list[Record]:
        """Every delivery of a journal in memory."""
        assert isinstance(self.journal, MemoryJournal)
        return self.journal.kept("deliveries")

    async def problems(self) -> list[str]:
        """What an auditor would find wrong with the journal."""
        return (await Verifier(self.journal, codec()).verify()).problems


def said_in(event: Event) -> str:
    return event.words.said.text if event.words and event.words.said else event.kind


@asynccontextmanager
async def worker(
    *tiers: TierStore,
    journal: JournalStore | None = None,
    seed: int = 1,
    copies: int = 1,
    lease: float = LEASE,
    lasting: bool = True,
) -> AsyncIterator[Worker]:
    """Run a worker; with the same journal, the one that takes over after a restart."""
    journal = journal or MemoryJournal(OriginId(bytes([seed]) * 16))
    one = Worker(tiers, journal, seed=seed, copies=copies, lease=lease, lasting=lasting)
    await one.log.open(BOT)
    await one.begin()
    try:
        yield one
    finally:
        await one.rest()
        await one.sender.close(0)
        await one.log.close()


@asynccontextmanager
async def two_workers(*tiers: TierStore) -> AsyncIterator[tuple[Worker, Worker]]:
    """Run two workers on the same tiers, each with a journal of its own."""
    async with AsyncExitStack() as stack:
        ada = await stack.enter_async_context(worker(*tiers, seed=1))
        ben = await stack.enter_async_context(worker(*tiers, seed=2))
        yield ada, ben


async def until(what: Callable[[], bool]) -> None:
    """Wait until something holds; a test that waits in vain fails."""
    async with asyncio.timeout(_PATIENCE):
        while not what():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.005)

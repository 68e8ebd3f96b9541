"""A worker: the real engine and the real protocol, wired as the program wires them, in a process that may die."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import cast

from holdfast.bot.intake import Intake
from holdfast.domain.errors import HoldfastError
from holdfast.domain.event import Event
from holdfast.domain.flow import Flow, Flows
from holdfast.domain.ids import thread_of
from holdfast.domain.machine_flows import MACHINE_FLOWS
from holdfast.domain.ports import RowChange
from holdfast.domain.screen import Screen
from holdfast.engine.absences import Absences
from holdfast.engine.forks import UntoldForks
from holdfast.engine.gate import Gate
from holdfast.engine.heartbeat import Heartbeat, presence_known_to
from holdfast.engine.orders import Orders
from holdfast.engine.owed import OwedReplies
from holdfast.engine.pacing import Pacing
from holdfast.engine.presence import Presence
from holdfast.engine.recovery import Recovery
from holdfast.engine.reply import Reply
from holdfast.engine.sender import Sender
from holdfast.engine.sweeper import Sweeper
from holdfast.engine.takeover import Takeover
from holdfast.engine.turns import Turns
from holdfast.infrastructure.log.codec import Codec
from holdfast.infrastructure.log.event_log import EventLog
from holdfast.infrastructure.log.group_commit import GroupCommit
from holdfast.infrastructure.log.keys import Keyring
from holdfast.infrastructure.log.stores import JournalStore, Write
from holdfast.infrastructure.log.union import Refolding
from holdfast.infrastructure.tiers.service import TierService
from holdfast.infrastructure.tiers.store import TierStore
from holdfast.projections.fold import fold_of, rows_of
from tests.simulation.disk import Disk
from tests.simulation.loop import Process
from tests.simulation.story import Clock, Story
from tests.simulation.telegram import Telegram, Update
from tests.simulation.tiers import Link, Server
from tests.simulation.watch import Watch

BOT = 42
CODEC = Codec(Keyring(None, bytes))
STEPS, _TTL = 3, timedelta(seconds=6)


def _hasty(flow: Flow) -> Flow:
    """Ask less, and wait less: so that in a minute much is finished, and much runs out."""
    declared = {name: getattr(flow, name) for name in Flow.model_fields}
    return Flow(**{**declared, "steps": flow.steps[:STEPS], "ttl": _TTL})


FLOWS = Flows(map(_hasty, MACHINE_FLOWS))
_TRY_AGAIN = 1.0
_LEASE = 4.0
"""Seconds after which others answer for a worker that is silent."""
_ALL_READ = 3.0
"""Seconds after which a worker takes it that what waited for it has come."""
_AWAY, _GAP = 4_000_000, 12_000_000
"""Microseconds after which an outage loses a tap, and a message."""
_thread_of = partial(thread_of, "telegram", BOT)
logger = logging.getLogger("holdfast.simulation")


def rows_from(events: Sequence[Event]) -> list[RowChange]:
    """Give the rows that a whole thread amounts to."""
    return list(rows_of(FLOWS, events).values())


class WatchedSender(Sender):
    """The real sender; each reply that is handed to it is looked at."""

    def __init__(self, worker: "Worker", log: EventLog, clock: Clock) -> None:
        super().__init__(log, worker, clock, leases=log.leases, pacing=Pacing(clock))
        self._worker = worker

    async def put(self, reply: Reply) -> None:
        self._worker.watch.handed_on(self._worker, reply)
        await super().put(reply)

    def take_up(self, reply: Reply) -> bool:
        self._worker.watch.handed_on(self._worker, reply)
        return super().take_up(reply)

    @property
    def is_busy(self) -> bool:
        """Whether something is still being sent, or left to be sent."""
        return bool(self.left or not self.is_idle)


class Worker:
    """One machine: a disk, links to the tiers, a clock, and now and then a process."""

    service_type: type[TierService] = TierService
    log_type: type[EventLog] = EventLog

    def __init__(  # noqa: PLR0913 - what a machine is made of
        self,
        name: str,
        servers: Sequence[Server],
        telegram: Telegram,
        *,
        story: Story,
        watch: Watch,
        lasting: bool = True,
    ) -> None:
        """`lasting`: its disk is still there when its process is not."""
        self.name = name
        self.lasting = lasting
        self.disk = Disk(name, story)
        self.links = [Link(server, story, name) for server in servers]
        self.clock = Clock(story.loop)
        self.watch = watch
        self.service: TierService | None = None
        self._telegram = telegram
        self._story = story
        self._chance = story.dice(f"chance of {name}")
        self._process: Process | None = None
        self._intake: Intake | None = None
        self._serves_since = 0.0
        self.log: EventLog | None = None
        self.sender: WatchedSender | None = None

    @property
    def takes(self) -> bool:
        """Whether it serves."""
        return self._intake is not None

    @property
    def undisturbed_since(self) -> float:
        """Say since when it has served, and its disk has taken everything."""
        return max(self._serves_since, self.disk.refused_at) if self.takes else self._story.loop.time()

    def start(self) -> None:
        """Start a process on this machine."""
        self._story.tell("starts", who=self.name)
        self._process = Process(self._story.loop, self.name)
        self._process.spawn(self._run())

    def crash(self) -> None:
        """Kill the process, in the middle of whatever it does."""
        if self._process is not None:
            self._process.kill()
            for link in self.links:
                link.forget()
            self._process, self._intake, self.service, self.log = None, None, None, None
            self._story.tell("is killed", who=self.name)
            self.disk.crash()

    async def _run(self) -> None:
        while True:
            try:
                return await self._open()
            except HoldfastError as error:
                self._story.tell("cannot start: {}", error)
                await asyncio.sleep(_TRY_AGAIN)

    async def _open(self) -> None:
        log = self.log = self.log_type(
            cast(JournalStore, self.disk), CODEC, self.clock, self._chance.randbytes, tiers=self._tiers
        )
        opened = await log.open(BOT)
        sender = self.sender = WatchedSender(self, log, self.clock)
        presence = await presence_known_to(log, opened.meta, opened.last_received_at, patience=_AWAY)
        turns = Turns(FLOWS, fold_of(FLOWS), log, sender, presence)
        orders = Orders(log, int(opened.meta.get("update_epoch", "0")), opened.last_ots, opened.last_received_at)
        recovery, replies = Recovery(self.clock), OwedReplies(FLOWS, log, sender, log.leases, self.clock)
        takeover = Takeover(log.leases, recovery, [replies], self.clock)
        await takeover.begin()
        forks = UntoldForks(log, turns, self.clock)
        absences = Absences(FLOWS, log, turns, presence, clock=self.clock, thread_of=_thread_of, kept=_GAP)
        owed = await recovery.resume([replies])
        gate = Gate(frozenset(), frozenset())
        self._intake = Intake(BOT, turns, log, orders=orders, gate=gate, clock=self.clock)
        self._serves_since = self._story.loop.time()
        self._story.tell("serves; {} replies were owed", owed)
        async with asyncio.TaskGroup() as group:
            group.create_task(recovery.run())
            group.create_task(replies.run())
            group.create_task(takeover.run())
            group.create_task(recovery.follow(log, [replies, forks]))
            group.create_task(self._be_there(presence))
            group.create_task(Heartbeat(presence, log, absences, recovery, every=1.0).run())
            group.create_task(
                Sweeper(
                    FLOWS, log, turns, presence, clock=self.clock, thread_of=partial(thread_of, "telegram", BOT)
                ).run()
            )

    async def _be_there(self, presence: Presence) -> None:
        """Say that all Telegram held has been read, some time after the start, and from then on again and again."""
        await self.clock.sleep(_ALL_READ)
        while True:
            presence.here(self.clock.now())
            await self.clock.sleep(1.0)

    def _tiers(self, journal: JournalStore, commits: GroupCommit[Write, None]) -> TierService:
        self.service = self.service_type(
            cast(list[TierStore], self.links),
            journal,
            commits,
            refolding=Refolding(CODEC, rows_from),
            clock=self.clock,
            chance=self._chance.random,
            lasting=self.lasting,
            lease=_LEASE,
        )
        return self.service

    def post(self, update: Update, done: Callable[[], None]) -> None:
        """Take an update as a webhook does: the answer goes out when it is durable."""
        if self._process is not None and self._intake is not None:
            self._process.spawn(self._take(self._intake, update, done))

    async def _take(self, intake: Intake, update: Update, done: Callable[[], None]) -> None:
        self._story.tell("is given u{}", update.number)
        before, given_at = self.watch.standing(self), self._story.loop.time()
        await intake.take([update.raw])
        self._story.tell("acknowledges u{}", update.number)
        self.watch.acknowledged(self, update, before)
        self.watch.answered(self, update, given_at)
        self._story.loop.later(self._chance.random() * 0.02, done)

    async def send(self, chat_id: int, screen: Screen, replaces: int = 0) -> int:
        """Show a screen, through Telegram."""
        return await self._telegram.show(chat_id, screen, replaces)

    def parts(self, screen: Screen) -> tuple[Screen, ...]:
        """Divide nothing."""
        return (screen,)

    async def acknowledge(self, callback_id: str) -> None:
        """Tell Telegram of a tap."""

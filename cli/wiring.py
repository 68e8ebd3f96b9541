"""The one place where the rooms are wired together."""

import asyncio
import importlib
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from random import random
from tempfile import TemporaryDirectory

from msgspec import Struct

from holdfast.bot.intake import Intake
from holdfast.cli.turn_log import TurnLog
from holdfast.domain.errors import SettingsError, UnknownFlow
from holdfast.domain.event import Event
from holdfast.domain.flow import Flow, Flows
from holdfast.domain.ids import thread_of
from holdfast.domain.machine_flows import MACHINE_FLOWS
from holdfast.domain.ports import Messenger, RowChange
from holdfast.domain.watch import Watch
from holdfast.engine.absences import Absences
from holdfast.engine.gate import Gate
from holdfast.engine.heartbeat import Heartbeat, presence_known_to
from holdfast.engine.orders import Orders
from holdfast.engine.outbox import LeftOwed
from holdfast.engine.pacing import Pacing
from holdfast.engine.presence import TAP_LIFE, Presence
from holdfast.engine.recovery import Recovery
from holdfast.engine.sender import Sender
from holdfast.engine.sweeper import Sweeper
from holdfast.engine.tally import Tally
from holdfast.engine.turns import Turns
from holdfast.engine.work import Piece, Tried, tried_in
from holdfast.infrastructure.clock import RandomStock, SystemClock, system_randomness
from holdfast.infrastructure.log.codec import Codec
from holdfast.infrastructure.log.event_log import EventLog, MakeTiers
from holdfast.infrastructure.log.journal import SqliteJournal
from holdfast.infrastructure.log.keys import Keyring
from holdfast.infrastructure.log.union import Refolding
from holdfast.infrastructure.settings import Settings
from holdfast.infrastructure.tiers.postgres import PostgresTier
from holdfast.infrastructure.tiers.service import COPIES_WITHOUT_A_JOURNAL, TierService
from holdfast.projections import states
from holdfast.projections.fold import fold_of, rows_of


class Bot(Struct, frozen=True):
    """A running engine: what takes inputs in, what sends, and the log between."""

    flows: Flows
    log: EventLog
    sender: Sender
    turns: Turns
    orders: Orders
    presence: Presence
    tried: dict[Piece, Tried]
    watch: Tally


class OpenedLog(Struct, frozen=True):
    """A log opened to be written, its flows, and the order of its updates."""

    flows: Flows
    log: EventLog
    orders: Orders
    presence: Presence
    tried: dict[Piece, Tried]


class Archive(Struct, frozen=True):
    """A journal opened to be read, beside the bot that may be writing it."""

    journal: SqliteJournal
    codec: Codec
    flows: Flows


def codec_of(settings: Settings) -> Codec:
    """Make the codec; with a master key, words are encrypted."""
    return Codec(Keyring(settings.master_key(), system_randomness))


def flows_of(settings: Settings) -> Flows:
    """Load the built-in flows and those HOLDFAST_FLOWS names; SettingsError when one can't be loaded."""
    return Flows([*MACHINE_FLOWS, *_declared(settings.holdfast_flows)], settings.holdfast_timezone)


def _declared(names: str) -> Iterator[Flow]:
    if names and str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))
    for name in names.split():
        module, _, attribute = name.partition(":")
        try:
            flow = getattr(importlib.import_module(module), attribute)
        except Exception as error:  # noqa: BLE001 - whatever a module of somebody's own does when it is loaded
            told = f"{type(error).__name__}: {error}"
            raise SettingsError(f"HOLDFAST_FLOWS: {name} can't be loaded: {told}") from None
        if not isinstance(flow, Flow):
            raise SettingsError(f"HOLDFAST_FLOWS: {name} is not a Flow")
        yield flow


def tiers_of(settings: Settings, codec: Codec, flows: Flows) -> MakeTiers | None:
    """Say how the tiers in the settings are put beside a journal; None when there are none."""
    named = settings.tiers()
    if not named:
        return None

    def rows(events: Sequence[Event]) -> Sequence[RowChange]:
        return list(rows_of(flows, events).values())

    return lambda journal, commits: TierService(
        [PostgresTier(name, dsn) for name, dsn in named],
        journal,
        commits,
        refolding=Refolding(codec, rows),
        clock=SystemClock(),
        chance=random,
        key=codec.key_name,
        copies=settings.holdfast_sync_copies,
        lasting=not settings.keeps_nothing,
    )


@asynccontextmanager
async def opened_log(
    settings: Settings, bot_id: int, *, tap_life: int = TAP_LIFE, watch: Watch | None = None
) -> AsyncIterator[OpenedLog]:
    """Open the log for one bot; UnknownFlow when an open conversation needs a flow that is not loaded.

    `tap_life` is how many microseconds an outage lasts before open questions are asked again after it.
    """
    clock = SystemClock()
    flows = flows_of(settings)
    codec = codec_of(settings)
    with _journal_file(settings) as file:
        journal = SqliteJournal(file, clock, system_randomness)
        log = EventLog(journal, codec, clock, RandomStock(), tiers=tiers_of(settings, codec, flows), watch=watch)
        opened = await log.open(bot_id)
        try:
            _refuse_unknown(flows, await journal.rows(states.TABLE))
            epoch = int(opened.meta.get("update_epoch", "0"))
            orders = Orders(log, epoch, opened.last_ots, opened.last_received_at)
            presence = await presence_known_to(log, opened.meta, opened.last_received_at, patience=tap_life)
            yield OpenedLog(flows, log, orders, presence, tried_in(opened.meta))
        finally:
            await log.close()


@contextmanager
def _journal_file(settings: Settings) -> Iterator[Path]:
    """Name the journal's file; of a worker that keeps nothing, one that goes with the process.

    SettingsError when there are too few tiers for that.
    """
    if not settings.keeps_nothing:
        yield settings.holdfast_journal
        return
    if len(settings.tiers()) < COPIES_WITHOUT_A_JOURNAL:
        raise SettingsError(
            "HOLDFAST_JOURNAL=none needs two tiers, each of which has every turn; set three, to go on when one fails"
        )
    with TemporaryDirectory(prefix="holdfast-") as folder:
        yield Path(folder) / "journal.db"


def _refuse_unknown(flows: Flows, open_rows: list[RowChange]) -> None:
    missing = [name for name in states.flows_needed(open_rows) if not flows.has(*name)]
    if missing:
        names = ", ".join(f"{name} version {version}" for name, version in missing)
        raise UnknownFlow(f"open conversations need flows that are not loaded: {names}; name them in HOLDFAST_FLOWS")


@asynccontextmanager
async def _counting(settings: Settings) -> AsyncIterator[Tally]:
    """Count, and write each turn down where that is wanted; what waits to be written is written at the end."""
    if not settings.holdfast_turn_log:
        yield Tally()
        return
    lines = TurnLog()
    try:
        yield Tally(lines)
    finally:
        await asyncio.to_thread(lines.close)


@asynccontextmanager
async def running(
    settings: Settings,
    bot_id: int,
    messenger: Messenger,
    *,
    pacing: Pacing | None = None,
    tap_life: int = TAP_LIFE,
) -> AsyncIterator[Bot]:
    """Wire the engine over an open log; what is being sent gets a moment to finish. Without a pacing nothing waits."""
    async with (
        _counting(settings) as watch,
        opened_log(settings, bot_id, tap_life=tap_life, watch=watch) as opened,
    ):
        sender = Sender(opened.log, messenger, SystemClock(), leases=opened.log.leases, pacing=pacing)
        turns = Turns(opened.flows, fold_of(opened.flows), opened.log, sender, opened.presence)
        try:
            yield Bot(opened.flows, opened.log, sender, turns, opened.orders, opened.presence, opened.tried, watch)
        finally:
            await sender.close()


def heartbeat_of(bot_id: int, bot: Bot, recovery: Recovery) -> Heartbeat:
    """Make what writes down that the bot is there, and has people told when it was not."""
    thread = partial(thread_of, "telegram", bot_id)
    absences = Absences(bot.flows, bot.log, bot.turns, bot.presence, clock=SystemClock(), thread_of=thread)
    return Heartbeat(bot.presence, bot.log, absences, recovery)


def sweeper_of(bot_id: int, bot: Bot) -> Sweeper:
    """Make what reminds people, and ends what was left alone."""
    thread = partial(thread_of, "telegram", bot_id)
    return Sweeper(bot.flows, bot.log, bot.turns, bot.presence, clock=SystemClock(), thread_of=thread)


def intake_of(settings: Settings, bot_id: int, bot: Bot) -> Intake:
    """Make what takes Telegram's updates in."""
    gate = Gate(settings.holdfast_allow, settings.holdfast_owners)
    return Intake(bot_id, bot.turns, bot.log, orders=bot.orders, gate=gate, clock=SystemClock())


@asynccontextmanager
async def replaying(settings: Settings) -> AsyncIterator[tuple[EventLog, Intake]]:
    """Wire what takes in from quarantine: nothing is barred, and replies stay owed until a bot runs."""
    bot_id = await bot_of(settings)
    async with opened_log(settings, bot_id) as opened:
        turns = Turns(opened.flows, fold_of(opened.flows), opened.log, LeftOwed())
        gate = Gate(frozenset(), frozenset())
        yield opened.log, Intake(bot_id, turns, opened.log, orders=opened.orders, gate=gate, clock=SystemClock())


async def bot_of(settings: Settings) -> int:
    """Read which bot a journal belongs to; SettingsError when it has none yet."""
    store = SqliteJournal(settings.holdfast_journal, SystemClock(), system_randomness, read_only=True)
    try:
        owner = (await store.open()).meta.get("bot_id")
    finally:
        await store.close()
    if owner is None:
        raise SettingsError(f"{settings.holdfast_journal} belongs to no bot yet")
    return int(owner)


@asynccontextmanager
async def archive(settings: Settings, journal: Path | None = None) -> AsyncIterator[Archive]:
    """Open a journal to be read; the bot may be running on it."""
    store = SqliteJournal(journal or settings.holdfast_journal, SystemClock(), system_randomness, read_only=True)
    await store.open()
    try:
        yield Archive(store, codec_of(settings), flows_of(settings))
    finally:
        await store.close()

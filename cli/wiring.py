"""The one place where the rooms are wired together."""

import importlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec import Struct

from holdfast.domain.add_machine import add_machine
from holdfast.domain.errors import SettingsError
from holdfast.domain.flow import Flow, Flows
from holdfast.domain.ports import Messenger
from holdfast.engine.orders import Orders
from holdfast.engine.sender import Sender
from holdfast.engine.turns import Turns
from holdfast.infrastructure.clock import SystemClock, system_randomness
from holdfast.infrastructure.log.codec import Codec
from holdfast.infrastructure.log.event_log import EventLog
from holdfast.infrastructure.log.journal import SqliteJournal
from holdfast.infrastructure.log.keys import Keyring
from holdfast.infrastructure.settings import Settings
from holdfast.projections.fold import fold_of


class Bot(Struct, frozen=True):
    """A running engine: what takes inputs in, what sends, and the log between."""

    flows: Flows
    log: EventLog
    sender: Sender
    turns: Turns
    orders: Orders


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
    return Flows([add_machine, *_declared(settings.holdfast_flows)])


def _declared(names: str) -> Iterator[Flow]:
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


@asynccontextmanager
async def running(settings: Settings, bot_id: int, messenger: Messenger) -> AsyncIterator[Bot]:
    """Open the log for one bot and wire the engine over it; close both in order."""
    clock = SystemClock()
    flows = flows_of(settings)
    journal = SqliteJournal(settings.holdfast_journal, clock, system_randomness)
    log = EventLog(journal, codec_of(settings), clock, system_randomness)
    opened = await log.open(bot_id)
    sender = Sender(log, messenger, clock)
    try:
        epoch = int(opened.meta.get("update_epoch", "0"))
        orders = Orders(log, epoch, opened.last_ots, opened.last_received_at)
        yield Bot(flows, log, sender, Turns(flows, fold_of(flows), log, sender), orders)
    finally:
        await sender.close()
        await log.close()


@asynccontextmanager
async def archive(settings: Settings, journal: Path | None = None) -> AsyncIterator[Archive]:
    """Open a journal to be read; the bot may be running on it."""
    store = SqliteJournal(journal or settings.holdfast_journal, SystemClock(), system_randomness, read_only=True)
    await store.open()
    try:
        yield Archive(store, codec_of(settings), flows_of(settings))
    finally:
        await store.close()

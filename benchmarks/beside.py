"""The engine over a journal and tiers, with the tiers in sight."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.house import settings
from benchmarks.updates import BOT
from holdfast.cli import wiring
from holdfast.cli.runtime import settle_in
from holdfast.engine.outbox import LeftOwed
from holdfast.engine.turns import Turns
from holdfast.infrastructure.clock import RandomStock, SystemClock, system_randomness
from holdfast.infrastructure.log.event_log import EventLog
from holdfast.infrastructure.log.group_commit import GroupCommit
from holdfast.infrastructure.log.journal import SqliteJournal
from holdfast.infrastructure.log.stores import JournalStore, Write
from holdfast.infrastructure.tiers.service import TierService
from holdfast.projections.fold import fold_of


@asynccontextmanager
async def beside(journal: Path, tiers: Sequence[str]) -> AsyncIterator[tuple[Turns, TierService]]:
    """Wire the engine as it runs; replies are rendered and stay owed."""
    wanted, clock, services = settings(journal, tiers), SystemClock(), []
    flows, codec = wiring.flows_of(wanted), wiring.codec_of(wanted)
    make = wiring.tiers_of(wanted, codec, flows)
    if make is None:
        raise ValueError("no tiers are named")

    def keeping(store: JournalStore, commits: GroupCommit[Write, None]) -> TierService:
        services.append(make(store, commits))
        return services[0]

    log = EventLog(SqliteJournal(journal, clock, system_randomness), codec, clock, RandomStock(), tiers=keeping)
    await log.open(BOT)
    settle_in()
    try:
        yield Turns(flows, fold_of(flows), log, LeftOwed()), services[0]
    finally:
        await log.close()

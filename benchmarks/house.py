"""Holdfast, wired as it runs, with a request layer that answers at once."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic import SecretStr
from telegram.request import BaseRequest, RequestData

from benchmarks.updates import BOT, answer
from holdfast.bot.intake import Intake, dedup_key
from holdfast.bot.messenger import TelegramMessenger
from holdfast.bot.updates import read_update, said_in
from holdfast.bot.wire import Wire
from holdfast.cli import wiring
from holdfast.cli.runtime import settle_in
from holdfast.domain.ids import OriginId, ThreadId, thread_of
from holdfast.domain.inbound import Inbound
from holdfast.domain.ports import Head
from holdfast.engine.gate import Gate
from holdfast.engine.outbox import LeftOwed
from holdfast.engine.turns import Turns
from holdfast.infrastructure.clock import RandomStock, SystemClock, system_randomness
from holdfast.infrastructure.log.codec import Codec
from holdfast.infrastructure.log.event_log import EventLog
from holdfast.infrastructure.log.keys import Keyring
from holdfast.infrastructure.log.memory import MemoryJournal
from holdfast.infrastructure.log.stores import Opened, Outcome, Snapshot, Write
from holdfast.infrastructure.settings import Settings
from holdfast.projections.fold import fold_of


class InstantRequest(BaseRequest):
    """Python-telegram-bot's request layer, without a network: it answers at once, and tells when it was asked."""

    def __init__(self, replied: Callable[[int], None] | None = None) -> None:
        """Begin with nothing sent; call `replied` with the chat of each message that is handed over."""
        self.sent = 0
        self._replied = replied
        self.told = asyncio.Event()

    @property
    def read_timeout(self) -> float:
        return 5.0

    async def initialize(self) -> None:
        """Nothing to open."""

    async def shutdown(self) -> None:
        """Nothing to close."""

    async def do_request(  # noqa: PLR0913, PLR0917 - the library's own signature
        self,
        url: str,  # noqa: ARG002
        method: str,  # noqa: ARG002
        request_data: RequestData | None = None,
        read_timeout: object = None,  # noqa: ARG002
        write_timeout: object = None,  # noqa: ARG002
        connect_timeout: object = None,  # noqa: ARG002
        pool_timeout: object = None,  # noqa: ARG002
    ) -> tuple[int, bytes]:
        """Answer as Telegram does when a message was sent."""
        self.sent += 1
        if self._replied and request_data and (chat_id := request_data.json_parameters.get("chat_id")):
            self._replied(int(chat_id))
        self.told.set()
        return 200, answer(self.sent)


class InstantWire(Wire):
    """The wire over that request layer."""

    def __init__(self, request: InstantRequest) -> None:
        """Take the request layer's place."""
        super().__init__(f"{BOT}:none", "http://127.0.0.1")
        self._request = request  # type: ignore[assignment]


def settings(journal: Path, tiers: Sequence[str] = ()) -> Settings:
    """Name a journal, and tiers by their addresses."""
    named = " ".join(f"tier{number}={dsn}" for number, dsn in enumerate(tiers, start=1))
    return Settings(holdfast_journal=journal, holdfast_tiers=SecretStr(named) if named else None)


@asynccontextmanager
async def engine(journal: Path, tiers: Sequence[str] = ()) -> AsyncIterator[Turns]:
    """The engine over a journal, beside the tiers with these addresses; replies are rendered and stay owed."""
    async with wiring.opened_log(settings(journal, tiers), BOT) as opened:
        settle_in()
        yield Turns(opened.flows, fold_of(opened.flows), opened.log, LeftOwed())


@asynccontextmanager
async def whole_bot(
    journal: Path, owners: Sequence[int], request: InstantRequest | None = None
) -> AsyncIterator[tuple[Intake, wiring.Bot, InstantRequest]]:
    """The bot from raw updates to the request layer. Owners may be as fast as they like."""
    settings = Settings(holdfast_journal=journal)
    request = request or InstantRequest()
    async with wiring.running(settings, BOT, TelegramMessenger(InstantWire(request))) as bot:
        gate = Gate(frozenset(), frozenset(owners))
        settle_in()
        yield Intake(BOT, bot.turns, bot.log, orders=bot.orders, gate=gate, clock=SystemClock()), bot, request


async def prepare(journal: Path) -> None:
    """Make a new journal: its tables and indexes, and nothing in them."""
    async with engine(journal):
        pass


def inbound_of(raw: bytes) -> Inbound:
    """Read an update as the intake does."""
    said = said_in(read_update(raw), raw)
    now = SystemClock().now()
    return Inbound(
        thread_id=thread_of("telegram", BOT, said.user_id),
        dedup_key=dedup_key(BOT, said),
        order=said.update_id,
        occurred_at=said.date * 1_000_000,
        received_at=now,
        said=said,
    )


class Recorder(MemoryJournal):
    """A journal that stores nothing and keeps the writes it is handed, for those who shall write the same rows."""

    def __init__(self) -> None:
        """Begin with nothing handed over."""
        super().__init__()
        self.writes: list[Write] = []

    async def open(self) -> Opened:
        return Opened(origin=OriginId(bytes(16)), origin_seq=0, meta={}, last_ots=-1, last_received_at=0)

    async def commit(self, batch: Sequence[Write]) -> Sequence[Outcome]:
        """Keep a batch."""
        self.writes.extend(batch)
        return [None] * len(batch)

    async def snapshot(self, thread_id: ThreadId, dedup_key: str, user_id: int) -> Snapshot:  # noqa: ARG002
        return Snapshot(head=Head(), records=(), copies=(), machines=())


@asynccontextmanager
async def recording(master: bytes | None = None) -> AsyncIterator[tuple[Turns, Recorder]]:
    """The engine over a recorder."""
    clock, journal = SystemClock(), Recorder()
    log = EventLog(journal, Codec(Keyring(master, system_randomness)), clock, RandomStock())
    await log.open(BOT)
    journal.writes.clear()
    flows = wiring.flows_of(Settings())
    yield Turns(flows, fold_of(flows), log, LeftOwed()), journal
    await log.close()

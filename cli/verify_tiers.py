"""`holdfast tiers verify`: whether the journal and every tier hold the same, and the tiers' tables follow from it."""

import asyncio
from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from holdfast.cli import wiring
from holdfast.cli.findings import told, without
from holdfast.cli.rebuild import Difference
from holdfast.cli.tier_rows import RowCheck
from holdfast.cli.tiers import journal_of
from holdfast.domain.errors import HoldfastError, LogUnavailable
from holdfast.domain.ids import EventId, as_text
from holdfast.infrastructure.log.envelope import Record
from holdfast.infrastructure.log.journal_tail import JournalTail
from holdfast.infrastructure.settings import Settings
from holdfast.infrastructure.tiers.comparison import Compared, Unlike, compare
from holdfast.infrastructure.tiers.store import Digest, Table
from holdfast.infrastructure.tiers.view import TierView

T = TypeVar("T")
WITHIN = 60.0
"""Seconds one question to a tier or to the journal may take."""


class RecordDifference(Struct, frozen=True, kw_only=True):
    """The first record that is not the same on both sides. `lacking` names the side without it.

    Where both have it, `lacking` is None and the hashes differ. `received_at` is in microseconds since 1970.
    """

    event_id: str
    thread_id: str
    received_at: int
    lacking: str | None
    journal_hash: str | None
    tier_hash: str | None


class TierVerdict(Struct, frozen=True, kw_only=True):
    """One tier beside the journal. `problem` says why it could not be compared to the end; then it is not equal.

    `threads` and `rows` are how many were folded and held against its tables, `first_row` the first that is not as the
    events say.
    """

    name: str
    equal: bool
    problem: str | None = None
    events: int | None = None
    deliveries: int | None = None
    threads: int | None = None
    rows: int | None = None
    first_event: RecordDifference | None = None
    first_delivery: RecordDifference | None = None
    first_row: Difference | None = None


class TiersVerdict(Struct, frozen=True, kw_only=True):
    """What was compared, and whether all of it is equal; `events` and `deliveries` are the journal's."""

    journal: str
    equal: bool
    events: int
    deliveries: int
    tiers: list[TierVerdict]


class _Journal:
    """The journal as a side; a fresh look each time, since a bot may be writing."""

    def __init__(self, tail: JournalTail) -> None:
        self._tail = tail

    async def digest(self, of: Table, since: int) -> Digest:
        """Sum up an hour and what came after."""
        return await _soon(self._tail.digest(of, since))

    async def hashes(self, of: Table, since: int, until: int) -> dict[EventId, bytes]:
        """Read what was received from a moment on up to another."""
        return await _soon(self._tail.hashes(of, since, until))

    async def records(self, of: Table, event_ids: Sequence[EventId]) -> tuple[Record, ...]:
        """Read some."""
        return await _soon(self._tail.records(of, event_ids))


async def _soon(answer: Awaitable[T]) -> T:
    try:
        async with asyncio.timeout(WITHIN):
            return await answer
    except TimeoutError:
        raise LogUnavailable("the journal could not be read in time") from None


async def verify(settings: Settings, path: Path) -> TiersVerdict:
    """Compare all tiers at once with the journal; LogUnavailable when there is none that could be read."""
    look, problem = await journal_of(path)
    if look is None or look.missing:
        raise LogUnavailable(problem or "")
    tail = JournalTail(path)
    check = RowCheck(wiring.codec_of(settings), wiring.flows_of(settings), look.bot_id or 0)
    try:
        journal = _Journal(tail)
        counts = [sum(n for n, _ in (await journal.digest(of, 0)).values()) for of in ("events", "deliveries")]
        secrets = settings.secrets()
        tiers = await asyncio.gather(*(_verified(journal, check, secrets, *named) for named in settings.tiers()))
    finally:
        await tail.close()
    equal = all(one.equal for one in tiers)
    return TiersVerdict(journal=str(path), equal=equal, events=counts[0], deliveries=counts[1], tiers=tiers)


async def _verified(journal: _Journal, check: RowCheck, secrets: list[str], name: str, dsn: str) -> TierVerdict:
    try:
        view = TierView(name, dsn, WITHIN)
        try:
            await view.open()
            return await _compared(journal, check, view)
        finally:
            view.close()
    except HoldfastError as error:
        [clean] = without(secrets, [told(name, error)])
        advice = f"; {clean.advice}" if clean.advice else ""
        return TierVerdict(name=name, equal=False, problem=clean.what + advice)


async def _compared(journal: _Journal, check: RowCheck, view: TierView) -> TierVerdict:
    events, deliveries = await compare(journal, view, "events"), await compare(journal, view, "deliveries")
    folded = await check.of(view)
    return TierVerdict(
        name=view.name,
        equal=events.first is None and deliveries.first is None and folded.first is None,
        events=events.there,
        deliveries=deliveries.there,
        threads=folded.threads,
        rows=folded.rows,
        first_event=_shown(events, view.name),
        first_delivery=_shown(deliveries, view.name),
        first_row=folded.first,
    )


def _shown(compared: Compared, tier: str) -> RecordDifference | None:
    return _record(compared.first, tier) if compared.first else None


def _record(unlike: Unlike, tier: str) -> RecordDifference:
    here, there = unlike.here, unlike.there
    return RecordDifference(
        event_id=as_text(unlike.record.event_id),
        thread_id=as_text(unlike.record.thread_id),
        received_at=unlike.record.received_at,
        lacking="journal" if here is None else tier if there is None else None,
        journal_hash=here.hex() if here else None,
        tier_hash=there.hex() if there else None,
    )

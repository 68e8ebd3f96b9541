"""`holdfast tiers`: how each tier is, and what it lacks of this journal."""

import asyncio
import time
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from holdfast.cli.findings import PATIENCE, Finding, apart, told, without, worst
from holdfast.cli.findings import Verdict as Grade
from holdfast.cli.tier_checks import Seen, checked
from holdfast.domain.errors import HoldfastError, LogError
from holdfast.infrastructure.log.journal_look import Backlog, JournalLook, look_into
from holdfast.infrastructure.settings import Settings, bot_id_of
from holdfast.infrastructure.tiers.survey import Survey, survey

WITHIN = 8.0
"""Seconds a tier may take; one that sleeps needs one or two of them to wake up."""


class TierReport(Struct, frozen=True, kw_only=True):
    """One tier. What is None is not known: the tier was not reached, or lacks its tables, or there is no journal.

    `verdict` is `bad` when turns can't go there. `canary` is the tier's, `canary_seen` the greatest this journal saw.
    The two `pending_…` and `lag` (seconds since the oldest of it came) are what the tier was not given yet of this
    journal. Times are seconds, but for `round_trip_ms`.
    """

    name: str
    verdict: Grade
    problems: list[Finding]
    place: str | None = None
    round_trip_ms: float | None = None
    server_version: str | None = None
    role: str | None = None
    owner: bool | None = None
    writable: bool | None = None
    encrypted: bool | None = None
    migrations: list[int] | None = None
    missing: list[str] | None = None
    tier_id: str | None = None
    bot_id: int | None = None
    canary: int | None = None
    canary_seen: int | None = None
    xmin_age: float | None = None
    events: int | None = None
    deliveries: int | None = None
    pending_events: int | None = None
    pending_deliveries: int | None = None
    lag: float | None = None


class TiersReport(Struct, frozen=True, kw_only=True):
    """The tiers in their order, and the journal they were compared with; `journal_problem` says why with none."""

    journal: str
    journal_problem: str | None
    tiers: list[TierReport]


async def report(settings: Settings, journal: Path) -> TiersReport:
    """Look at all tiers at once; SettingsError when they can't be told apart."""
    named = settings.tiers()
    look, problem = await journal_of(journal)
    bot_id = bot_id_of(settings.token() or "0") or (look.bot_id if look else None)
    tiers = await look_at(named, look, bot_id)
    secrets = settings.secrets()
    clean = [replace(one, problems=without(secrets, one.problems)) for one in tiers]
    return TiersReport(journal=str(journal), journal_problem=problem, tiers=clean)


async def journal_of(path: Path) -> tuple[JournalLook | None, str | None]:
    """Look into the journal; None, and why, when there is nothing to be learned from it."""
    try:
        async with asyncio.timeout(PATIENCE):
            look = await apart(lambda: look_into(path))
    except TimeoutError:
        return None, f"{path} could not be read in time"
    except LogError as error:
        return None, str(error)
    if look is None:
        return None, f"there is no journal at {path} yet"
    if look.missing:
        return look, f"{path} lacks the migrations {', '.join(look.missing)}; holdfast run or migrate applies them"
    return look, None


async def look_at(named: list[tuple[str, str]], look: JournalLook | None, bot_id: int | None) -> list[TierReport]:
    """Look at tiers, given by name and DSN, beside what the journal says."""
    found = await asyncio.gather(*(_surveyed(name, dsn) for name, dsn in named))
    first: dict[str, str] = {}
    reports = []
    for (name, _), one in zip(named, found, strict=True):
        if isinstance(one, Exception):
            reports.append(TierReport(name=name, verdict="bad", problems=[told(name, one)]))
            continue
        tier_id = one.facts.tier_id if one.facts else f"unknown {name}"
        reports.append(_report(name, one, look, bot_id, twin=first.get(tier_id, "")))
        first.setdefault(tier_id, name)
    return reports


async def _surveyed(name: str, dsn: str) -> Survey | Exception:
    try:
        return await survey(name, dsn, WITHIN)
    except HoldfastError as error:
        return error


def _report(name: str, found: Survey, look: JournalLook | None, bot_id: int | None, *, twin: str) -> TierReport:
    facts = found.facts
    cursor = look.cursors.get(facts.tier_id) if look and facts else None
    canary_seen = cursor.canary if cursor else None
    problems = checked(Seen(name=name, survey=found, bot_id=bot_id, canary_seen=canary_seen, twin=twin))
    behind = _behind(look, facts.tier_id) if look and facts and not look.missing else None
    return TierReport(
        name=name,
        verdict=worst(problems),
        problems=problems,
        place=found.shown,
        round_trip_ms=round(found.round_trip * 1000, 2),
        server_version=found.server_version,
        role=found.role,
        owner=facts.owner if facts else None,
        writable=found.writable and not found.unwritten,
        encrypted=found.encrypted,
        migrations=list(facts.migrations) if facts else None,
        missing=list(found.missing),
        tier_id=facts.tier_id if facts else None,
        bot_id=facts.bot_id if facts else None,
        canary=facts.canary if facts else None,
        canary_seen=canary_seen,
        xmin_age=round(facts.xmin_age, 1) if facts else None,
        events=facts.events if facts else None,
        deliveries=facts.deliveries if facts else None,
        pending_events=behind.events if behind else None,
        pending_deliveries=behind.deliveries if behind else None,
        lag=_lag(behind),
    )


def _behind(look: JournalLook, tier_id: str) -> Backlog:
    return look.backlogs.get(tier_id, look.whole)


def _lag(behind: Backlog | None) -> float | None:
    if behind is None:
        return None
    return max(0.0, time.time() - behind.since / 1_000_000) if behind.since else 0.0

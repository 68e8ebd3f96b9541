"""`holdfast doctor`: everything that `holdfast run` needs, tried, and what to do where something is wrong."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from holdfast.cli import journal_checks, setting_checks, wiring
from holdfast.cli import tiers as tier_reports
from holdfast.cli.findings import PATIENCE, Finding, Verdict, apart, told, tried, without, worst
from holdfast.cli.telegram_checks import telegram
from holdfast.domain.errors import SettingsError
from holdfast.infrastructure.settings import WANTED, Settings, bot_id_of
from holdfast.sandbox.app import TOKEN


class Diagnosis(Struct, frozen=True, kw_only=True):
    """All that was found, in order. `bad`: `holdfast run` would not work; `warn`: it would, but look at it."""

    verdict: Verdict
    summary: str
    findings: list[Finding]


_SUMMARY: dict[Literal["ok", "warn", "bad"], str] = {
    "ok": "All is well: holdfast run will work.",
    "warn": "holdfast run will work; look at the warnings.",
    "bad": "holdfast run would not work: see what is marked bad.",
}


async def diagnose(settings: Settings, wrong: dict[str, str]) -> Diagnosis:
    """Try everything at once, nothing for longer than its own deadline; `wrong` says which settings are, and why."""
    findings = [*setting_checks.each(settings, wrong), *setting_checks.misspelt(), *setting_checks.tiers(settings)]
    tasks = [
        *(tried(name, apart(partial(_all_of, check, settings)), PATIENCE) for name, check in _CHECKS),
        tried("Telegram", _telegram(settings, wrong), PATIENCE),
        tried("tiers", _tiers(settings), 2 * tier_reports.WITHIN),
    ]
    for found in await asyncio.gather(*tasks):
        findings.extend(found)
    verdict = worst(findings)
    return Diagnosis(verdict=verdict, summary=_SUMMARY[verdict], findings=without(settings.secrets(), findings))


def _all_of(check: Callable[[Settings], Iterator[Finding]], settings: Settings) -> list[Finding]:
    return list(check(settings))


def _path(settings: Settings) -> Iterator[Finding]:
    if not settings.keeps_nothing:
        yield from journal_checks.path(settings.holdfast_journal)


def _room(settings: Settings) -> Iterator[Finding]:
    if not settings.keeps_nothing:
        yield from journal_checks.room(settings.holdfast_journal)


def _lock(settings: Settings) -> Iterator[Finding]:
    if not settings.keeps_nothing:
        yield from journal_checks.lock(settings.holdfast_journal)


def _content(settings: Settings) -> Iterator[Finding]:
    if settings.keeps_nothing:
        yield Finding(name="journal", what="none: this worker keeps nothing, and each turn stands on two tiers")
        return
    try:
        key = wiring.codec_of(settings).key_name
    except SettingsError:
        return  # told by the check of the key
    bot_id = bot_id_of(settings.token() or TOKEN)
    yield from journal_checks.content(settings.holdfast_journal, bot_id, key, sandbox=settings.token() is None)


def _flows(settings: Settings) -> Iterator[Finding]:
    """Load the flows, which runs somebody's own code, and see whether they are enough."""
    try:
        flows = wiring.flows_of(settings)
    except SettingsError as error:
        yield replace(told("HOLDFAST_FLOWS", error), advice="see docs/flows.md")
        return
    yield Finding(name="flows", what=", ".join(f"{flow.name} version {flow.version}" for flow in flows))
    if not settings.keeps_nothing:
        yield from journal_checks.needed(settings.holdfast_journal, flows)


async def _telegram(settings: Settings, wrong: dict[str, str]) -> Sequence[Finding]:
    token = settings.token()
    if {"telegram_bot_token", "telegram_api_url"} & wrong.keys():
        return []
    if token is None:
        return [Finding(name="Telegram", what="no token: holdfast run starts a sandbox with a web chat instead")]
    url = settings.telegram_webhook_url
    found = [one async for one in telegram(token, str(settings.telegram_api_url), url)]
    if url is not None and settings.telegram_webhook_secret is None:
        advice = f"it is {WANTED['telegram_webhook_secret']}"
        found.append(Finding(name="TELEGRAM_WEBHOOK_SECRET", verdict="bad", what="is not set", advice=advice))
    return found


async def _tiers(settings: Settings) -> list[Finding]:
    """A tier that can't be used stops no bot, which goes on in its journal; one of another bot's does."""
    try:
        report = await tier_reports.report(settings, settings.holdfast_journal)
    except SettingsError:
        return []  # told by the check of the settings
    found = []
    for tier in report.tiers:
        name = f"tier {tier.name}"
        found += [replace(one, name=name, verdict=_grade(one)) for one in tier.problems]
        if not tier.problems:
            what = f"{tier.place}, PostgreSQL {tier.server_version}, a round trip takes {tier.round_trip_ms} ms"
            found.append(Finding(name=name, what=what))
    return found


def _grade(found: Finding) -> Verdict:
    return "bad" if found.what.startswith("belongs to the bot") else "warn"


_CHECKS: tuple[tuple[str, Callable[[Settings], Iterator[Finding]]], ...] = (
    ("journal", _path),
    ("disk", _room),
    ("lock", _lock),
    ("journal", _content),
    ("flows", _flows),
    ("master key", setting_checks.master_key),
)

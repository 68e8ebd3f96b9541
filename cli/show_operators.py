"""The operators' reports, for people."""

import sys

from rich.console import Console
from rich.table import Table
from rich.text import Text

from holdfast.cli.doctor import Diagnosis
from holdfast.cli.drill import DrillReport
from holdfast.cli.findings import Finding, Verdict
from holdfast.cli.import_log import ImportReport
from holdfast.cli.migrate import Migrated
from holdfast.cli.plain import safe
from holdfast.cli.tiers import TierReport, TiersReport

_STYLE: dict[Verdict, str] = {"ok": "green", "warn": "yellow", "bad": "bold red"}


def tiers(report: TiersReport) -> None:
    """Show a row for each tier, then what is wrong and what to do."""
    console = Console()
    if not report.tiers:
        sys.stdout.write("No tiers are set: the journal is the only copy. See docs/tiers.md.\n")
        return
    table = Table()
    for name in ("tier", "", "round trip", "pending", "lag", "canary (seen)", "xmin age", "events"):
        table.add_column(name, justify="left" if name in ("tier", "") else "right")
    for one in report.tiers:
        table.add_row(*map(Text, _row(one)), style=_STYLE[one.verdict] if one.verdict != "ok" else "")
    console.print(table)
    for tier in report.tiers:
        if tier.place:
            secrecy = "encrypted" if tier.encrypted else "not encrypted"
            line = f"{tier.name}: {tier.place}, PostgreSQL {tier.server_version}, as {tier.role}, {secrecy}"
            console.print(Text(safe(line)), soft_wrap=True)
        for found in tier.problems:
            _finding(console, found)
    if report.journal_problem:
        sys.stdout.write(f"What is pending is not known: {safe(report.journal_problem)}\n")


def _row(one: TierReport) -> tuple[str, ...]:
    pending = None if one.pending_events is None else f"{one.pending_events} + {one.pending_deliveries}"
    seen = "–" if one.canary_seen is None else str(one.canary_seen)
    return (
        one.name,
        one.verdict,
        _or_dash(one.round_trip_ms, " ms"),
        _or_dash(pending),
        "–" if one.lag is None else f"{one.lag:.0f} s",
        f"{_or_dash(one.canary)} ({seen})",
        "–" if one.xmin_age is None else f"{one.xmin_age:.0f} s",
        _or_dash(one.events),
    )


def _or_dash(value: object, unit: str = "") -> str:
    return "–" if value is None else f"{value}{unit}"


def diagnosis(found: Diagnosis) -> None:
    """Show every finding, and the verdict last."""
    console = Console()
    for one in found.findings:
        _finding(console, one)
    console.print(Text(found.summary, style=_STYLE[found.verdict]))


def _finding(console: Console, one: Finding) -> None:
    console.print(Text(f"{one.verdict:<4}  {one.name}: {safe(one.what)}", style=_STYLE[one.verdict]), soft_wrap=True)
    if one.advice:
        console.print(Text(f"      → {safe(one.advice)}"), soft_wrap=True)


def migrated(done: Migrated, *, with_journal: bool) -> None:
    """Say of each place what was applied to it."""
    if with_journal:
        _applied(done.journal, done.applied)
    for tier in done.tiers:
        if tier.problem:
            sys.stdout.write(
                f"{tier.name}: {safe(tier.problem)}\n" + (f"  → {safe(tier.advice)}\n" * bool(tier.advice))
            )
        else:
            _applied(tier.name, tier.applied)
        if tier.login:
            sys.stdout.write(f"{tier.name}: {safe(tier.login)} may add to the log, and can't change it\n")


def _applied(place: str, applied: list[str]) -> None:
    sys.stdout.write(f"{place}: {'applied ' + ', '.join(applied) if applied else 'nothing to apply'}\n")


def imported(done: ImportReport) -> None:
    """Say what was read in, and what no export has."""
    sys.stdout.write(
        f"{done.journal}: {done.events} events of {done.threads} threads in {done.seconds:g} s, "
        f"{done.events_per_second} a second\n"
    )
    if done.words_gone:
        sys.stdout.write(
            f"{done.words_gone} of them have no words: they were erased, or under a key that was not set\n"
        )
    sys.stdout.write(f"Not in an export: {', '.join(done.missing)}. No reply is sent again.\n")


def drilled(found: DrillReport) -> None:
    """Say of each cut what it cost, and of the whole what was lost."""
    for cut in found.cuts:
        sys.stdout.write(
            f"{cut.tier}: the first turn {_or_dash(cut.first_turn_ms, ' ms')} after the cut, the longest "
            f"{_or_dash(cut.longest_turn_ms, ' ms')}, merged {_or_dash(cut.merged_ms, ' ms')} after the healing\n"
        )
    equal = "equal" if found.equal else "DIFFERENT"
    sys.stdout.write(
        f"{found.accepted} turns accepted, {found.refused} refused, {found.lost} lost; the copies are {equal}\n"
    )

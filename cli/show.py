"""Reports as tables for people, and as JSON for programs."""

import sys
from datetime import UTC, datetime, timedelta

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from holdfast.cli.plain import plain, safe
from holdfast.cli.rebuild import Rebuilt
from holdfast.cli.reports import FunnelReport
from holdfast.infrastructure.log.verify import Verdict
from holdfast.projections.transcript import Entry

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SHOWN = 50


def when(microseconds: int) -> str:
    """Write a time as people read it."""
    return (_EPOCH + timedelta(microseconds=microseconds)).strftime("%Y-%m-%d %H:%M:%S UTC")


def as_json(report: object) -> None:
    """Print a report as one JSON document."""
    text = msgspec.json.format(msgspec.json.encode(report), indent=2)
    sys.stdout.write(text.decode() + "\n")


def funnel(report: FunnelReport) -> None:
    """Show the bars of a flow, a step a line."""
    columns = ("step", "asked", "answered", "skipped", "rejected", "dropped", "open")
    table = Table(title=f"{report.flow}, as of {report.as_of}")
    for name in columns:
        table.add_column(name, justify="left" if name == "step" else "right")
    for step in report.steps:
        table.add_row(*(str(getattr(step, name)) for name in columns))
    Console().print(table)


def transcript(entries: list[Entry]) -> None:
    """Show what was said, what was decided, and the state after each."""
    console = Console()
    for entry in entries:
        head = f"{when(entry.occurred_at)}  {entry.kind}" + (f"  ({entry.rule})" if entry.rule else "")
        console.print(Text(head if entry.counts else f"{head}  a further copy, which does not count", style="bold"))
        console.print(Text(f"  person  {safe(entry.said)}"))
        for line in plain(entry.reply).splitlines():
            console.print(Text(f"  bot     {line}", style="dim"))
        fields = ", ".join(f"{name}={'–' if value is None else safe(value)}" for name, value in entry.fields.items())
        console.print(
            Text(
                f"  state   {entry.status}, step {entry.step or '–'}: {fields or 'nothing filed'}",
                style="green",
            )
        )


def verdict(found: Verdict) -> None:
    """Show what was checked and what does not hold."""
    out = sys.stdout
    out.write(f"{found.events} events and {found.deliveries} deliveries checked.\n")
    if found.erased:
        out.write(f"{found.erased} have had their words erased; their hashes hold without them.\n")
    if found.sealed:
        out.write(f"{found.sealed} are encrypted under a master key that is not set; their words were not checked.\n")
    for problem in found.problems[:_SHOWN]:
        out.write(f"PROBLEM: {problem}\n")
    more = len(found.problems) - _SHOWN
    out.write(f"… and {more} more\n" if more > 0 else "")
    out.write("Every hash and every parent link holds.\n" if not found.problems else "The log does NOT hold.\n")


def rebuilt(found: Rebuilt) -> None:
    """Show how the live tables compare with the events."""
    out = sys.stdout
    out.write(f"{found.events} events folded into {found.rows} rows.\n")
    for one in found.differences[:_SHOWN]:
        out.write(f"DIFFERENCE in {one.table} {one.key}: live {one.live}, folded {one.folded}\n")
    out.write("The live tables are what the events say.\n" if not found.differences else "The live tables differ.\n")

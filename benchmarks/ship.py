"""Journals given to fresh tiers: how fast, in how much memory, and what a turn costs beside a tier that has grown."""

import asyncio
import shutil
from pathlib import Path
from typing import NamedTuple

from benchmarks.contestants.build import build
from benchmarks.growth import FEW, MANY
from benchmarks.keeping_up import cross, live
from benchmarks.places import Place
from benchmarks.postgres import Postgres, postgres
from benchmarks.race import Entry, NotMeasured, race
from benchmarks.report import Goal, figure, missing, quotients, ratio, times, title
from benchmarks.stages import talk
from benchmarks.updates import SCRIPT

_CROWD = 100
_EACH = len(SCRIPT) - 1
"""Events of one person, whose conversation stays open."""


class Grown(NamedTuple):
    """A journal and a tier that hold the same events."""

    journal: Path
    dsn: str


def ship(place: Place) -> None:
    """Give a small journal and a great one to a tier each; then compare what turns cost there."""
    title(f"A tier in PostgreSQL that grows from {FEW:,} to {MANY:,} events, {place.name}")
    try:
        with postgres() as server:
            small, great = (asyncio.run(grown_tier(place, server, events)) for events in (FEW, MANY))
            for count, goal in ((1, Goal(1.1)), (_CROWD, Goal(1.35))):
                _compare(count, small, great, goal)
            _cold(great)
            asyncio.run(_both_ways(place, server, great))
            for one in (small, great):
                shutil.rmtree(one.journal.parent)
    except NotMeasured as reason:
        missing("a tier that grows", reason)


async def grown_tier(place: Place, server: Postgres, events: int) -> Grown:
    """Fill a journal, and let a fresh tier be given it."""
    journal = place.file("grown.db")
    await build(journal, (await talk(_EACH)).writes, events // _EACH)
    grown = Grown(journal, await asyncio.to_thread(server.database))
    await cross(f"ship {events:,} events to a fresh tier", journal, grown.dsn, events)
    await server.rest(grown.dsn)
    return grown


async def _both_ways(place: Place, server: Postgres, great: Grown) -> None:
    """Fill a fresh journal from the great tier; then let people talk while a further tier is filled."""
    empty = place.file("empty.db")
    await cross(f"catch up with {MANY:,} events of a tier", empty, great.dsn, MANY)
    shutil.rmtree(empty.parent)
    await live(great.journal, great.dsn, await asyncio.to_thread(server.database), MANY)


def _compare(count: int, small: Grown, great: Grown, goal: Goal) -> None:
    entries = (Entry("benchmarks.contestants.turns", (one.journal, count, one.dsn)) for one in (small, great))
    before, after = race(*entries)
    people = "1 person" if count == 1 else f"{count} people"
    ratio(f"a turn at {people}, great to small, p50", quotients(after.p50s(), before.p50s()), goal)
    times(f"{FEW:,} events", before)
    times(f"{MANY:,} events", after)


def _cold(great: Grown) -> None:
    (loads,) = race(Entry("benchmarks.contestants.cold", (great.journal, MANY // _EACH, great.dsn)))
    figure(f"cold load of a thread of {_EACH} events, p50", loads.p50s(), "us", Goal(1000))
    times("cold loads", loads)

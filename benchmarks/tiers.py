"""Races with a PostgreSQL tier beside the journal: one person, a network that takes its time, a hundred at once."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

from benchmarks.places import Place, needed
from benchmarks.postgres import Postgres, postgres
from benchmarks.race import ROOT, Entry, NotMeasured, race
from benchmarks.racing import PEERS
from benchmarks.report import Goal, figure, missing, quotients, ratio, times, title

_CROWD = 100
_POOL = 10
"""Connections of a pool, as asyncpg has them unless told otherwise."""
_AWAY = 20.0
"""Milliseconds to a tier and back."""


def tiers(places: Mapping[str, Place]) -> None:
    """All of it, with syncs that cost little and with 2 ms a sync."""
    title("The journal and a tier in PostgreSQL")
    for name in ("tmpfs", "2ms"):
        try:
            with postgres(slow=name == "2ms") as server:
                place = needed(places, name)
                _one(place, server)
                _writers(server)
                _crowd(place, server)
                if name == "tmpfs":
                    _away(place, server)
        except NotMeasured as reason:
            missing(f"tiers, {name}", reason)


def _turns(place: Place, people: int, *dsns: str) -> Entry:
    arguments = (place.file("ours.db"), people, *dsns)
    return Entry("benchmarks.contestants.turns", arguments, environment=place.environment)


def _one(place: Place, server: Postgres) -> None:
    ours, alone = _turns(place, 1, server.database()), _turns(place, 1)
    journal = Entry("benchmarks.contestants.floor", (place.file("floor.db"), "rows"), environment=place.environment)
    bare = Entry("benchmarks.contestants.tier_rows", (server.database(), 1, 1))
    writer = Entry("benchmarks.contestants.tier_writers", (server.database(), 1))
    mine, without, rows, floor, tier = race(ours, alone, journal, bare, writer)
    slower = max(rows, floor, key=lambda one: one.quantile(0.5))
    label = f"1 person, {place.name}: p50"
    if place.environment:
        ratio(f"{label} to the slower floor", quotients(mine.p50s(), slower.p50s()), Goal(1.1))
    else:
        over = [one - other for one, other in zip(mine.p50s(), slower.p50s(), strict=True)]
        figure(f"{label} beyond the slower floor", over, "us", Goal(250))
    times("a turn, journal and tier", mine)
    times("a turn, journal alone", without)
    times("sqlite3: the same rows, COMMIT", rows)
    times("asyncpg: the same rows on the tier", floor)
    times("the tier alone, without the engine", tier)


def _writers(server: Postgres) -> None:
    ours = Entry("benchmarks.contestants.tier_writers", (server.database(), _CROWD))
    bare = Entry("benchmarks.contestants.tier_rows", (server.database(), _CROWD, _POOL))
    peer = Entry("benchmarks.peers.recorder", (server.database(), _CROWD), PEERS)
    try:
        mine, naive, other = race(ours, bare, peer)
    except NotMeasured as reason:
        return missing(f"{_CROWD} writers, {server.name}", reason)
    label = f"{_CROWD} writers, {server.name}: turns/s"
    ratio(f"{label} to eventsourcing", quotients(mine.rates(), other.rates()), Goal(10, at_most=False))
    ratio(f"{label} to asyncpg", quotients(mine.rates(), naive.rates()), Goal(2, at_most=False))
    times("the tier, in batches", mine)
    times(f"asyncpg: the same rows, a pool of {_POOL}", naive)
    return times("eventsourcing: one row", other)


def _crowd(place: Place, server: Postgres) -> None:
    with_tier, without = race(_turns(place, _CROWD, server.database()), _turns(place, _CROWD))
    label = f"{_CROWD} people, {place.name}: turns/s to the journal alone"
    ratio(label, quotients(with_tier.rates(), without.rates()))
    times("turns, journal and tier", with_tier)
    times("turns, journal alone", without)


def _away(place: Place, server: Postgres) -> None:
    with delayed(server.database()) as far, delayed(server.database()) as other:
        bare = Entry("benchmarks.contestants.tier_rows", (other, 1, 1))
        mine, undelayed, floor = race(_turns(place, 1, far), _turns(place, 1, server.database()), bare)
    wanted = [_AWAY * 1000 + one for one in undelayed.p50s()]
    ratio(f"1 person, {_AWAY:.0f} ms away: p50 to {_AWAY:.0f} ms + a turn", quotients(mine.p50s(), wanted), Goal(1.08))
    times("a turn, away", mine)
    times("a turn, near", undelayed)
    times("asyncpg: the same rows, away", floor)


@contextmanager
def delayed(dsn: str) -> Iterator[str]:
    """Give the address of a tier that is far away."""
    parts = urlsplit(dsn)
    words = [sys.executable, "-m", "benchmarks.delay", str(parts.port), str(_AWAY / 2)]
    process = subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603
    try:
        port = process.stdout.readline().strip() if process.stdout else ""
        place = parts.netloc.rpartition(":")[0]
        yield urlunsplit(parts._replace(netloc=f"{place}:{port}"))
    finally:
        process.communicate()

"""The races: turns, people at once, and the whole way through the bot."""

import os
from collections.abc import Mapping

from benchmarks.places import Place, needed
from benchmarks.race import ROOT, Entry, NotMeasured, Result, race
from benchmarks.report import Goal, figure, missing, quotients, ratio, times, title

PEERS = os.environ.get("HOLDFAST_BENCH_PEERS", str(ROOT / ".venv-bench" / "bin" / "python"))
"""The Python that the peers are installed in."""

CROWD, MOB = 100, 200
_TURN_GOALS = {"tmpfs": Goal(2), "2ms": Goal(1.15)}
_CROWD_GOALS = {"tmpfs": Goal(3, at_most=False), "2ms": Goal(22, at_most=False)}
_TAIL_GOAL = Goal(3)


def turns(places: Mapping[str, Place]) -> None:
    """One person, against a plain insert and commit; a hundred, against aiosqlite turn by turn."""
    title("A turn of the engine over the journal")
    for name in ("tmpfs", "2ms", "disk"):
        try:
            place = needed(places, name)
            _one(place, _TURN_GOALS.get(name))
            _crowd(place, _CROWD_GOALS.get(name), _TAIL_GOAL if name != "disk" else None)
        except NotMeasured as reason:
            missing(f"turns, {name}", reason)


def _one(place: Place, goal: Goal | None) -> None:
    ours = Entry("benchmarks.contestants.turns", (place.file("ours.db"), 1), environment=place.environment)
    floor = Entry("benchmarks.contestants.floor", (place.file("floor.db"),), environment=place.environment)
    mine, least = race(ours, floor)
    ratio(f"1 person, {place.name}: p50 to INSERT + COMMIT", quotients(mine.p50s(), least.p50s()), goal)
    times("a turn", mine)
    times("sqlite3: INSERT + COMMIT", least)


def _crowd(place: Place, goal: Goal | None, tail: Goal | None) -> None:
    ours = Entry("benchmarks.contestants.turns", (place.file("ours.db"), CROWD), environment=place.environment)
    naive = Entry("benchmarks.contestants.naive", (place.file("naive.db"), CROWD), environment=place.environment)
    mine, other = race(ours, naive)
    ratio(f"{CROWD} people, {place.name}: turns/s to aiosqlite", quotients(mine.rates(), other.rates()), goal)
    times("the engine", mine)
    times("aiosqlite, turn by turn", other)
    figure("  p99 to p50", tails(mine), "x", tail)


def tails(result: Result) -> list[float]:
    """Give p99 over p50 of each slice."""
    return [Result([part]).quantile(0.99) / Result([part]).quantile(0.5) for part in result.slices]


def bots(places: Mapping[str, Place]) -> None:
    """Raw updates in, replies handed to the request layer, against the usual stacks."""
    title("The whole bot: a raw update in, its reply handed to the request layer")
    for name in ("tmpfs", "disk"):
        place = places[name]
        try:
            _alone(place, Goal(0.5) if name == "tmpfs" else None)
        except NotMeasured as reason:
            missing(f"1 person, {place.name}: python-telegram-bot", reason)
        for storage, limit in (("sqlite", 15), ("redis", 5)):
            try:
                _mob(place, storage, Goal(limit, at_most=False) if name == "tmpfs" else None)
            except NotMeasured as reason:
                missing(f"{MOB} people, {place.name}: aiogram with {storage}", reason)


def _alone(place: Place, goal: Goal | None) -> None:
    ours = Entry("benchmarks.contestants.bot", (place.file("ours.db"), 1))
    peer = Entry("benchmarks.peers.ptb", (place.file("talks.pickle"),), PEERS)
    mine, other = race(ours, peer)
    label = f"1 person, {place.name}: p50 to python-telegram-bot"
    ratio(label, quotients(mine.p50s(), other.p50s()), goal)
    times("Holdfast", mine)
    times("ConversationHandler, Pickle", other)


def _mob(place: Place, storage: str, goal: Goal | None) -> None:
    ours = Entry("benchmarks.contestants.bot", (place.file("ours.db"), MOB))
    peer = Entry("benchmarks.peers.aio", (storage, place.file("store").parent, MOB), PEERS)
    mine, other = race(ours, peer)
    label = f"{MOB} people, {place.name}: turns/s to aiogram, {storage}"
    ratio(label, quotients(mine.rates(), other.rates()), goal)
    times("Holdfast", mine)
    times(f"aiogram, {storage}", other)

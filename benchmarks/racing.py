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
_HOOK_GOAL = Goal(3, at_most=False)


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
    floors = [
        Entry("benchmarks.contestants.floor", (place.file("floor.db"), what), environment=place.environment)
        for what in ("rows", "event")
    ]
    mine, rows, event = race(ours, *floors)
    ratio(f"1 person, {place.name}: p50 to the same rows", quotients(mine.p50s(), rows.p50s()), goal)
    ratio("  to the event's row alone", quotients(mine.p50s(), event.p50s()))
    times("a turn", mine)
    times("sqlite3: the same rows, COMMIT", rows)
    times("sqlite3: INSERT the event, COMMIT", event)


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
    for name in ("tmpfs", "2ms", "disk"):
        try:
            place = needed(places, name)
        except NotMeasured as reason:
            missing(f"bots, {name}", reason)
            continue
        _alone(place, gated=name == "tmpfs")
        _mob(place, "sqlite", Goal(15, at_most=False) if name != "disk" else None)
        _mob(place, "redis", Goal(5, at_most=False) if name != "disk" else None)


def _alone(place: Place, *, gated: bool) -> None:
    ours = Entry("benchmarks.contestants.bot", (place.file("ours.db"), 1), environment=place.environment)
    peer = Entry("benchmarks.peers.ptb", (place.file("talks.pickle"),), PEERS, place.environment)
    label = f"1 person, {place.name}: p50 to python-telegram-bot"
    try:
        mine, other = race(ours, peer)
    except NotMeasured as reason:
        return missing(label, reason)
    ratio(label, quotients(mine.p50s(), other.p50s()), Goal(0.5) if gated else None)
    times("Holdfast", mine)
    return times("Pickle (it syncs nothing)", other)


def _mob(place: Place, storage: str, goal: Goal | None) -> None:
    ours = Entry("benchmarks.contestants.bot", (place.file("ours.db"), MOB), environment=place.environment)
    peer = Entry("benchmarks.peers.aio", (storage, place.file("store").parent, MOB), PEERS, place.environment)
    label = f"{MOB} people, {place.name}: turns/s to aiogram, {storage}"
    try:
        mine, other = race(ours, peer)
    except NotMeasured as reason:
        return missing(label, reason)
    ratio(label, quotients(mine.rates(), other.rates()), goal)
    times("Holdfast", mine)
    return times(f"aiogram, {storage}", other)


def webhook(places: Mapping[str, Place]) -> None:
    """Posted updates, each confirmed and answered before its person posts again, against a stock webhook."""
    title("The webhook: an update posted, confirmed, its reply handed to the request layer")
    for name in ("tmpfs", "2ms", "disk"):
        try:
            place = needed(places, name)
        except NotMeasured as reason:
            missing(f"webhook, {name}", reason)
            continue
        ours = Entry("benchmarks.contestants.webhook", (place.file("ours.db"), MOB), environment=place.environment)
        peer = Entry("benchmarks.peers.ptb_webhook", (place.file("talks.pickle"), MOB), PEERS, place.environment)
        label = f"{MOB} people, {place.name}: turns/s to python-telegram-bot"
        try:
            mine, other = race(ours, peer)
        except NotMeasured as reason:
            missing(label, reason)
            continue
        ratio(label, quotients(mine.rates(), other.rates()), _HOOK_GOAL if name != "disk" else None)
        times("Holdfast, one worker", mine)
        times("its webhook, Pickle (it syncs nothing)", other)

"""The figures in Prometheus' form: read when they are asked for, from what counts them anyway."""

import asyncio
import threading
from collections.abc import Iterable, Iterator
from itertools import accumulate

from msgspec import Struct
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily as Counter
from prometheus_client.core import GaugeMetricFamily as Gauge
from prometheus_client.core import HistogramMetricFamily as Histogram
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from holdfast.cli.wiring import Bot
from holdfast.engine.tally import BOUNDS, Spread, Tally
from holdfast.infrastructure.log.journal_figures import JournalFigures
from holdfast.infrastructure.log.journal_look import Backlog
from holdfast.infrastructure.tiers.breaker import Standing
from holdfast.infrastructure.tiers.tier import Tier

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECOND = 1_000_000


class Seen(Struct, frozen=True, kw_only=True):
    """What can't be read from memory: the journal's figures (None: not in time), the loop's lag, the time."""

    journal: JournalFigures | None
    loop_lag: float
    now: int


class Metrics:
    """All figures of one bot. They are kept apart from whatever else the process may count."""

    def __init__(self, bot: Bot) -> None:
        """Tell of this bot."""
        self._bot = bot
        self._process = ProcessCollector(registry=None)

    def text(self, seen: Seen) -> bytes:
        """Write them down."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Given([*self._families(seen), *self._process.collect()]))
        return generate_latest(registry)

    def _families(self, seen: Seen) -> Iterator[Metric]:
        yield from _counted(self._bot.watch)
        yield from _queues(self._bot, seen)
        yield from _of_tiers(self._bot.log.tiers, seen)
        yield from _of_journal(self._bot, seen)


class _Given(Collector):
    """Hands over what was collected already."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = list(families)

    def collect(self) -> Iterable[Metric]:
        return self._families


def _counted(tally: Tally) -> Iterator[Metric]:
    turns = Counter("holdfast_turns", "Turns, by kind of event and what became of them.", labels=["kind", "outcome"])
    for (kind, outcome), count in tally.turns.items():
        turns.add_metric([kind, outcome], count)
    yield turns
    yield _spread("holdfast_turn_seconds", "From an input's coming to its being durable.", tally.turn_took)
    yield _spread("holdfast_append_seconds", "The append alone.", tally.append_took)
    yield Counter("holdfast_inputs_again", "Inputs that came again and were known.", value=tally.again)
    yield Counter("holdfast_inputs_quarantined", "Inputs set aside since the start.", value=tally.quarantined)
    replies = Counter("holdfast_replies", "Replies whose fate was recorded, by outcome.", labels=["outcome"])
    for outcome in ("sent", "failed", "blocked"):
        replies.add_metric([outcome], tally.replies[outcome])
    yield replies
    yield Counter("holdfast_reply_retries", "Tries to send a reply beyond the first.", value=tally.retries)


def _spread(name: str, meaning: str, spread: Spread) -> Metric:
    bounds = [*map(str, BOUNDS), "+Inf"]
    buckets = list(zip(bounds, accumulate(spread.counts), strict=True))
    return Histogram(name, meaning, buckets=buckets, sum_value=spread.total)


def _queues(bot: Bot, seen: Seen) -> Iterator[Metric]:
    yield Gauge("holdfast_threads_busy", "Threads with a turn under way.", value=bot.turns.busy)
    yield Gauge("holdfast_replies_waiting", "Replies held in memory, waiting or being sent.", value=len(bot.sender))
    yield Gauge("holdfast_commits_waiting", "Writes waiting for the journal's next commit.", value=len(bot.log.commits))
    yield Gauge("holdfast_tasks", "Tasks in the loop.", value=len(asyncio.all_tasks()))
    yield Gauge("holdfast_os_threads", "Threads of the process.", value=threading.active_count())
    yield Gauge("holdfast_loop_lag_seconds", "How long the loop took to come round.", value=seen.loop_lag)
    here = bot.presence.is_here(seen.now)
    yield Gauge("holdfast_here", "1 while all that Telegram held has been read lately.", value=here)
    last = bot.presence.last / _SECOND
    yield Gauge("holdfast_last_here_timestamp_seconds", "When all that Telegram held was read last.", value=last)


def _of_tiers(tiers: tuple[Tier, ...], seen: Seen) -> Iterator[Metric]:
    serving = Gauge("holdfast_tier_serving", "1 while turns go to the tier.", labels=["tier"])
    standing = Gauge("holdfast_tier_standing", "1 for where the tier stands.", labels=["tier", "standing"])
    since = Gauge("holdfast_tier_standing_since_timestamp_seconds", "Since when it stands there.", labels=["tier"])
    waiting = Gauge("holdfast_tier_turns_waiting", "Turns waiting for their batch.", labels=["tier"])
    held = Gauge("holdfast_tier_held_back_seconds", "How long an open transaction holds its tail.", labels=["tier"])
    for tier in tiers:
        serving.add_metric([tier.name], tier.serves)
        waiting.add_metric([tier.name], tier.waiting)
        held.add_metric([tier.name], max(seen.now - tier.held_since, 0) / _SECOND if tier.held_since else 0.0)
        since.add_metric([tier.name], tier.breaker.since / _SECOND)
        for one in Standing:
            standing.add_metric([tier.name, one.value], tier.breaker.standing is one)
    yield from (serving, standing, since, waiting, held)
    if seen.journal is not None:
        yield from _lags(tiers, seen.journal, seen.now)


def _lags(tiers: tuple[Tier, ...], journal: JournalFigures, now: int) -> Iterator[Metric]:
    events = Gauge("holdfast_tier_lag_events", "Events the tier was not given yet.", labels=["tier"])
    deliveries = Gauge("holdfast_tier_lag_deliveries", "Deliveries it was not given yet.", labels=["tier"])
    seconds = Gauge("holdfast_tier_lag_seconds", "How long the oldest of them waits.", labels=["tier"])
    for tier in tiers:
        behind = journal.backlogs[tier.name]
        events.add_metric([tier.name], behind.events)
        deliveries.add_metric([tier.name], behind.deliveries)
        seconds.add_metric([tier.name], _age(behind, now))
    yield from (events, deliveries, seconds)


def _age(behind: Backlog, now: int) -> float:
    return max(now - behind.since, 0) / _SECOND if behind.since else 0.0


def _of_journal(bot: Bot, seen: Seen) -> Iterator[Metric]:
    commits, seconds = bot.log.commits.commits, bot.log.commits.seconds
    yield Counter("holdfast_journal_commits", "Commits to the journal.", value=commits)
    yield Counter("holdfast_journal_commit_seconds", "Seconds they took, with their sync.", value=seconds)
    if seen.journal is None:
        return
    yield Gauge("holdfast_replies_owed", "Replies owed, as the journal knows them.", value=seen.journal.owed)
    yield Gauge("holdfast_quarantine", "Inputs that wait in quarantine.", value=seen.journal.quarantined)
    size = Gauge("holdfast_journal_bytes", "The journal's files.", labels=["file"])
    for file, count in seen.journal.bytes.items():
        size.add_metric([file], count)
    yield size

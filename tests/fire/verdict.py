"""What is left of a storm: every journal and every tier, each held against what was acknowledged."""

import asyncio
import sqlite3
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from typing import Any

from holdfast.domain.evolve import fold
from holdfast.domain.fork import is_untold
from holdfast.domain.kinds import Kind
from tests.fire.evidence import Kept, compare, missing_replies, of_journals, of_tier, spoken
from tests.fire.hosts import Host
from tests.fire.places import Place
from tests.fire.posters import Poster
from tests.fire.reading import reading
from tests.fire.world import HEALING

_PATIENCE = 6 * HEALING
"""Seconds: no chat is sent more than a message a second, so replies are owed for longer than anything else lasts."""


@dataclass
class Verdict:
    """What a storm came to. `problems` is what does not hold; nothing is put down to what may be lost."""

    acknowledged: int = 0
    posts: int = 0
    copies: int = 0
    merges: int = 0
    events: int = 0
    worst: float = 0.0
    seconds: float = 0.0
    healing: float = 0.0
    faults: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @classmethod
    def of(
        cls, people: Sequence[Poster], found: Kept, problems: list[str], faults: Counter[str], *, seconds: float
    ) -> "Verdict":
        """Count."""
        taken = [one for person in people for one in person.taken]
        inputs = [one for one in found.events.values() if one.dedup_key.startswith("tg:")]
        merges = {one.dedup_key for one in found.events.values() if one.kind == Kind.MERGED}
        return cls(
            acknowledged=len(taken),
            posts=sum(one.tries for one in taken),
            copies=len(inputs) - len({one.dedup_key for one in inputs}),
            merges=len(merges),
            events=len(found.events),
            worst=max(one.took for one in taken),
            seconds=seconds,
            faults=dict(faults),
            problems=problems,
        )

    def figures(self) -> dict[str, Any]:
        """Give all of it."""
        return asdict(self)

    def line(self) -> str:
        """Tell it in a line."""
        return (
            f"{self.acknowledged} inputs acknowledged after {self.posts} posts, {self.copies} further copies, "
            f"{self.merges} forks told, {sum(self.faults.values())} faults in {self.seconds:.0f} s, "
            f"the longest wait {self.worst:.1f} s, all alike {self.healing:.1f} s after the last fault; "
            f"{len(self.problems)} problems"
        )


async def at_rest(hosts: Sequence[Host], places: Sequence[Place], people: Sequence[Poster]) -> tuple[list[str], Kept]:
    """Wait until all hold as much, then read all; again, until nothing is wrong or it has lasted too long."""
    end = time.monotonic() + _PATIENCE
    while True:
        while not await _as_much(hosts, places) and time.monotonic() < end:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.5)
        problems, found = await _judged(hosts, places, people)
        if not problems or time.monotonic() > end:
            return problems, found
        await asyncio.sleep(0.5)


async def _as_much(hosts: Sequence[Host], places: Sequence[Place]) -> bool:
    """Whether journals and tiers count the same, and no reply is owed by a bot."""
    counts = [await asyncio.to_thread(_counted, host) for host in hosts]
    for place in places:
        look = await place.database.connect()
        try:
            row = await look.fetchrow("SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM deliveries)")
        finally:
            await look.close()
        counts.append(tuple(row or ()))
    return len(set(counts)) == 1


def _counted(host: Host) -> tuple[int, ...]:
    with closing(sqlite3.connect(f"file:{host.journal}?mode=ro", uri=True)) as journal:
        row = journal.execute("SELECT (SELECT count(*) FROM kept_events), (SELECT count(*) FROM deliveries)")
        return tuple(row.fetchone())


async def _judged(hosts: Sequence[Host], places: Sequence[Place], people: Sequence[Poster]) -> tuple[list[str], Kept]:
    journals = []
    for host in hosts:
        async with reading(host.journal) as journal:
            journals.append(await of_journals([journal]))
        journals[-1].name = host.name
    tiers = [await of_tier(place) for place in places]
    whole = Kept("all journals")
    for kept in journals:
        whole.events |= kept.events
        whole.deliveries |= kept.deliveries
    problems = compare(whole, [*journals, *tiers])
    for kept in (*journals, *tiers):
        problems += spoken(people, kept)
    return [*problems, *missing_replies(whole), *_untold(whole)], whole


def _untold(whole: Kept) -> list[str]:
    """Name the threads in which a fork left something that nobody was told."""
    untold = [thread_id.hex() for thread_id, events in whole.threads().items() if is_untold(fold(events))]
    return [f"{len(untold)} threads have something untold: {untold[:3]}"] if untold else []

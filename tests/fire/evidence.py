"""What is left after a fault: every journal and every tier, read row by row and held against what was acknowledged."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Protocol

import asyncpg

from holdfast.domain.debts import owed
from holdfast.domain.event import Event
from holdfast.domain.ids import EventId, ThreadId
from holdfast.domain.order import counted
from holdfast.domain.ports import RowChange
from holdfast.infrastructure.log.envelope import Record
from holdfast.infrastructure.log.stores import JournalStore
from holdfast.infrastructure.log.verify import Verifier
from holdfast.infrastructure.tiers.wire import as_record
from holdfast.projections.fold import TABLES, rows_of
from tests.conformance.scribe import codec
from tests.conformance.tiers import READ_ROWS, look_into
from tests.fire.people import Person
from tests.fire.places import Place
from tests.tiers.workers import FLOWS

_COLUMNS = ", ".join(Record._fields)
_KEYS = {"conversation_states": 3, "user_machines": 1, "photos_wanted": 1}
_SHOWN = 5
"""How many problems of one kind are told."""


class Speaker(Protocol):
    """Somebody whose inputs were acknowledged, one after the other."""

    @property
    def number(self) -> int:
        """Who it is."""

    @property
    def thread_id(self) -> ThreadId:
        """The person's thread."""

    @property
    def keys(self) -> list[str]:
        """The names of the inputs, in the order in which they were sent."""


@dataclass
class Kept:
    """All that one tier or all journals hold.

    Of a tier, `open` counts the threads that lack an event, `owed` the replies that its heads say are owed.
    """

    name: str
    events: dict[EventId, Record] = field(default_factory=dict)
    deliveries: dict[EventId, Record] = field(default_factory=dict)
    rows: dict[tuple[str, tuple[object, ...]], RowChange] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    open: int = 0
    owed: int = 0

    def threads(self) -> dict[ThreadId, list[Event]]:
        """Give the events of each thread."""
        found: dict[ThreadId, list[Event]] = {}
        for record in self.events.values():
            found.setdefault(record.thread_id, []).append(codec().event(record))
        return found


async def of_tier(place: Place) -> Kept:
    """Read a tier, past the program, as anybody can."""
    look = await look_into(place.database)
    try:
        kept = Kept(place.name, await _records(look, "events"), await _records(look, "deliveries"))
        for table in TABLES:
            for row in await look.fetch(READ_ROWS[table]):
                values, keys = tuple(row), _KEYS[table]
                kept.rows[table, values[:keys]] = RowChange(table, values[:keys], values[keys:])
        quarantined = await look.fetchval("SELECT count(*) FROM quarantine")
        kept.problems += [f"{place.name}: {quarantined} in quarantine"] if quarantined else []
        kept.open = await look.fetchval("SELECT count(*) FROM heads WHERE NOT hint_valid")
        kept.owed = await look.fetchval("SELECT coalesce(sum(undelivered), 0) FROM heads")
        return kept
    finally:
        await look.close()


async def _records(look: "asyncpg.Connection[asyncpg.Record]", table: str) -> dict[EventId, Record]:
    rows = await look.fetch(f"SELECT {_COLUMNS} FROM {table}")  # noqa: S608 - our own names
    return {record.event_id: record for record in (as_record(tuple(row)) for row in rows)}


async def of_journals(journals: Sequence[JournalStore]) -> Kept:
    """Read all journals together; the rows are those of a bot that is alone."""
    kept = Kept("journals")
    for journal in journals:
        kept.problems += (await Verifier(journal, codec()).verify()).problems
        async for thread_id in journal.threads():
            for found, records in (
                (kept.events, await journal.thread(thread_id)),
                (kept.deliveries, await journal.deliveries(thread_id)),
            ):
                found |= {record.event_id: record for record in records}
    if len(journals) == 1:
        kept.rows = {(row.table, row.key): row for table in TABLES for row in await journals[0].rows(table)}
    return kept


def judge(people: Sequence[Speaker], journals: Kept, tiers: Sequence[Kept], bots: int) -> list[str]:
    """Say what does not hold, each as a sentence."""
    problems = compare(journals, tiers)
    for kept in (journals, *tiers):
        problems += spoken(people, kept)
    if bots == 1:
        problems += _rows_follow(journals)
        # With several bots a settlement may count a reply as owed whose delivery another bot has just given.
        problems += [f"{tier.name}: {tier.owed} replies are owed" for tier in tiers if tier.owed]
    return [*problems, *_answered_once(journals)]


def spoken(people: Sequence[Speaker], kept: Kept) -> list[str]:
    """Say whose acknowledged inputs do not all stand there, once and in their order."""
    threads = kept.threads()
    told = [(person, _in_order(person, threads.get(person.thread_id, []))) for person in people]
    return [f"{kept.name}: {text}" for _, found in told for text in found]


def compare(journals: Kept, tiers: Sequence[Kept]) -> list[str]:
    """Say where a tier does not hold what the journals hold, or its rows do not follow from its events."""
    problems = list(chain(journals.problems, *(tier.problems for tier in tiers)))
    for tier in tiers:
        problems += _same(journals, tier)
        problems += _rows_follow(tier)
        problems += [f"{tier.name}: {tier.open} threads lack an event"] if tier.open else []
    return problems


def _same(journals: Kept, tier: Kept) -> list[str]:
    problems = []
    for what, here, there in (
        ("events", journals.events, tier.events),
        ("deliveries", journals.deliveries, tier.deliveries),
    ):
        lacks, more = here.keys() - there.keys(), there.keys() - here.keys()
        other = [one for one in here.keys() & there.keys() if here[one] != there[one]]
        if lacks or more or other:
            problems.append(f"{tier.name} lacks {len(lacks)} {what}, has {len(more)} more, {len(other)} otherwise")
    return problems


def _rows_follow(kept: Kept) -> list[str]:
    folded = [rows_of(FLOWS, events).values() for events in kept.threads().values()]
    wanted = {(row.table, row.key): row for row in chain.from_iterable(folded)}
    wrong = [key for key in wanted.keys() | kept.rows.keys() if wanted.get(key) != kept.rows.get(key)]
    told = [f"{key}: {kept.rows.get(key)} where {wanted.get(key)} should be" for key in wrong[:_SHOWN]]
    return [f"{kept.name}: {len(wrong)} rows do not follow from the events: {told}"] if wrong else []


def _in_order(person: Speaker, events: Sequence[Event]) -> list[str]:
    """Each acknowledged input once, in the order in which it was sent, and nothing else."""
    said = person.keys
    found = [event.dedup_key for event in counted(events) if event.dedup_key.startswith("tg:")]
    if said == found:
        return []
    lost, strange = set(said) - set(found), set(found) - set(said)
    twice = [key for key, times in Counter(found).items() if times > 1]
    return [f"{person.number}: lost {lost}, never said {strange}, twice {twice}, in order: {not (lost or strange)}"]


def _answered_once(journals: Kept) -> list[str]:
    """Every input that counts has its reply recorded as sent."""
    fates = Counter(record.parents for record in journals.deliveries.values())
    twice = [number for number in fates.values() if number > 1]
    problems = missing_replies(journals)
    return [*problems, f"{len(twice)} replies are recorded twice"] if twice else problems


def missing_replies(journals: Kept) -> list[str]:
    """Say which inputs that count were never answered, neither they nor a copy in which the same was decided."""
    answered = {record.parents for record in journals.deliveries.values()}
    waiting = [one for events in journals.threads().values() for one in owed(events, answered)]
    kinds = [journals.events[one].kind for one in waiting[:_SHOWN]]
    return [f"{len(waiting)} inputs have no reply: {kinds}"] if waiting else []


def names_saved(kept: Kept, person: Person) -> list[str]:
    """Give the names of a person's machines, as a table has them."""
    rows: Iterable[RowChange] = kept.rows.values()
    found = [row.values for row in rows if row.table == "user_machines" and row.values]
    return sorted(str(values[1]) for values in found if values[0] == person.number)

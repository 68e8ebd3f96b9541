"""What must hold once all is healed and at rest: nothing acknowledged is gone, and everybody knows the same."""

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from holdfast.domain.debts import owed
from holdfast.domain.event import Event
from holdfast.domain.evolve import EMPTY, evolve
from holdfast.domain.fork import is_untold
from holdfast.domain.ids import EventId, ThreadId, as_text, thread_of
from holdfast.domain.kinds import ACCEPTED, FILING, Kind
from holdfast.domain.order import counted
from holdfast.domain.ports import RowChange
from holdfast.domain.state import ThreadState
from holdfast.infrastructure.log.envelope import Record, split_ids
from holdfast.infrastructure.log.verify import Verifier
from holdfast.infrastructure.tiers.store import Mark
from holdfast.projections.fold import TABLES
from tests.simulation.telegram import Update
from tests.simulation.tiers import at_once
from tests.simulation.watch import tell_of
from tests.simulation.worker import BOT, CODEC, Worker, rows_from

if TYPE_CHECKING:
    from tests.simulation.world import World


_PARENT_MISSING = "names a parent that is not there"


class Oracle:
    """Judges a world at rest. What was destroyed for good is excused, and nothing else."""

    def __init__(self, world: "World") -> None:
        self._story = world.story
        self._servers = world.servers
        self._workers = world.workers
        self._telegram = world.telegram
        self._losses = world.losses
        self._union: dict[EventId, Record] = {}
        self._deliveries: dict[EventId, Record] = {}

    async def judge(self) -> None:
        """Look at everything."""
        for server in self._servers:
            self._gather(server.events, server.deliveries)
        for worker in self._workers:
            journal = worker.disk.journal
            live = {key: one for key, one in journal._events.items() if key not in journal._aborted}  # noqa: SLF001
            self._gather(live, journal._deliveries)  # noqa: SLF001 - all that it holds
        self._aborted_are_nowhere()
        self._tiers_are_equal()
        self._deliveries_answer()
        for person in self._telegram.chats:
            self._thread(thread_of("telegram", BOT, person), person)
        for worker in self._workers:
            await self._journal(worker)

    def _gather(self, events: dict[EventId, Record], deliveries: dict[EventId, Record]) -> None:
        for kept, found in ((self._union, events), (self._deliveries, deliveries)):
            for event_id, record in found.items():
                if kept.setdefault(event_id, record).hash != record.hash:
                    self._problem(f"two events have the identity of {tell_of(record)}")

    def _problem(self, text: str) -> None:
        self._story.problem(text)

    def _aborted_are_nowhere(self) -> None:
        for worker in self._workers:
            for event_id in worker.disk.journal._aborted:  # noqa: SLF001 - what was taken back
                if event_id in self._union:
                    told = tell_of(self._union[event_id])
                    self._problem(f"{worker.name} has taken back {told}, which stands elsewhere")

    def _tiers_are_equal(self) -> None:
        for server in self._servers:
            for kept, held in ((self._union, server.events), (self._deliveries, server.deliveries)):
                if missing := [tell_of(one) for event_id, one in kept.items() if event_id not in held]:
                    self._problem(f"{server.name} lacks {', '.join(missing[:5])} ({len(missing)} in all)")
            if server.store.quarantine:
                self._problem(f"{server.name} holds twins")

    def _deliveries_answer(self) -> None:
        for one in self._deliveries.values():
            if one.parents not in self._union.keys() | self._losses.events:
                self._problem(f"a delivery answers an event that is nowhere: {tell_of(one)}")

    def _thread(self, thread_id: ThreadId, person: int) -> None:
        records = [one for one in self._union.values() if one.thread_id == thread_id]
        events = [CODEC.event(one) for one in records]
        updates = [one for one in self._telegram.updates if one.person == person]
        self._inputs_count_once(thread_id, updates)
        self._accepted_count(events)
        self._nothing_is_dropped(events)
        self._expiries_know_all(events)
        self._order_is_kept(events, updates)
        self._replies_were_given(events)
        self._tiers_amount_to_it(thread_id, records, events)

    def _inputs_count_once(self, thread_id: ThreadId, updates: Sequence[Update]) -> None:
        """What was acknowledged counts once; what was destroyed for good may be gone."""
        events = [CODEC.event(one) for one in self._union.values() if one.thread_id == thread_id]
        counts = [event.dedup_key for event in counted(events)]
        for update in updates:
            times = counts.count(update.key)
            if update.acknowledged >= 0 and times != 1 and (times or update.key not in self._losses.inputs):
                self._problem(f"u{update.number} was acknowledged, and counts {times} times")

    def _accepted_count(self, events: Sequence[Event]) -> None:
        counts = {event.dedup_key: event for event in counted(events)}
        for event in events:
            if event.kind in ACCEPTED and counts[event.dedup_key].kind not in ACCEPTED:
                self._problem(f"{event.kind} of {event.dedup_key} was accepted, and another copy counts")

    def _nothing_is_dropped(self, events: Sequence[Event]) -> None:
        state = EMPTY
        for event in counted(events):
            before, state = state, evolve(state, event)
            if event.kind in FILING and _overwrites(before, state, event):
                self._problem(f"{event.dedup_key} took the place of an answer that its worker had not seen")
            if event.kind == Kind.ANSWERED and not _is_kept(state, event):
                self._problem(f"the answer {event.dedup_key} is neither filed nor unfiled")
        if is_untold(state):
            untold = [one.source for one in state.unfiled]
            self._problem(f"a fork left {untold}, {len(state.superseded)} superseded, and the person was not told")

    def _expiries_know_all(self, events: Sequence[Event]) -> None:
        for expiry in (event for event in counted(events) if event.kind == Kind.EXPIRED):
            accepted = {
                event.dedup_key
                for event in counted(events)
                if event.conversation_id == expiry.conversation_id and event.kind in ACCEPTED
            }
            if not accepted.issubset(expiry.facts.basis):
                self._problem("a conversation has expired, though its person went on with it")

    def _order_is_kept(self, events: Sequence[Event], updates: Sequence[Update]) -> None:
        """Who waits for an answer is not overtaken by what they say next; what was lost may come again, and late."""
        places = {event.dedup_key: place for place, event in enumerate(counted(events))}
        for one, other in combinations([update for update in updates if update.key in places], 2):
            waited = 0 <= one.acknowledged <= other.first_posted
            if waited and places[one.key] > places[other.key] and one.key not in self._losses.inputs:
                self._problem(f"u{one.number} was acknowledged before u{other.number} was sent, and stands behind it")

    def _replies_were_given(self, events: Sequence[Event]) -> None:
        """Whoever took an input in answers it; another worker, when that one is silent for long."""
        answered = {one.parents for one in self._deliveries.values()}
        for event_id in owed(events, answered):
            self._problem(f"nobody was ever answered to {tell_of(self._union[event_id])}")

    def _tiers_amount_to_it(self, thread_id: ThreadId, records: Sequence[Record], events: Sequence[Event]) -> None:
        heads = _ends(records)
        rows = sorted(rows_from(events), key=_row_name)
        answered = {one.parents for one in self._deliveries.values()}
        debts = len(owed(events, answered))
        missing = {parent for one in records for parent in split_ids(one.parents)} - self._union.keys()
        for server in self._servers:
            [mark] = at_once(server.store.marks([thread_id], 1.0))
            if heads and (mark != Mark(mark.rev, heads, closed=not missing) or not missing <= self._losses.events):
                self._problem(f"{server.name} does not know where a thread ends: {mark}")
            if missing & self._losses.events:
                continue  # a thread that has lost an event goes on, but a tier's rows do not follow it any more
            mine = [row for table in TABLES for row in server.store.rows(table) if _is_of(row, events)]
            if sorted(mine, key=_row_name) != rows:
                self._problem(f"the rows on {server.name} are not what the events amount to")
            if server.store.debt(thread_id) != debts:
                self._problem(f"{server.name} counts {server.store.debt(thread_id)} replies owed, it is {debts}")

    async def _journal(self, worker: Worker) -> None:
        verdict = await Verifier(worker.disk.journal, CODEC).verify()
        gone = tuple(as_text(event_id) for event_id in self._losses.events)
        for problem in verdict.problems:
            if not (_PARENT_MISSING in problem and problem.endswith(gone)):
                self._problem(f"journal of {worker.name}: {problem}")
        stands = [row for table in TABLES for row in await worker.disk.journal.rows(table)]
        wanted = []
        async for thread_id in worker.disk.journal.threads():
            records = await worker.disk.journal.thread(thread_id)
            wanted += rows_from([CODEC.event(one) for one in records])
        if sorted(stands, key=_row_name) != sorted(wanted, key=_row_name):
            self._problem(f"the rows in the journal of {worker.name} are not what its events amount to")


def _row_name(row: RowChange) -> tuple[str, str]:
    return row.table, repr(row.key)


def _is_of(row: RowChange, events: Sequence[Event]) -> bool:
    """Whether a row is about the person of these events."""
    person = next((event.words.said.user_id for event in events if event.words and event.words.said), 0)
    return bool(person == (row.key[0] if row.table == "conversation_states" else (row.values or (0,))[0]))


def _ends(records: Iterable[Record]) -> tuple[EventId, ...]:
    here = list(records)
    named = {parent for one in here for parent in split_ids(one.parents)}
    return tuple(sorted(one.event_id for one in here if one.event_id not in named))


def _overwrites(before: ThreadState, after: ThreadState, event: Event) -> bool:
    """Whether an answer took the place of another one than it says."""
    was, is_now = (state.conversation(event.conversation_id) for state in (before, after))
    held = was.fields.get(event.facts.field) if was else None
    files = is_now.fields.get(event.facts.field) if is_now else None
    replaced = held.source if held else ""
    return files is not None and files != held and files.source == event.dedup_key and replaced != event.facts.replaces


def _is_kept(after: ThreadState, event: Event) -> bool:
    value = event.words.value if event.words else ""
    if any(one.source == event.dedup_key and one.value == value for one in after.unfiled):
        return True
    here = (one for one in (*after.open, *after.superseded) if one.conversation_id == event.conversation_id)
    answer = next((one.fields.get(event.facts.field) for one in here), None)
    return answer is not None and answer.value == value

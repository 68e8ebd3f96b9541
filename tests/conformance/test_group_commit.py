"""Many writers, few commits: each hears of its own write."""

import asyncio
from collections.abc import Sequence

import pytest

from holdfast.domain.errors import Conflict, HoldfastError, LogUnavailable
from holdfast.infrastructure.log.group_commit import MAX_BATCH, GroupCommit
from holdfast.infrastructure.log.stores import AppendWrite, JournalStore, MetaWrite, Outcome, Write
from tests.conformance.scribe import EMPTY, Scribe, inbound, set_aside


class Counted:
    """A store whose batches are counted, and which waits until it is let go."""

    def __init__(self, journal: JournalStore) -> None:
        self.journal = journal
        self.batches: list[int] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.at_once = 0

    async def commit(self, batch: Sequence[Write]) -> Sequence[Outcome]:
        self.batches.append(len(batch))
        self.at_once += 1
        assert self.at_once == 1
        await self.gate.wait()
        outcomes = await self.journal.commit(batch)
        self.at_once -= 1
        return outcomes


class Failing:
    """A store that raises, as often as it is told."""

    def __init__(self, journal: JournalStore, error: Exception) -> None:
        self.journal = journal
        self.errors = [error]

    async def commit(self, batch: Sequence[Write]) -> Sequence[Outcome]:
        await asyncio.sleep(0)
        if self.errors:
            raise self.errors.pop()
        return await self.journal.commit(batch)


async def outcomes_of(commits: GroupCommit[Write, None], writes: Sequence[Write]) -> list[object]:
    return list(await asyncio.gather(*(commits.write(write) for write in writes), return_exceptions=True))


async def test_concurrent_writers_all_become_durable(journal: JournalStore) -> None:
    """Hundreds of writers on threads of their own need few commits, and each write is there."""
    store = Counted(journal)
    commits, scribe = GroupCommit(store.commit), Scribe()
    writes = [scribe.append(inbound(update, person=update)) for update in range(1, 701)]

    outcomes = await outcomes_of(commits, writes)

    assert outcomes == [None] * 700
    assert await journal.counts() == (700, 0, 0)
    assert max(store.batches) <= MAX_BATCH
    assert len(store.batches) <= 3


async def test_each_writer_gets_its_own_outcome(journal: JournalStore) -> None:
    """In one commit a conflict is told to the writer who has it, and the others are told of success."""
    commits, scribe = GroupCommit(journal.commit), Scribe()
    good = [scribe.append(inbound(person, person=person)) for person in range(1, 50)]
    stale = [scribe.append(inbound(100 + person, person=person), on=EMPTY) for person in range(1, 50)]
    mixed: list[Write] = [write for pair in zip(good, stale, strict=True) for write in pair]

    outcomes = await outcomes_of(commits, mixed)

    assert [type(outcome) for outcome in outcomes] == [type(None), Conflict] * 49
    assert await journal.counts() == (49, 0, 0)


async def test_writers_collect_while_a_commit_is_under_way(journal: JournalStore) -> None:
    """A lone writer is committed at once, those who come meanwhile together, in the order they came."""
    store = Counted(journal)
    commits, scribe = GroupCommit(store.commit), Scribe()
    store.gate.clear()
    writes = [scribe.append(inbound(update)) for update in range(1, 10)]
    tasks = [asyncio.create_task(commits.write(writes[0]))]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    tasks += [asyncio.create_task(commits.write(write)) for write in writes[1:]]
    await asyncio.sleep(0)
    store.gate.set()
    await asyncio.gather(*tasks)

    assert store.batches == [1, 8]
    assert await journal.head_ids(writes[-1].record.thread_id) == (writes[-1].record.event_id,)


async def test_a_patient_writer_shares_the_next_commit(journal: JournalStore) -> None:
    """Writers with patience begin no commit; whoever has none takes them along."""
    store = Counted(journal)
    commits, scribe = GroupCommit(store.commit), Scribe()
    patient = [asyncio.create_task(commits.write(scribe.append(inbound(n, person=n)), 60.0)) for n in range(1, 4)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    before = list(store.batches)
    await commits.write(scribe.append(inbound(4, person=4)))
    await asyncio.gather(*patient)

    assert before == []
    assert store.batches == [4]


async def test_patience_ends_by_itself(journal: JournalStore) -> None:
    """With nobody else writing, a writer with patience is durable all the same, and so is the next one."""
    store = Counted(journal)
    commits, scribe = GroupCommit(store.commit), Scribe()
    for n in (1, 2):
        await commits.write(scribe.append(inbound(n, person=n)), 0.001)

    assert store.batches == [1, 1]
    assert await journal.counts() == (2, 0, 0)


async def test_closing_waits_for_no_patience(journal: JournalStore) -> None:
    """A writer that waits for company is committed at once when the commits are closed."""
    commits = GroupCommit(journal.commit)
    waiting = asyncio.create_task(commits.write(Scribe().append(inbound(1)), 3600.0))
    await asyncio.sleep(0)
    await commits.close()
    await waiting

    assert await journal.counts() == (1, 0, 0)


async def test_a_cancelled_writer_does_not_break_the_others(journal: JournalStore) -> None:
    """Writers who give up while they wait or while they are being committed leave the rest undisturbed."""
    store = Counted(journal)
    commits, scribe = GroupCommit(store.commit), Scribe()
    store.gate.clear()
    tasks = [asyncio.create_task(commits.write(scribe.append(inbound(n, person=n)))) for n in range(1, 4)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    tasks += [asyncio.create_task(commits.write(scribe.append(inbound(n, person=n)))) for n in range(4, 7)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    tasks[4].cancel()
    await asyncio.sleep(0)
    store.gate.set()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)

    assert [type(one) for one in outcomes] == [
        *(asyncio.CancelledError, type(None), type(None)),
        *(type(None), asyncio.CancelledError, type(None)),
    ]
    assert (await journal.counts())[0] == 6
    await commits.write(set_aside("after"))
    assert (await journal.counts())[2] == 1


@pytest.mark.parametrize("error", [RuntimeError("a driver's own"), OSError(28, "No space left"), KeyError("name")])
async def test_a_store_that_raises_is_unavailable_to_each(journal: JournalStore, error: Exception) -> None:
    """Whatever a driver raises, each writer of the batch hears LogUnavailable, and the next commit works."""
    commits, scribe = GroupCommit(Failing(journal, error).commit), Scribe()
    writes = [scribe.append(inbound(person, person=person)) for person in range(1, 6)]

    refused = await outcomes_of(commits, writes)
    accepted = await outcomes_of(commits, writes)

    assert [type(one) for one in refused] == [LogUnavailable] * 5
    assert accepted == [None] * 5
    assert await journal.counts() == (5, 0, 0)


async def test_a_store_that_says_unavailable_is_quoted(journal: JournalStore) -> None:
    """A LogUnavailable of the store reaches the writers with the store's own words."""
    commits = GroupCommit(Failing(journal, LogUnavailable("the disk is full")).commit)

    with pytest.raises(LogUnavailable, match=r"^the disk is full$"):
        await commits.write(MetaWrite("name", "value"))


async def test_closing_finishes_what_was_handed_in(journal: JournalStore) -> None:
    """Writers who came before the close are committed, one who comes after it is refused."""
    commits, scribe = GroupCommit(journal.commit), Scribe()
    writes: list[AppendWrite] = [scribe.append(inbound(person, person=person)) for person in range(1, 6)]
    tasks = [asyncio.create_task(commits.write(write)) for write in writes]
    await asyncio.sleep(0)

    await commits.close()

    assert await journal.counts() == (5, 0, 0)
    await asyncio.gather(*tasks)
    with pytest.raises(HoldfastError, match="closed"):
        await commits.write(set_aside("late"))

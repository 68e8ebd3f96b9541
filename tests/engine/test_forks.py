"""Two engines wrote one thread apart: whoever learns of it tells the person, once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from msgspec.structs import replace

from holdfast.domain.errors import Conflict, LogUnavailable
from holdfast.domain.event import Draft, Facts, Words
from holdfast.domain.ids import OriginId
from holdfast.domain.kinds import Kind
from holdfast.domain.wording import WORDING
from holdfast.engine.forks import UntoldForks
from holdfast.infrastructure.log.memory import MemoryJournal
from holdfast.infrastructure.log.union import Refolding
from holdfast.projections.fold import rows_of
from tests.conformance.scribe import ADA, codec, inbound, thread
from tests.engine.fakes import FLOWS, House, fails, house, said_as

REFOLDING = Refolding(codec(), lambda events: list(rows_of(FLOWS, events).values()))


def journals() -> tuple[MemoryJournal, MemoryJournal]:
    """Two journals of two machines."""
    return MemoryJournal(OriginId(b"A" * 16)), MemoryJournal(OriginId(b"B" * 16))


async def learn(to: MemoryJournal, other: MemoryJournal) -> None:
    """Bring what one journal holds into another, as a tier does it."""
    kept, learned = await to.thread(thread(ADA)), await other.thread(thread(ADA))
    head = await to.head(thread(ADA))
    [outcome] = await to.commit([REFOLDING.union(thread(ADA), head, kept, learned=learned)])
    assert outcome is None


@asynccontextmanager
async def forked(*, known: bool = False) -> AsyncIterator[tuple[House, MemoryJournal]]:
    """An engine that has learned of another side: its person answered "Press 4" here and "Press 5" there."""
    here, there = journals()
    async with house(here) as engine, house(there, seed=2) as other:
        await engine.say("/addmachine")
        await learn(there, here)
        await other.hear(inbound(3, "Press 5"))
        await engine.hear(inbound(2, "Press 4"))
        await learn(here, there)
        if known:
            await UntoldForks(engine.log, engine.turns, engine.clock).resume()
            await engine.sender.settle()
        yield engine, here


def cards(engine: House) -> int:
    """How often the person read the card."""
    return sum(text.startswith(WORDING["merged"]) for text in engine.messages.texts())


async def test_what_a_fork_left_is_told_when_it_is_learned() -> None:
    """No input is needed: the card is there as soon as the log knows both sides, and the fork has one end again."""
    async with forked(known=True) as (engine, journal):
        assert (await engine.kinds())[-1] == Kind.MERGED
        assert cards(engine) == 1
        assert await journal.forked() == ()
        assert await engine.debts() == []


async def test_it_is_told_once_however_often_it_is_asked_for() -> None:
    """Neither a second look, nor the next input, nor the next process tells it again."""
    async with forked(known=True) as (engine, journal):
        again = UntoldForks(engine.log, engine.turns, engine.clock)
        assert await again.resume() == 0
        await engine.hear(inbound(4, "ACME"))
        async with house(journal, seed=3) as after:
            assert await UntoldForks(after.log, after.turns, after.clock).resume() == 0
            assert await after.resume() == 0

        assert cards(engine) == 1
        assert (await engine.kinds()).count(Kind.MERGED) == 1


async def test_the_next_input_tells_it_first() -> None:
    """Where nobody looked, the person's next input finds the fork, and the card comes before its reply."""
    async with forked() as (engine, _journal):
        await engine.hear(inbound(4, "ACME"))

        assert (await engine.kinds())[-2:] == [Kind.MERGED, Kind.ANSWERED]
        assert cards(engine) == 1
        assert "ACME" in engine.messages.texts()[-1]


async def test_a_fact_from_outside_tells_it_first() -> None:
    """Whatever makes one end of two has told what differed before."""
    async with forked() as (engine, _journal):
        fact = said_as(replace(inbound(4), dedup_key="photo:1", order=-1), type="fact")
        draft = Draft(kind=Kind.PHOTO_STORED, conversation_id=None, facts=Facts(), words=Words())
        await engine.turns.take_fact(fact, draft)
        await engine.sender.settle()

        assert (await engine.kinds())[-2:] == [Kind.MERGED, Kind.PHOTO_STORED]
        assert cards(engine) == 1


async def test_a_start_finds_the_forks_of_the_process_before() -> None:
    """A process that dies between learning and telling leaves the fork where the next one finds it."""
    async with forked() as (_engine, journal), house(journal, seed=3) as after:
        assert await UntoldForks(after.log, after.turns, after.clock).resume() == 1
        await after.sender.settle()

        assert cards(after) == 1


async def test_what_cannot_be_told_now_is_told_when_asked_again() -> None:
    """A log that can't be written leaves the fork untold, and nothing is forgotten of it."""
    async with forked() as (engine, _journal):
        forks = UntoldForks(engine.log, engine.turns, engine.clock)
        engine.log.before_append = fails(LogUnavailable("full"))
        failure = None
        try:
            await forks.resume()
        except LogUnavailable as error:
            failure = error

        assert failure is not None
        assert await forks.resume() == 1


async def test_a_conflict_while_it_is_told_is_decided_again() -> None:
    """When another worker was faster, what is left is told anew, under the same name."""
    async with forked() as (engine, _journal):
        engine.log.before_append = fails(Conflict())
        await engine.hear(inbound(4, "ACME"))

        assert (await engine.kinds()).count(Kind.MERGED) == 1


async def test_a_card_that_was_owed_at_a_crash_is_sent_by_the_next_process() -> None:
    """The card is a reply like any other: owed until its fate is known, and the same word for word."""
    async with forked() as (engine, journal):
        gate = engine.messages.hold()
        await engine.turns.tell(replace(inbound(4), dedup_key="merge:", order=-1))
        async with house(journal, seed=3) as after:
            assert await after.resume() == 1
            assert cards(after) == 1
        gate.set()


async def test_a_fork_that_left_nothing_is_no_event() -> None:
    """Two sides that agree become one with the next input, and nobody is bothered."""
    here, there = journals()
    async with house(here) as engine, house(there, seed=2) as other:
        await engine.say("/addmachine")
        await learn(there, here)
        await other.hear(inbound(3, "/help"))
        await engine.hear(inbound(2, "Press 4"))
        await learn(here, there)
        assert await UntoldForks(engine.log, engine.turns, engine.clock).resume() == 0
        await engine.hear(inbound(4, "ACME"))

        assert Kind.MERGED not in await engine.kinds()
        assert cards(engine) == 0

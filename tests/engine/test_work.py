import asyncio
import logging
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as some

from holdfast.domain.errors import TelegramRefused, TelegramUnreachable
from holdfast.domain.ids import EventId
from holdfast.engine.work import OutsideWork, Retries, Tried, tried_in
from tests.conformance.clocks import NOON
from tests.engine.fakes import House, few_steps, house

SECRET = "what somebody said"


def piece(number: int) -> EventId:
    return EventId(number.to_bytes(16, "big"))


class Chores:
    """A kind of work that goes as it is told."""

    kind = "chore"
    retries = Retries(most=3, first=10.0, growth=2.0)
    seconds = 0.05

    def __init__(self, *subjects: EventId) -> None:
        self.left = list(subjects)
        self.begun: list[EventId] = []
        self.given_up: list[EventId] = []
        self.cancelled: list[EventId] = []
        self.faults: dict[EventId, list[Exception]] = {}
        self.others: set[EventId] = set()
        self.gate: asyncio.Event | None = None
        self.now = self.most = 0

    async def wanted(self) -> Sequence[EventId]:
        return list(self.left)

    async def do(self, subject: EventId, *, anybodys: bool) -> bool:
        self.begun.append(subject)
        if subject in self.others and not anybodys:
            return False
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(0)
            if self.gate is not None:
                await self.gate.wait()
            if faults := self.faults.get(subject):
                raise faults.pop(0)
        except asyncio.CancelledError:
            self.cancelled.append(subject)
            raise
        finally:
            self.now -= 1
        self.left.remove(subject)
        return True

    async def give_up(self, subject: EventId) -> None:
        self.left.remove(subject)
        self.given_up.append(subject)


def work_of(engine: House, chores: Chores, *, at_once: int = 4, tried: dict[str, str] | None = None) -> OutsideWork:
    return OutsideWork([chores], engine.log, engine.clock, tried_in(tried or {}), at_once=at_once)


async def passes(work: OutsideWork) -> None:
    """Let all be done that is due now."""
    while await work.look():
        await work.settle()


async def test_everything_wanted_is_done_once_a_few_at_a_time() -> None:
    """Many pieces are all done, no more than so many at the same time, and none twice."""
    chores = Chores(*map(piece, range(20)))
    async with house() as engine:
        await passes(work_of(engine, chores, at_once=3))

    assert chores.begun == list(map(piece, range(20)))
    assert chores.most == 3


async def test_resuming_twice_does_nothing_twice() -> None:
    """What is under way or done is not begun again, however often it is asked."""
    chores = Chores(piece(1), piece(2))
    async with house() as engine:
        work = work_of(engine, chores)
        begun = [await work.resume() for _ in range(3)]
        await work.settle()
        begun.append(await work.resume())

    assert begun == [2, 0, 0, 0]
    assert chores.begun == [piece(1), piece(2)]


async def test_a_failure_is_tried_again_after_growing_pauses_and_then_given_up() -> None:
    """After so many failures there is a dead letter, and no further attempt; the others are not held up."""
    chores = Chores(piece(1), piece(2))
    chores.faults[piece(1)] = [TelegramRefused("no"), RuntimeError(SECRET), TelegramRefused("no")]
    async with house() as engine:
        work = work_of(engine, chores)
        for seconds in (9.9, 0.1, 19.9, 0.1):
            await passes(work)
            engine.clock.turn(seconds)
        assert chores.begun.count(piece(1)) == 2
        await passes(work)
        [dead] = tried_in(engine.log.facts).items()

    assert chores.begun.count(piece(1)) == 3
    assert (chores.given_up, chores.left) == ([piece(1)], [])
    assert dead[0] == ("chore", piece(1))
    assert (dead[1].attempts, dead[1].given_up) == (3, True)


async def test_what_failed_is_remembered_by_the_next_process(caplog: pytest.LogCaptureFixture) -> None:
    """Attempts and due times survive a restart; what an operator reads of a failure holds nobody's words."""
    chores = Chores(piece(1))
    chores.faults[piece(1)] = [RuntimeError(SECRET)] * 3
    async with house() as engine:
        with caplog.at_level(logging.INFO):
            await passes(work_of(engine, chores))
        facts = engine.log.facts
        await passes(work_of(engine, chores, tried=facts))
        assert chores.begun == [piece(1)]
        engine.clock.turn(10)
        await passes(work_of(engine, chores, tried=facts))

        assert chores.begun == [piece(1)] * 2
        assert tried_in(facts)["chore", piece(1)].attempts == 2
    assert SECRET not in f"{caplog.text}{facts}"


async def test_what_succeeds_at_last_is_not_remembered() -> None:
    """A success takes the earlier failures away."""
    chores = Chores(piece(1))
    chores.faults[piece(1)] = [TelegramRefused("no")]
    async with house() as engine:
        work = work_of(engine, chores)
        await passes(work)
        engine.clock.turn(10)
        await passes(work)

        assert chores.left == []
        assert tried_in(engine.log.facts) == {}


async def test_nobodys_fault_is_not_counted_and_all_of_the_kind_waits() -> None:
    """While Telegram can't be reached nothing else of the kind is begun, as long as it asked for, and none fails."""
    chores = Chores(piece(1), piece(2))
    chores.faults[piece(1)] = [TelegramUnreachable("later", retry_after=7.0)]
    async with house() as engine:
        work = work_of(engine, chores, at_once=1)
        await passes(work)
        engine.clock.turn(6.9)
        await passes(work)
        assert chores.begun == [piece(1)]
        engine.clock.turn(0.1)
        await passes(work)

        assert chores.left == []
        assert engine.log.facts == {}


async def test_what_hangs_counts_as_failed() -> None:
    """An attempt that does not come to its end within its time is broken off, and the next one is due later."""
    chores = Chores(piece(1))
    chores.gate = asyncio.Event()
    async with house() as engine:
        work = work_of(engine, chores)
        await passes(work)

        assert chores.cancelled == [piece(1)]
        assert tried_in(engine.log.facts)["chore", piece(1)].due_at == NOON + 10_000_000


async def test_what_is_wanted_no_more_is_cancelled_and_forgotten() -> None:
    """What was done elsewhere, or must not be done any more, is stopped in the middle; its failures are forgotten."""
    chores = Chores(piece(1), piece(2))
    chores.faults[piece(2)] = [TelegramRefused("no")]
    async with house() as engine:
        work = work_of(engine, chores)
        await passes(work_of(engine, Chores()))
        await work.look()
        await few_steps()
        chores.left = []
        chores.gate = asyncio.Event()
        await work.look()
        await work.settle()
        assert tried_in(engine.log.facts) == {}

        chores.left = [piece(3)]
        await work.look()
        await few_steps()
        chores.left = []
        await work.look()
        await work.settle()
        assert chores.cancelled == [piece(3)]


async def test_each_worker_does_its_own_and_at_its_start_everybodys() -> None:
    """What another worker wrote is left to it, but for what is found at a start: it may be gone for good."""
    chores = Chores(piece(1))
    chores.others = {piece(1), piece(2)}
    async with house() as engine:
        work = work_of(engine, chores)
        await passes(work)
        assert chores.left == []
        chores.left = [piece(2), piece(3)]
        await passes(work)
        assert chores.left == [piece(2)]
        await work.resume()
        await work.settle()
        assert chores.left == []


async def test_when_it_ends_nothing_goes_on() -> None:
    """Cancelled, it leaves no task behind; what was under way is wanted still."""
    chores = Chores(piece(1))
    chores.gate = asyncio.Event()
    async with house() as engine:
        running = asyncio.create_task(work_of(engine, chores).run())
        await few_steps()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    assert (chores.cancelled, chores.left) == ([piece(1)], [piece(1)])


@given(some.integers(1, 50), some.integers(1, 50))
def test_pauses_grow_up_to_the_longest(one: int, more: int) -> None:
    """A later attempt never comes sooner after its failure than an earlier one did, and none is put off for ever."""
    retries = Retries()

    assert 0 < retries.pause(one) <= retries.pause(one + more) <= retries.longest


def test_what_is_remembered_is_read_back_and_nothing_else() -> None:
    """Of the facts a journal keeps of itself, only those of outside work are read."""
    name = "work:photo:00000000-0000-0000-0000-000000000001"
    facts = {"origin": "ab", "presence": "1", name: '{"attempts":2,"due_at":5,"error":"X"}'}

    assert tried_in(facts) == {("photo", piece(1)): Tried(2, 5, "X")}

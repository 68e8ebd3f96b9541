import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from holdfast.bot import siblings as module
from holdfast.bot.intake import belongs_to
from holdfast.bot.siblings import Siblings, owner_of
from holdfast.domain.errors import LogUnavailable
from tests.bot.test_intake import NOT_UPDATES, update
from tests.bot.test_webhook import Taker
from tests.engine.fakes import few_steps, soon

PEOPLE = range(1, 41)


class Family:
    """Three workers, each with what it has taken in; any of them can go and come back."""

    def __init__(self, folder: Path) -> None:
        self.takers = [Taker() for _ in range(3)]
        self.workers = [
            Siblings(number, 3, folder, taker.take, belongs_to) for number, taker in enumerate(self.takers, start=1)
        ]
        self._lives = [AsyncExitStack() for _ in range(3)]

    async def comes(self, place: int) -> None:
        await self._lives[place].enter_async_context(self.workers[place].listening())

    async def goes(self, place: int) -> None:
        """As a worker ends: its socket's file stays."""
        await self._lives[place].aclose()

    async def post(self, place: int, raw: bytes) -> None:
        await self.workers[place].take(raw, 5.0)


@pytest.fixture
async def family() -> AsyncIterator[Family]:
    with TemporaryDirectory() as folder:
        one = Family(Path(folder))
        for place in range(3):
            await one.comes(place)
        yield one
        for place in range(3):
            await one.goes(place)


def whose(place: int) -> int:
    """Find a person who belongs to a worker."""
    return next(person for person in PEOPLE if owner_of(person, 3) == place)


def test_people_are_spread() -> None:
    """Everybody belongs to exactly one worker, and each worker has about as many as the others."""
    counts = [0, 0, 0, 0]
    for person in range(5_000_000_001, 5_000_004_001):
        counts[owner_of(person, 4)] += 1

    assert sum(counts) == 4000
    assert min(counts) > 900


async def test_wherever_it_arrives_an_update_goes_to_its_persons_worker(family: Family) -> None:
    """Each person's updates are taken in by one worker, every one of them once, whichever was posted to."""
    posts = [(person % 3, update(person, "hello", person=person)) for person in PEOPLE]
    await asyncio.gather(*(family.post(place, raw) for place, raw in posts))
    await asyncio.gather(*(family.post((place + 1) % 3, raw) for place, raw in posts))

    for place, taker in enumerate(family.takers):
        mine = [raw for _, raw in posts if owner_of(belongs_to(raw) or 0, 3) == place]
        assert sorted(taker.taken) == sorted(mine * 2)


@pytest.mark.parametrize("raw", NOT_UPDATES)
async def test_what_cannot_be_read_is_nobodys(family: Family, raw: bytes) -> None:
    """What is about nobody is taken in where it arrived."""
    await family.post(1, raw)

    assert [taker.taken for taker in family.takers] == [[], [raw], []]


async def test_many_wait_on_one_way_at_once(family: Family) -> None:
    """One that takes its time holds up no other: each answer finds its own update."""
    slow, quick = family.takers[1], update(2, "quick", person=whose(1))
    held = slow.gate = asyncio.Event()
    first = asyncio.create_task(family.post(0, update(1, "slow", person=whose(1))))
    await soon(lambda: len(slow.within) == 1)
    slow.gate = None
    await family.post(0, quick)
    before = first.done()
    held.set()
    await first

    assert (before, len(slow.taken)) == (False, 2)


async def test_what_a_sibling_cannot_store_comes_again(family: Family, caplog: pytest.LogCaptureFixture) -> None:
    """A sibling that can't store an update, or fails in any way, says so, and it is not taken in elsewhere."""
    raw = update(1, "hello", person=whose(2))
    for fault in LogUnavailable("full"), RuntimeError("what Ada said"):
        family.takers[2].fault = fault
        with pytest.raises(LogUnavailable, match="a sibling could not store an update"):
            await family.post(0, raw)

    assert [taker.taken for taker in family.takers] == [[], [], []]
    assert "Ada" not in caplog.text


async def test_the_people_of_one_who_is_away_are_served(family: Family) -> None:
    """An update whose worker can't be reached is taken in where it arrived; when the worker is back, there again."""
    await family.goes(1)
    away = update(1, "away", person=whose(1))
    await family.post(0, away)
    await family.comes(1)
    back = update(2, "back", person=whose(1))
    await family.post(0, back)

    assert (family.takers[0].taken, family.takers[1].taken) == ([away], [back])


async def test_who_goes_away_in_the_middle_leaves_nothing_said(family: Family) -> None:
    """When a sibling dies with an update in its hands nobody knows what became of it, so it must come again."""
    family.takers[1].gate = asyncio.Event()
    raw = update(1, "hello", person=whose(1))
    asking = asyncio.create_task(family.post(0, raw))
    await soon(lambda: len(family.takers[1].within) == 1)
    way = family.workers[0]._ways[1]  # noqa: SLF001 - the connection breaks, as a kill breaks it
    assert way._writer is not None  # noqa: SLF001
    way._writer.transport.abort()  # noqa: SLF001
    with pytest.raises(LogUnavailable, match="a sibling went away"):
        await asking
    family.takers[1].gate.set()
    await few_steps()
    await family.post(0, raw)

    assert family.takers[0].taken == []
    assert family.takers[1].taken == [raw, raw]


async def test_who_says_nothing_is_not_waited_for(family: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sibling that hangs keeps an update for no longer than it may take; then it must come again."""
    monkeypatch.setattr(module, "_SLACK", 0.0)
    family.takers[1].gate = asyncio.Event()
    with pytest.raises(LogUnavailable, match="a sibling gave no answer"):
        await family.workers[0].take(update(1, "hello", person=whose(1)), 0.01)
    family.takers[1].gate.set()
    await few_steps()
    late = update(2, "late", person=whose(1))
    await family.post(0, late)

    assert family.takers[1].taken[-1] == late


async def test_a_worker_takes_in_so_many_at_once_and_no_more(family: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    """What siblings hand on beyond the bound waits in the socket, and is taken in when there is room."""
    monkeypatch.setattr(module, "_MOST", 2)
    taker = family.takers[1]
    taker.gate = asyncio.Event()
    posts = [asyncio.create_task(family.post(0, update(n, "hello", person=whose(1)))) for n in range(1, 6)]
    await soon(lambda: len(taker.within) == 2)
    await few_steps(50)
    at_once = len(taker.within)
    taker.gate.set()
    await asyncio.gather(*posts)

    assert (at_once, len(taker.taken)) == (2, 5)

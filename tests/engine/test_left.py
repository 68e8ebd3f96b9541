import asyncio

import pytest

from holdfast.domain.ids import ThreadId
from holdfast.engine.left import Left


def some(number: int) -> ThreadId:
    return ThreadId(bytes([number]) * 16)


async def taken(left: Left) -> list[ThreadId]:
    """Take up all that is remembered."""
    found = []
    while len(left):
        with left.newest() as thread_id:
            found.append(thread_id)
    return found


async def test_who_came_last_is_taken_up_first() -> None:
    """Threads come back from the last one to the first, each once, and are left no more then."""
    left = Left()
    for number in (1, 2, 3, 1):
        left.add(some(number))
    known = [some(number) in left for number in (1, 2, 3, 4)]

    assert known == [True, True, True, False]
    assert await taken(left) == [some(1), some(3), some(2)]
    assert not left


async def test_what_is_left_while_it_is_taken_up_is_left_again() -> None:
    """Something more of a thread that is just being taken up is not missed; nor is a thread whose taking up failed."""
    left = Left()
    left.add(some(1))
    with left.newest() as thread_id:
        left.add(thread_id)
        within = some(1) in left
    with pytest.raises(OSError, match="no log"), left.newest():
        raise OSError("no log")

    assert within
    assert await taken(left) == [some(1)]


async def test_whoever_waits_is_told_that_something_was_left() -> None:
    """Waiting ends when a thread is left, and not before."""
    left = Left()
    waiting = asyncio.create_task(left.some())
    await asyncio.sleep(0)
    before = waiting.done()
    left.add(some(1))
    await waiting

    assert not before


async def test_it_is_bounded_and_knows_that_it_forgot() -> None:
    """Of too many threads the oldest are forgotten, and until they were looked for every thread may be left."""
    left = Left(at_most=2)
    for number in range(1, 6):
        left.add(some(number))
    remembered = await taken(left)

    assert remembered == [some(5), some(4)]
    assert (left.forgotten, some(99) in left, bool(left)) == (3, True, True)
    left.found(3)
    assert (some(99) in left, bool(left)) == (False, False)

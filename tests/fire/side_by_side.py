"""Several works side by side, for those that mostly wait; what one raises is told by its own test."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

T = TypeVar("T")
AT_ONCE = 4
"""How many there are at once."""


async def side_by_side(works: Mapping[str, Callable[[], Awaitable[T]]]) -> dict[str, T | BaseException]:
    """Do them all; give what each gave or raised."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(work: Callable[[], Awaitable[T]]) -> T:
        async with slots:
            return await work()

    results = await asyncio.gather(*map(one, works.values()), return_exceptions=True)
    return dict(zip(works, results, strict=True))


def result_of(found: T | BaseException) -> T:
    """Give what a work gave, or raise what it raised."""
    if isinstance(found, BaseException):
        raise found
    return found

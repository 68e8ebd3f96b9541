"""How long the tests wait for a server, and how."""

import asyncio
from collections.abc import Awaitable, Callable

from tests.servers.errors import TookTooLong

PATIENCE = 30.0
"""Seconds after which what has not happened is taken for never."""

LOOK = 0.01
"""Seconds between two looks."""


async def until(look: Callable[[], Awaitable[bool]], what: str) -> None:
    """Look again and again, until it is so."""
    loop = asyncio.get_running_loop()
    end = loop.time() + PATIENCE
    while not await look():
        if loop.time() > end:
            raise TookTooLong(f"after {PATIENCE:.0f} s still not: {what}")
        await asyncio.sleep(LOOK)

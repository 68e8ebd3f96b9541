"""Posting updates to a webhook."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from holdfast.sandbox.api import BotApi
from holdfast.sandbox.world import World


class Delivery:
    """Posts waiting updates while a webhook is set."""

    def __init__(self, world: World, api: BotApi) -> None:
        self._world = world
        self._api = api

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Post in the background."""
        yield

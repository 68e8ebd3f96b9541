"""Bots as real processes that updates are posted to, each with a journal of its own and a network to every tier."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx

from tests.chaos.processes import Holdfast
from tests.fire.places import Place
from tests.servers.port import Port
from tests.servers.proxy import Proxy

SECRET = "a-secret-that-nobody-knows"
_PATIENCE = 4.0
"""Seconds a post waits for its answer; then it is made again, here or elsewhere."""


class Host(Holdfast):
    """One bot on one machine; `links` are its ways to the tiers."""

    def __init__(self, folder: Path, url: str, port: Port, links: dict[str, Proxy], dsns: dict[str, str]) -> None:
        """Nothing runs yet. `dsns` are the tiers' addresses as this machine reaches them."""
        super().__init__(folder, url, "--webhook", "--port", str(port.number))
        self.name = folder.name
        self.links = links
        self._url = f"http://127.0.0.1:{port.number}/"
        self.settings |= {
            "HOLDFAST_TIERS": " ".join(f"{name}={dsn}" for name, dsn in dsns.items()),
            "TELEGRAM_WEBHOOK_URL": self._url,
            "TELEGRAM_WEBHOOK_SECRET": SECRET,
        }

    async def take(self, client: httpx.AsyncClient, update: bytes) -> bool:
        """Post an update; true when the bot says that it is durable."""
        headers = {"X-Telegram-Bot-Api-Secret-Token": SECRET, "Content-Type": "application/json"}
        try:
            answer = await client.post(self._url, content=update, headers=headers, timeout=_PATIENCE)
        except httpx.HTTPError:
            return False
        return answer.status_code == httpx.codes.OK


@asynccontextmanager
async def hosts(places: Sequence[Place], folder: Path, url: str, count: int, owners: str) -> AsyncIterator[list[Host]]:
    """Start so many bots, one after the other: the first finds the tiers empty. They are killed at the end."""
    async with AsyncExitStack() as stack:
        found = []
        for number in range(1, count + 1):
            links = {place.name: await stack.enter_async_context(Proxy(place.server.port)) for place in places}
            dsns = {place.name: place.server.dsn(place.database.name, port=links[place.name].port) for place in places}
            home = folder / f"worker-{number}"
            await asyncio.to_thread(home.mkdir)
            host = stack.enter_context(Host(home, url, stack.enter_context(Port()), links, dsns))
            host.settings["HOLDFAST_OWNERS"] = owners
            found.append(host)
        yield found

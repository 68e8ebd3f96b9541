"""A bot made of bare calls."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import httpx

from holdfast.sandbox.client import Control

T = TypeVar("T")
PATIENCE = 10.0


async def until(look: Callable[[], Awaitable[T]]) -> T:
    """Look again and again until there is something to see."""
    async with asyncio.timeout(PATIENCE):
        while not (seen := await look()):  # noqa: ASYNC110 - what is looked at has no event to wait for
            await asyncio.sleep(0)
    return seen


async def polls(control: Control) -> bool:
    """Whether a bot waits in a long poll."""
    return (await control.status()).polling


class Answer:
    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        self.body: dict[str, Any] = response.json()

    @property
    def result(self) -> Any:  # noqa: ANN401 - whatever the method gives
        assert self.body["ok"] is True, self.body
        return self.body["result"]

    @property
    def refusal(self) -> tuple[int, str]:
        assert self.body["ok"] is False
        assert self.body["error_code"] == self.status
        return self.status, self.body["description"]


class Bot:
    """Calls methods with JSON bodies."""

    def __init__(self, url: str, token: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.url = url
        self.token = token
        self.http = httpx.AsyncClient(base_url=url, transport=transport, timeout=60.0, trust_env=False)

    async def __call__(self, method: str, **params: object) -> Answer:
        return Answer(await self.http.post(f"/bot{self.token}/{method}", json=params))

    async def texts(self, **params: object) -> list[str]:
        """What getUpdates gives, as texts."""
        updates = (await self("getUpdates", **params)).result
        return [update["message"]["text"] for update in updates]

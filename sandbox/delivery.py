"""Posting updates to a webhook."""

import asyncio
import logging
import math
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec

from holdfast.sandbox.api import BotApi
from holdfast.sandbox.params import Params
from holdfast.sandbox.updates import Update
from holdfast.sandbox.webhook import Failure, Webhook
from holdfast.sandbox.wire import encode
from holdfast.sandbox.world import World

PATIENCE = 60.0
LONGEST_PAUSE = 60.0
RECOVERY_PAUSE = 1.0
LONGEST_RETRY_AFTER = 3600.0
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - a name, not a secret


LOG = logging.getLogger(__name__)


class Delivery:
    """Posts waiting updates while a webhook is set.

    Messages of one chat go in order, one at a time, and so do the taps of one person; but one lane does not
    wait for another, so a person's tap can overtake their text, as it can with Telegram.
    """

    def __init__(self, world: World, api: BotApi) -> None:
        self._world = world
        self._api = api

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Post in the background until the block ends."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            await _end(task)

    async def _run(self) -> None:
        hook = self._world.hook
        while True:
            webhook = hook.webhook
            posting = asyncio.create_task(self._keep_posting(webhook))
            try:
                while hook.webhook is webhook:
                    await hook.changed.wait(math.inf)
            finally:
                await _end(posting)

    async def _keep_posting(self, webhook: Webhook | None) -> None:
        while webhook is not None:
            try:
                await self._post_all(webhook)
            except Exception:
                LOG.exception("Posting to the webhook failed and begins anew")
            await asyncio.sleep(RECOVERY_PAUSE)

    async def _post_all(self, webhook: Webhook) -> None:
        limits = httpx.Limits(max_connections=webhook.max_connections)
        async with (
            httpx.AsyncClient(timeout=PATIENCE, limits=limits, trust_env=False) as http,
            asyncio.TaskGroup() as tasks,
        ):
            await Lanes(self._world, self._api, webhook, http).run(tasks)


async def _end(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


class Lanes:
    """The queues of one webhook, with a task for each that is not empty: at most one a chat, one a person."""

    def __init__(self, world: World, api: BotApi, webhook: Webhook, http: httpx.AsyncClient) -> None:
        self._world = world
        self._api = api
        self._webhook = webhook
        self._http = http
        self._connections = asyncio.Semaphore(webhook.max_connections)
        self._queues: dict[str, deque[Update]] = {}
        self._seen = 0

    async def run(self, tasks: asyncio.TaskGroup) -> None:
        """Hand out updates as they arrive."""
        updates = self._world.updates
        while True:
            for update in updates.newer_than(self._seen):
                self._seen = update.update_id
                self._enqueue(update, tasks)
            for update in updates.take_again():
                self._enqueue(update, tasks)
            await updates.arrived.wait(math.inf)

    def _enqueue(self, update: Update, tasks: asyncio.TaskGroup) -> None:
        if update.lane not in self._queues:
            self._queues[update.lane] = deque()
            tasks.create_task(self._drain(update.lane))
        self._queues[update.lane].append(update)

    async def _drain(self, lane: str) -> None:
        queue = self._queues[lane]
        while queue:
            await self._deliver(queue[0])
            queue.popleft()
        del self._queues[lane]

    async def _deliver(self, update: Update) -> None:
        """Post until it is taken, or too old; also one that is repeated, which waits no longer."""
        is_repeated = not self._world.updates.waits(update.update_id)
        pause = 1.0
        while is_repeated or self._world.updates.waits(update.update_id):
            async with self._connections:
                retry_after = await self._post(update)
            if retry_after is None:
                self._world.updates.done(update.update_id)
                await self._world.state.flushed()
                return
            await self._world.clock.sleep(retry_after or pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _post(self, update: Update) -> float | None:
        """Post once: None when it was taken, else the seconds the other side asks to wait, or 0."""
        headers = {"content-type": "application/json"}
        if self._webhook.secret_token:
            headers[SECRET_HEADER] = self._webhook.secret_token
        try:
            answer = await self._http.post(self._webhook.url, content=encode(update.as_sent()), headers=headers)
        except httpx.HTTPError as error:
            return self._failed(f"{type(error).__name__}: {error}")
        if answer.is_success:
            await self._carry_out(answer)
            return None
        self._failed(f"Wrong response from the webhook: {answer.status_code} {answer.reason_phrase}")
        return _retry_after(answer)

    def _failed(self, why: str) -> float:
        self._world.hook.failure = Failure(self._world.now, why)
        return 0.0

    async def _carry_out(self, answer: httpx.Response) -> None:
        """A bot may put a method call into its answer; what comes of it, it never learns."""
        try:
            call = msgspec.json.decode(answer.content, type=dict[str, Any])
        except msgspec.DecodeError:
            return
        method = call.pop("method", None)
        if isinstance(method, str):
            await self._api.perform(method, Params(call))


def _retry_after(answer: httpx.Response) -> float:
    given = answer.headers.get("retry-after", "")
    return min(float(given), LONGEST_RETRY_AFTER) if given.isdecimal() else 0.0

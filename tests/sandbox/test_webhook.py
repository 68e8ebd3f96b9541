import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from holdfast.sandbox import SandboxServer, delivery
from holdfast.sandbox.client import Control, Person
from holdfast.sandbox.clock import Clock
from holdfast.sandbox.server import listen
from tests.sandbox.conftest import Door
from tests.sandbox.wire import Bot, polls, until

Reply = Callable[[dict[str, Any]], Response]
PATIENCE = 10.0


class Receiver:
    """A bot's side of a webhook."""

    def __init__(self) -> None:
        self.url = ""
        self.updates: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.reply: Reply = lambda _: Response()
        self.came = asyncio.Condition()

    async def receive(self, request: Request) -> Response:
        async with self.came:
            self.updates.append(await request.json())
            self.headers.append(dict(request.headers))
            self.came.notify_all()
        return self.reply(self.updates[-1])

    async def has(self, count: int) -> list[dict[str, Any]]:
        """Wait until so many posts have come."""
        async with self.came, asyncio.timeout(PATIENCE):
            await self.came.wait_for(lambda: len(self.updates) >= count)
        return self.updates

    def texts(self) -> list[str]:
        return [update["message"]["text"] for update in self.updates]


@pytest.fixture
async def door(sandbox: SandboxServer) -> Door:
    """These tests need a real connection."""
    return Door(sandbox.url, sandbox.token)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = Starlette(routes=[Route("/hook", receiver.receive, methods=["POST"])])
    async with serving(app) as url:
        receiver.url = f"{url}/hook"
        yield receiver


@asynccontextmanager
async def serving(app: Starlette) -> AsyncIterator[str]:
    socket = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None))
    task = asyncio.create_task(server.serve(sockets=[socket]))
    yield f"http://127.0.0.1:{socket.getsockname()[1]}"
    server.should_exit = True
    await task


async def test_updates_are_posted(ada: Person, bot: Bot, control: Control, receiver: Receiver) -> None:
    """With a webhook every update is posted with the secret, and counts as confirmed when it was taken."""
    assert (await bot("setWebhook", url=receiver.url, secret_token="s3cret")).result is True
    done = await ada.says("hello")
    [update] = await receiver.has(1)

    assert update["message"]["text"] == "hello"
    assert update["update_id"] == done.update_ids[0]
    assert receiver.headers[0]["x-telegram-bot-api-secret-token"] == "s3cret"
    assert receiver.headers[0]["content-type"] == "application/json"
    await control.all_confirmed()


async def test_what_waited_is_posted_first(ada: Person, bot: Bot, receiver: Receiver) -> None:
    """What came before the webhook was set is posted in order."""
    for text in ("one", "two", "three"):
        await ada.says(text)
    await bot("setWebhook", url=receiver.url)
    await receiver.has(3)

    assert receiver.texts() == ["one", "two", "three"]


async def test_what_is_not_taken_is_posted_again(
    ada: Person, bot: Bot, control: Control, receiver: Receiver, clock: Clock
) -> None:
    """Anything but 2xx is tried again after a pause that doubles, and the next message waits behind it."""
    receiver.reply = lambda _: Response(status_code=500)
    await bot("setWebhook", url=receiver.url)
    await ada.says("one")
    await ada.says("two")
    await receiver.has(1)
    for count, pause in ((2, 1), (3, 2), (4, 4)):
        await failed(bot)
        clock.advance(pause - 0.5)
        assert len(receiver.updates) == count - 1
        clock.advance(0.5)
        await receiver.has(count)
    receiver.reply = lambda _: Response()
    await failed(bot)
    clock.advance(8)
    await control.all_confirmed()

    assert receiver.texts() == ["one"] * 5 + ["two"]


async def failed(bot: Bot) -> dict[str, Any]:
    """Wait until the sandbox has noted the failure."""

    async def info() -> dict[str, Any] | None:
        result: dict[str, Any] = (await bot("getWebhookInfo")).result
        return result if "last_error_message" in result else None

    return await until(info) or {}


async def test_the_last_failure_can_be_asked_for(ada: Person, bot: Bot, receiver: Receiver) -> None:
    """GetWebhookInfo tells where updates go, how many wait, and what went wrong."""
    receiver.reply = lambda _: Response(status_code=503)
    await bot("setWebhook", url=receiver.url, max_connections=7, allowed_updates=["message"])
    await ada.says("one")
    await receiver.has(1)
    info = await failed(bot)

    assert (info["url"], info["pending_update_count"], info["max_connections"]) == (receiver.url, 1, 7)
    assert info["last_error_message"] == "Wrong response from the webhook: 503 Service Unavailable"
    assert info["allowed_updates"] == ["message"]


async def test_nobody_listening_is_a_failure(ada: Person, bot: Bot) -> None:
    """An address where nobody listens is tried again, and named in the webhook's info."""
    await bot("setWebhook", url="http://127.0.0.1:1/hook")
    await ada.says("one")

    assert "ConnectError" in (await failed(bot))["last_error_message"]
    assert (await bot("getWebhookInfo")).result["pending_update_count"] == 1


async def test_a_bot_may_ask_for_time(ada: Person, bot: Bot, receiver: Receiver, clock: Clock) -> None:
    """Retry-After in a refusal is kept."""
    receiver.reply = lambda _: Response(status_code=429, headers={"retry-after": "30"})
    await bot("setWebhook", url=receiver.url)
    await ada.says("one")
    await receiver.has(1)
    await failed(bot)
    clock.advance(29)
    assert len(receiver.updates) == 1
    clock.advance(1)

    assert len(await receiver.has(2)) == 2


async def test_a_tap_does_not_wait_for_a_text(ada: Person, bot: Bot, receiver: Receiver) -> None:
    """Messages and taps have queues of their own, so a tap overtakes a text that is refused."""
    keyboard = {"inline_keyboard": [[{"text": "Go", "callback_data": "go"}]]}
    await bot("sendMessage", chat_id=ada.id, text="x", reply_markup=keyboard)
    receiver.reply = lambda update: Response(status_code=500 if "message" in update else 200)
    await bot("setWebhook", url=receiver.url)
    await ada.says("stuck")
    await ada.taps("Go")
    first, second = await receiver.has(2)

    assert {*first, *second} == {"update_id", "message", "callback_query"}


async def test_one_persons_trouble_is_not_anothers(ada: Person, bot: Bot, control: Control, receiver: Receiver) -> None:
    """Each chat has a queue of its own."""
    eve = await control.person("Eve")
    receiver.reply = lambda update: Response(status_code=500 if update["message"]["from"]["id"] == ada.id else 200)
    await bot("setWebhook", url=receiver.url)
    await ada.says("stuck")
    await eve.says("through")
    await receiver.has(2)

    assert sorted(receiver.texts()) == ["stuck", "through"]


async def test_a_method_in_the_answer_is_carried_out(ada: Person, bot: Bot, receiver: Receiver) -> None:
    """A bot can put a call into its answer to the post."""
    receiver.reply = lambda update: JSONResponse(
        {"method": "sendMessage", "chat_id": update["message"]["chat"]["id"], "text": "answered in place"}
    )
    await bot("setWebhook", url=receiver.url)
    await ada.says("hello")

    assert (await ada.sees("answered in place")).from_.is_bot


async def test_polling_conflicts_with_a_webhook(bot: Bot, receiver: Receiver, control: Control) -> None:
    """While a webhook is set getUpdates is refused, and a poll that waits ends when it is set."""
    poll = asyncio.create_task(bot("getUpdates", timeout=50))
    await until(lambda: polls(control))
    await bot("setWebhook", url=receiver.url)

    assert (await poll).refusal == (409, "Conflict: terminated by setWebhook request")
    assert (await bot("getUpdates")).refusal == (
        409,
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
    )
    await bot("deleteWebhook")
    assert (await bot("getUpdates")).result == []


async def test_a_deleted_webhook_gets_nothing_more(ada: Person, bot: Bot, receiver: Receiver) -> None:
    """After deleteWebhook updates wait for a poll; setting an empty address does the same."""
    await bot("setWebhook", url=receiver.url)
    await bot("setWebhook", url="")
    await ada.says("for the poll")

    assert await bot.texts() == ["for the poll"]
    assert receiver.updates == []


async def test_waiting_updates_can_be_dropped(ada: Person, bot: Bot, control: Control) -> None:
    """Setting or deleting a webhook can drop what waits."""
    await ada.says("old")
    await bot("deleteWebhook", drop_pending_updates=True)

    assert (await control.status()).pending == 0


@pytest.mark.parametrize(
    "params",
    [
        {"url": "ftp://127.0.0.1/"},
        {"url": "http://127.0.0.1/", "secret_token": "a b"},
        {"url": "http://127.0.0.1/", "max_connections": 101},
    ],
)
async def test_a_bad_webhook_is_refused(bot: Bot, params: dict[str, object]) -> None:
    """A webhook needs an address, a plain secret and up to a hundred connections."""
    assert (await bot("setWebhook", **params)).status == 400


async def test_an_update_is_posted_twice_on_request(
    ada: Person, bot: Bot, control: Control, receiver: Receiver
) -> None:
    """A test can have an update that was taken posted once more."""
    await bot("setWebhook", url=receiver.url)
    [number] = (await ada.says("one")).update_ids
    await control.all_confirmed()
    assert number is not None
    await control.again(number)

    assert [update["update_id"] for update in await receiver.has(2)] == [number, number]


async def test_a_tap_that_nobody_takes_is_dropped(
    ada: Person, bot: Bot, control: Control, receiver: Receiver, clock: Clock
) -> None:
    """A tap that is refused for 150 seconds is not posted again."""
    keyboard = {"inline_keyboard": [[{"text": "Go", "callback_data": "go"}]]}
    await bot("sendMessage", chat_id=ada.id, text="x", reply_markup=keyboard)
    receiver.reply = lambda _: Response(status_code=500)
    await bot("setWebhook", url=receiver.url)
    await ada.taps("Go")
    await receiver.has(1)
    await failed(bot)
    clock.advance(150)

    assert (await control.status()).pending == 0
    assert len(receiver.updates) == 1


async def test_a_failure_of_the_sandbox_itself_is_said_and_got_over(
    ada: Person, bot: Bot, sandbox: SandboxServer, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    """When the state cannot be written after a post, that is logged, and posting begins anew."""
    failures = [sqlite3.OperationalError("disk is full")]

    async def flushed() -> None:
        if receiver.updates and failures:
            raise failures.pop()

    await bot("setWebhook", url=receiver.url)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delivery, "RECOVERY_PAUSE", 0)
        patch.setattr(sandbox.world.state, "flushed", flushed)
        await ada.says("one")
        await until(lambda: said(caplog))
        await ada.says("two")
        await receiver.has(2)

    assert receiver.texts() == ["one", "two"]


async def said(caplog: pytest.LogCaptureFixture) -> bool:
    return "Posting to the webhook failed" in caplog.text


async def test_a_webhook_survives_a_restart(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> None:
    """With a state file the webhook is still set after a restart, and what waited is posted."""
    state = tmp_path_factory.mktemp("state") / "sandbox.db"
    async with SandboxServer(state=state) as first, Control(first.url) as control:
        bot = Bot(first.url, first.token)
        async with bot.http:
            await bot("setWebhook", url="http://127.0.0.1:1/", secret_token="s")
            await bot("setWebhook", url=receiver.url)
        receiver.reply = lambda _: Response(status_code=500)
        ada = await control.person("Ada")
        await ada.says("before")
        await receiver.has(1)
    receiver.reply = lambda _: Response()
    async with SandboxServer(state=state) as second, Control(second.url) as control:
        await control.all_confirmed()

    assert receiver.texts()[-1] == "before"

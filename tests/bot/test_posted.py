"""The whole road with updates that are posted: a sandbox, the commands, and the real bot behind a real port."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from holdfast.asgi import TelegramWebhook
from holdfast.bot.server import listen
from holdfast.bot.server import serve as serve_http
from holdfast.bot.wire import Wire
from holdfast.cli.run import serve
from holdfast.cli.webhook import posted
from holdfast.domain.errors import JournalLocked, SettingsError
from holdfast.infrastructure.settings import Settings
from tests.bot.posting import SECRET, App, Post
from tests.bot.road import Road, registers, shown, tells
from tests.chaos.processes import PATIENCE

INPUTS = "SELECT count(*), count(DISTINCT dedup_key) FROM events"


def settings(road: Road) -> Settings:
    return road.settings(
        telegram_bot_token=road.sandbox.token, telegram_api_url=road.sandbox.url, telegram_webhook_secret=SECRET
    )


async def hook(road: Road, port: int, secret: str = SECRET, path: str = "/anything") -> None:
    """Let the sandbox post to a port of this machine."""
    wire = Wire(road.sandbox.token, road.sandbox.url)
    await wire.open()
    await wire.call("setWebhook", url=f"http://127.0.0.1:{port}{path}", secret_token=secret)
    await wire.close()


@asynccontextmanager
async def bot(road: Road) -> AsyncIterator[int]:
    """Run the real bot behind a port."""
    with listen("127.0.0.1", 0) as listener:
        port = int(listener.getsockname()[1])
        updates = posted(listener, SECRET)
        task = asyncio.create_task(serve(settings(road), road.sandbox.token, road.sandbox.url, updates))
        try:
            yield port
        finally:
            assert not task.done()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def test_a_machine_is_registered_over_the_webhook(road: Road) -> None:
    """People talk as they do when the bot polls, and every input is one event."""
    async with bot(road) as port:
        await hook(road, port)
        ada, bo = await road.control.person("Ada"), await road.control.person("Bo")
        await asyncio.gather(registers(ada), registers(bo, "Drill 7"))
        await road.control.all_confirmed()
        [(events, inputs)] = road.rows(INPUTS)

    assert road.rows("SELECT nickname FROM user_machines ORDER BY nickname") == [("Drill 7",), ("Press 4",)]
    assert events == inputs == len(await road.control.inputs())
    assert await road.differences() == []


async def test_with_another_secret_nothing_is_taken_in(road: Road, caplog: pytest.LogCaptureFixture) -> None:
    """Updates wait with Telegram while the secrets differ, and come once they are the same."""
    async with bot(road) as port:
        await hook(road, port, "another-secret-of-somebody")
        ada = await road.control.person("Ada")
        await ada.says("/addmachine")
        await asyncio.sleep(0.3)
        before = road.rows(INPUTS)
        await hook(road, port)
        await ada.sees("1 of 8", PATIENCE)

    assert before == [(0, 0)]
    assert SECRET not in caplog.text


async def test_the_operator_is_told_when_no_webhook_is_set(road: Road, caplog: pytest.LogCaptureFixture) -> None:
    """Started before Telegram knows where to post, the bot names the command that tells it, and waits."""
    with caplog.at_level(logging.WARNING, "holdfast"):
        async with bot(road):
            for _ in range(200):
                if "holdfast webhook set" in caplog.text:
                    break
                await asyncio.sleep(0.01)

    assert "Telegram posts to no webhook yet: holdfast webhook set tells it where" in caplog.text


async def test_a_bot_that_polls_says_that_a_webhook_is_set(road: Road, caplog: pytest.LogCaptureFixture) -> None:
    """A webhook keeps updates from whoever polls: the log names the command that ends it, and then they come."""
    await hook(road, 1)
    ada = await road.control.person("Ada")
    await ada.says("/addmachine")
    async with road.bot():
        for _ in range(200):
            if "webhook remove" in caplog.text:
                break
            await asyncio.sleep(0.01)
        wire = Wire(road.sandbox.token, road.sandbox.url)
        await wire.open()
        await wire.call("deleteWebhook")
        await wire.close()
        await ada.sees("1 of 8", PATIENCE)

    assert "holdfast webhook remove ends that" in caplog.text


async def test_the_bot_is_mounted_in_a_server_one_has(road: Road) -> None:
    """Entered in the lifespan of another application and mounted on a path of it, the bot answers people."""
    webhook = TelegramWebhook(settings(road))

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with webhook:
            yield

    host = Starlette(routes=[Mount("/telegram", webhook)], lifespan=lifespan)
    with listen("127.0.0.1", 0) as listener:
        async with host.router.lifespan_context(host):
            server = asyncio.create_task(serve_http(host, listener))
            ada = await road.control.person("Ada")
            elsewhere = await App(host).answers(Post(b"{}"))
            await hook(road, int(listener.getsockname()[1]), path="/telegram/")
            told = await tells(ada, "/addmachine")
            server.cancel()
            with suppress(asyncio.CancelledError):
                await server
        after = await App(webhook).answers(Post(b"{}"))

    assert "1 of 8" in shown(told)
    assert elsewhere.status == 404
    assert (after.status, after.headers[b"retry-after"]) == (503, b"5")


class Lifespan:
    """A server that starts an application and ends it at once."""

    def __init__(self) -> None:
        self.asked = ["lifespan.startup", "lifespan.shutdown"]
        self.told: list[str] = []

    async def receive(self) -> dict[str, str]:
        return {"type": self.asked.pop(0)}

    async def send(self, message: dict[str, str]) -> None:
        self.told.append(message["type"])


async def test_a_server_that_runs_the_bot_alone_gives_it_its_life(road: Road) -> None:
    """Through the lifespan of ASGI the bot starts and ends; when it can't start, the server is told."""
    server, second = Lifespan(), Lifespan()
    await TelegramWebhook(settings(road))({"type": "lifespan"}, server.receive, server.send)  # type: ignore[arg-type]
    async with TelegramWebhook(settings(road)):
        await TelegramWebhook(settings(road))({"type": "lifespan"}, second.receive, second.send)  # type: ignore[arg-type]

    assert server.told == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert second.told == ["lifespan.startup.failed"]


async def test_a_bot_that_cannot_start_says_why(road: Road) -> None:
    """A journal in use, and a setting that is missing, are errors of whoever enters the bot."""
    async with TelegramWebhook(settings(road)):
        with pytest.raises(JournalLocked):
            await TelegramWebhook(settings(road)).__aenter__()
    with pytest.raises(SettingsError, match="TELEGRAM_BOT_TOKEN"):
        await TelegramWebhook(road.settings()).__aenter__()
    with pytest.raises(SettingsError, match="TELEGRAM_WEBHOOK_SECRET is not set"):
        await TelegramWebhook(road.settings(telegram_bot_token=road.sandbox.token)).__aenter__()


def test_a_port_in_use_is_named() -> None:
    """Of an address that can't be listened on the error names the port, and says what to do."""
    with listen("127.0.0.1", 0) as taken:
        port = int(taken.getsockname()[1])
        with pytest.raises(SettingsError, match=f"port {port} of 127.0.0.1 can't be listened on: .*; name another"):
            listen("127.0.0.1", port)

"""The bot as a server that Telegram posts updates to."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from holdfast.bot.hook import Attendance
from holdfast.bot.intake import Intake
from holdfast.bot.server import listen
from holdfast.bot.server import serve as serve_http
from holdfast.bot.webhook import Take, Webhook
from holdfast.bot.wire import Wire
from holdfast.cli.ending import until_stopped
from holdfast.cli.hook import token_of
from holdfast.cli.run import Updates, serve
from holdfast.engine.presence import Presence
from holdfast.infrastructure.clock import SystemClock
from holdfast.infrastructure.settings import Settings

logger = logging.getLogger("holdfast")
_LITTLE = 0.5
"""Seconds for updates whose requests have had their time already."""


Through = Callable[[Take], AbstractAsyncContextManager[Take]]
"""What stands between the posts and the intake, for as long as posts come."""


@asynccontextmanager
async def _straight(take: Take) -> AsyncIterator[Take]:
    yield take


async def run(settings: Settings, host: str, port: int) -> None:
    """Take updates in as Telegram posts them, until SIGINT or SIGTERM."""
    token, secret = token_of(settings), settings.webhook_secret()
    with listen(host, port) as listener:
        logger.info("Updates may be posted to http://%s:%d/", *listener.getsockname()[:2])
        updates = posted(listener, secret)
        await until_stopped(serve(settings, token, str(settings.telegram_api_url), updates))


def posted(listener: socket.socket, secret: str, through: Through = _straight) -> Updates:
    """Let updates come by posts to a socket that listens."""

    async def updates(wire: Wire, intake: Intake, presence: Presence) -> None:
        async with through(intake.take_one) as take:
            webhook = Webhook(take, secret)
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(Attendance(wire, presence, SystemClock()).run())
                    group.create_task(serve_http(webhook, listener))
            finally:
                await webhook.close(_LITTLE)

    return updates

"""The bot as an ASGI application, for a server that one has already."""

import asyncio
import logging
from types import TracebackType
from typing import Self

from holdfast.bot.hook import Attendance
from holdfast.bot.intake import Intake
from holdfast.bot.webhook import Receive, Scope, Send, Webhook
from holdfast.bot.wire import Wire
from holdfast.cli.hook import token_of
from holdfast.cli.run import serve
from holdfast.engine.presence import Presence
from holdfast.infrastructure.clock import SystemClock
from holdfast.infrastructure.settings import Settings, read_settings


class TelegramWebhook:
    """A bot that takes posted updates in: an ASGI application to mount, with a life of its own.

    Enter it for as long as the server runs (`async with`, in the server's lifespan); a server that runs it alone
    does so through the ASGI lifespan. Settings come from the environment when it is entered, unless they are given;
    TELEGRAM_BOT_TOKEN and TELEGRAM_WEBHOOK_SECRET are needed. HoldfastError when the bot can't start. Outside of its
    life, and should the bot end by an error, each post is answered with the status 503, and Telegram keeps the update.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        """Begin nothing yet."""
        self._settings = settings
        self._webhook: Webhook | None = None
        self._bot: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Open the log, take up the replies that are owed, be ready."""
        # httpx writes whole addresses at INFO, and a bot's token stands in them.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        settings = self._settings or read_settings()
        token, secret = token_of(settings), settings.webhook_secret()
        ready = asyncio.Event()

        async def updates(wire: Wire, intake: Intake, presence: Presence) -> None:
            self._webhook = webhook = Webhook(intake.take_one, secret)
            ready.set()
            try:
                await Attendance(wire, presence, SystemClock()).run()
            finally:
                self._webhook = None
                await webhook.close()

        bot = serve(settings, token, str(settings.telegram_api_url), updates)
        self._bot = asyncio.create_task(bot, name="bot")
        await self._until(ready)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give what is under way some seconds, and close the log."""
        if self._bot is not None:
            self._bot.cancel()
            await asyncio.gather(self._bot, return_exceptions=True)

    async def _until(self, ready: asyncio.Event) -> None:
        """Wait until the bot is ready; should it end before, its error is the caller's."""
        assert self._bot is not None  # noqa: S101 - it was made a line before
        waiting = asyncio.create_task(ready.wait())
        try:
            await asyncio.wait({waiting, self._bot}, return_when=asyncio.FIRST_COMPLETED)
        except BaseException:
            self._bot.cancel()
            raise
        finally:
            waiting.cancel()
        if self._bot.done():
            self._bot.result()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or live through a server's lifespan."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif self._webhook is not None:
            await self._webhook(scope, receive, send)
        else:
            headers = [(b"content-length", b"0"), (b"retry-after", b"5")]
            await send({"type": "http.response.start", "status": 503, "headers": headers})
            await send({"type": "http.response.body"})

    async def _live(self, receive: Receive, send: Send) -> None:
        """Begin and end with the server."""
        await receive()
        try:
            await self.__aenter__()
        except Exception as error:  # noqa: BLE001 - the server tells it, and ends
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.__aexit__(None, None, None)
        await send({"type": "lifespan.shutdown.complete"})

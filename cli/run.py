"""`holdfast run`: the bot, and without a token of its own also the sandbox it talks to."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from holdfast.bot.files import TelegramFiles
from holdfast.bot.intake import Intake
from holdfast.bot.messenger import TelegramMessenger
from holdfast.bot.polling import Polling
from holdfast.bot.wire import Wire
from holdfast.cli import health, wiring
from holdfast.cli.ending import until_stopped
from holdfast.cli.runtime import settle_in
from holdfast.domain.errors import SettingsError, TelegramError
from holdfast.domain.wording import WORDING
from holdfast.engine.forks import UntoldForks
from holdfast.engine.owed import OwedReplies
from holdfast.engine.pacing import Pacing
from holdfast.engine.photos import Photos
from holdfast.engine.presence import TAP_LIFE, Presence
from holdfast.engine.recovery import Recovery
from holdfast.engine.takeover import Takeover
from holdfast.engine.work import OutsideWork
from holdfast.infrastructure.clock import SystemClock
from holdfast.infrastructure.settings import Settings, bot_id_of
from holdfast.sandbox import SandboxServer

logger = logging.getLogger("holdfast")
SANDBOX_PORT = 8081
Updates = Callable[[Wire, Intake, Presence], Awaitable[None]]
"""Where updates come from: brings them to the intake until it is cancelled, and says when all have been read."""
_MENU = ("library", "skip", "back", "cancel", "timezone", "help")


async def run(settings: Settings, port: int = SANDBOX_PORT) -> None:
    """Run until SIGINT or SIGTERM."""
    async with AsyncExitStack() as stack:
        token, api_url = settings.token(), str(settings.telegram_api_url)
        if token is None:
            state = settings.holdfast_journal.with_name("sandbox.db")
            state.parent.mkdir(parents=True, exist_ok=True)
            try:
                sandbox = await stack.enter_async_context(
                    SandboxServer(port=port, state=state, limits=True, name="Holdfast")
                )
            except OSError as error:
                raise SettingsError(f"the sandbox can't use port {port}: {error.strerror}; name another") from None
            token, api_url = sandbox.token, sandbox.url
            print(f"Web chat: {sandbox.url}/", flush=True)  # noqa: T201 - the address people look for
        await until_stopped(serve(settings, token, api_url))


async def by_polling(wire: Wire, intake: Intake, presence: Presence) -> None:
    """Ask Telegram for updates."""
    await Polling(wire, intake, SystemClock(), presence).run()


async def serve(
    settings: Settings, token: str, api_url: str, updates: Updates = by_polling, *, tap_life: int = TAP_LIFE
) -> None:
    """Run one bot on one journal until it is cancelled; then what is in hand is finished, within `engine/grace.py`.

    After an outage longer than `tap_life` microseconds the open questions are asked again.
    """
    wire, bot_id = Wire(token, api_url), bot_id_of(token)
    await wire.open()
    try:
        clock = SystemClock()
        pacing = Pacing(clock) if settings.holdfast_pace == "telegram" else None
        messenger = TelegramMessenger(wire)
        async with wiring.running(settings, bot_id, messenger, pacing=pacing, tap_life=tap_life) as bot:
            recovery, replies = Recovery(clock), OwedReplies(bot.flows, bot.log, bot.sender, bot.log.leases, clock)
            photos = Photos(bot.log, bot.turns, TelegramFiles(wire), bot.log.leases, clock)
            work = OutsideWork([photos], bot.log, clock, bot.tried)
            takeover = Takeover(bot.log.leases, recovery, [replies, work], clock, pacing=pacing)
            await takeover.begin()
            forks = UntoldForks(bot.log, bot.turns, clock)
            owed = await recovery.resume([replies])
            await recovery.resume([work, forks])
            logger.info("Holdfast runs on %s; %d replies were still owed.", settings.holdfast_journal, owed)
            intake = wiring.intake_of(settings, bot_id, bot)
            settle_in()
            async with asyncio.TaskGroup() as group:
                group.create_task(_offer_commands(wire, bot))
                group.create_task(recovery.run())
                group.create_task(replies.run())
                group.create_task(takeover.run())
                group.create_task(recovery.follow(bot.log, [replies, forks]))
                group.create_task(wiring.heartbeat_of(bot_id, bot, recovery).run())
                group.create_task(work.run())
                group.create_task(wiring.sweeper_of(bot_id, bot).run())
                group.create_task(health.answer(settings, bot, clock))
                group.create_task(_bring(updates, wire, intake, bot.presence))
    finally:
        await wire.close()


async def _bring(updates: Updates, wire: Wire, intake: Intake, presence: Presence) -> None:
    await updates(wire, intake, presence)


async def _offer_commands(wire: Wire, bot: wiring.Bot) -> None:
    """Fill Telegram's command menu; best effort."""
    commands = [{"command": flow.command, "description": flow.title} for flow in bot.flows]
    commands += [{"command": name, "description": WORDING[f"command.{name}"]} for name in _MENU]
    try:
        await wire.call("setMyCommands", commands=commands)
    except TelegramError as error:
        logger.warning("the command menu was not set: %s", error)

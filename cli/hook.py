"""`holdfast webhook`: telling Telegram where to post updates, and what it says of it."""

import sys
from typing import Annotated, Any

import typer
from msgspec import Struct

from holdfast.bot.hook import HookInfo, look
from holdfast.bot.updates import ALLOWED
from holdfast.bot.wire import Wire
from holdfast.cli.plain import safe
from holdfast.cli.show import as_json, when
from holdfast.cli.work import Json, finished, settings_of
from holdfast.domain.errors import SettingsError
from holdfast.infrastructure.settings import Settings

app = typer.Typer(help="Where Telegram posts updates to, when it is not asked for them.", no_args_is_help=True)
_MOST_CONNECTIONS = 100
_SECOND = 1_000_000


class HookReport(Struct, frozen=True, kw_only=True):
    """Where Telegram posts this bot's updates (empty: nowhere, it is asked for them), and how many wait.

    `last_error_at` is in microseconds since 1970, 0 when nothing went wrong since the webhook was set.
    """

    url: str
    pending: int
    last_error: str
    last_error_at: int
    max_connections: int
    allowed_updates: list[str]


def report(info: HookInfo) -> HookReport:
    """Tell it in our own words."""
    return HookReport(
        url=info.url,
        pending=info.pending_update_count,
        last_error=info.last_error_message,
        last_error_at=info.last_error_date * _SECOND,
        max_connections=info.max_connections,
        allowed_updates=info.allowed_updates,
    )


def token_of(settings: Settings) -> str:
    """Give the bot's token; SettingsError when there is none: a sandbox of one's own is polled."""
    token = settings.token()
    if token is None:
        raise SettingsError("a webhook needs TELEGRAM_BOT_TOKEN; it is the token that BotFather gave you")
    return token


async def _after(settings: Settings, method: str = "", **parameters: Any) -> HookReport:  # noqa: ANN401 - JSON values
    """Call a method, if one is named, and give what Telegram then says of its webhook."""
    wire = Wire(token_of(settings), str(settings.telegram_api_url), connections=2)
    await wire.open()
    try:
        if method:
            await wire.call(method, **parameters)
        return report(await look(wire))
    finally:
        await wire.close()


@app.command("set")
def set_(
    max_connections: Annotated[
        int, typer.Option(help="How many updates Telegram may post at once.", min=1, max=_MOST_CONNECTIONS)
    ] = 40,
) -> None:
    """Let Telegram post updates to TELEGRAM_WEBHOOK_URL, with TELEGRAM_WEBHOOK_SECRET. Nothing that waits is lost."""
    settings = settings_of()
    url, secret = settings.telegram_webhook_url, settings.webhook_secret()
    if url is None:
        raise SettingsError("TELEGRAM_WEBHOOK_URL is not set; it is where Telegram reaches this bot, with https")
    wanted = {"url": url, "secret_token": secret, "max_connections": max_connections}
    _tell(finished(_after(settings, "setWebhook", allowed_updates=list(ALLOWED), **wanted)))


@app.command()
def remove() -> None:
    """Let Telegram post no more, so that `holdfast run` can ask it for updates. Nothing that waits is lost."""
    _tell(finished(_after(settings_of(), "deleteWebhook")))


@app.command()
def show(json: Json = False) -> None:
    """Say where Telegram posts updates to, how many wait, and what went wrong last."""
    found = finished(_after(settings_of()))
    as_json(found) if json else _tell(found)


def _tell(found: HookReport) -> None:
    where = f"Telegram posts updates to {found.url}, at most {found.max_connections} at once."
    told = [where if found.url else "Telegram posts to no webhook: it is asked for updates.", f"{found.pending} wait."]
    if found.last_error:
        told.append(f"What went wrong last, at {when(found.last_error_at)}: {found.last_error}")
    sys.stdout.writelines(f"{safe(line)}\n" for line in told)

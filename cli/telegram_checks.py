"""What may be wrong between here and Telegram."""

from collections.abc import AsyncIterator, Iterator

import msgspec
from msgspec import Struct

from holdfast.bot.hook import HookInfo, look
from holdfast.bot.wire import Wire
from holdfast.cli.findings import Finding, told
from holdfast.domain.errors import TelegramError, TelegramUnreachable


class _Me(Struct):
    id: int
    username: str = ""


async def telegram(token: str, api_url: str, wanted: str | None = None) -> AsyncIterator[Finding]:
    """Ask who the bot is, and whether its updates go where they should: to the webhook that is wanted, or nowhere."""
    wire = Wire(token, api_url, connections=2)
    await wire.open()
    try:
        me = msgspec.json.decode(await wire.call("getMe"), type=_Me)
        yield Finding(name="Telegram", what=f"knows this bot: @{me.username}, {me.id}")
        for found in _hook(await look(wire), wanted):
            yield found
    except TelegramUnreachable as error:
        advice = "look at the network and at TELEGRAM_API_URL; the bot starts, and tries again until it gets through"
        yield Finding(name="Telegram", verdict="warn", what=f"can't be reached: {error}", advice=advice)
    except TelegramError as error:
        advice = "copy the token from BotFather once more"
        yield Finding(name="Telegram", verdict="bad", what=f"refuses this token: {told('', error).what}", advice=advice)
    finally:
        await wire.close()


def _hook(found: HookInfo, wanted: str | None) -> Iterator[Finding]:
    """Hold what Telegram posts to against what is set here."""
    if found.url and wanted is None:
        what, advice = "sends this bot's updates to a webhook", "holdfast webhook remove, or getUpdates is refused"
        yield Finding(name="Telegram", verdict="bad", what=what, advice=advice)
    elif wanted is not None and not found.url:
        what, advice = "posts to no webhook yet", "holdfast webhook set; or leave TELEGRAM_WEBHOOK_URL out"
        yield Finding(name="Telegram", verdict="warn", what=what, advice=advice)
    elif found.url != (wanted or ""):
        what = "posts this bot's updates to another address than TELEGRAM_WEBHOOK_URL"
        yield Finding(name="Telegram", verdict="bad", what=what, advice="holdfast webhook set")
    elif found.last_error_message:
        what = f"could not post an update lately: {found.last_error_message}"
        advice = "see whether holdfast run --webhook runs, and is reached under TELEGRAM_WEBHOOK_URL"
        yield Finding(name="Telegram", verdict="warn", what=what, advice=advice)
    elif wanted is not None:
        yield Finding(
            name="Telegram", what=f"posts this bot's updates to the webhook; {found.pending_update_count} wait"
        )

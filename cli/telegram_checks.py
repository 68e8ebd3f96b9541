"""What may be wrong between here and Telegram."""

from collections.abc import AsyncIterator

import msgspec
from msgspec import Struct

from holdfast.bot.wire import Wire
from holdfast.cli.findings import Finding, told
from holdfast.domain.errors import TelegramError, TelegramUnreachable


class _Me(Struct):
    id: int
    username: str = ""


class _Webhook(Struct):
    url: str = ""


async def telegram(token: str, api_url: str) -> AsyncIterator[Finding]:
    """Ask who the bot is, and whether its updates go elsewhere."""
    wire = Wire(token, api_url, connections=2)
    await wire.open()
    try:
        me = msgspec.json.decode(await wire.call("getMe"), type=_Me)
        yield Finding(name="Telegram", what=f"knows this bot: @{me.username}, {me.id}")
        hook = msgspec.json.decode(await wire.call("getWebhookInfo"), type=_Webhook)
        if hook.url:
            what, advice = "sends this bot's updates to a webhook", "call deleteWebhook, or getUpdates is refused"
            yield Finding(name="Telegram", verdict="bad", what=what, advice=advice)
    except TelegramUnreachable as error:
        advice = "look at the network and at TELEGRAM_API_URL; the bot starts, and tries again until it gets through"
        yield Finding(name="Telegram", verdict="warn", what=f"can't be reached: {error}", advice=advice)
    except TelegramError as error:
        advice = "copy the token from BotFather once more"
        yield Finding(name="Telegram", verdict="bad", what=f"refuses this token: {told('', error).what}", advice=advice)
    finally:
        await wire.close()

"""The bot as an ASGI application: `from holdfast.asgi import TelegramWebhook`."""

from holdfast.cli.asgi import TelegramWebhook

__all__ = ["TelegramWebhook"]

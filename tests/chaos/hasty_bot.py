"""The bot of the project, for which a few seconds without Telegram are an outage: `hasty_bot.py <microseconds>`."""

import asyncio
import sys

from holdfast.cli.ending import until_stopped
from holdfast.cli.run import serve
from holdfast.infrastructure.settings import read_settings


def main() -> None:
    """Run with the settings of the environment."""
    settings = read_settings()
    token = settings.token()
    assert token is not None
    asyncio.run(until_stopped(serve(settings, token, str(settings.telegram_api_url), tap_life=int(sys.argv[1]))))


if __name__ == "__main__":
    main()

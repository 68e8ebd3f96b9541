"""The sandbox as a process of its own: `python -m holdfast.sandbox --port 8081 --state FILE`."""

import argparse
import asyncio
import signal
import sys

from holdfast.sandbox.app import TOKEN
from holdfast.sandbox.server import SandboxServer
from holdfast.sandbox.world import BOT_NAME


def main(arguments: list[str] | None = None) -> int:
    """Run until a signal ends it."""
    options = _parser().parse_args(arguments)
    try:
        asyncio.run(_serve(options))
    except OSError as error:
        sys.stderr.write(f"The sandbox cannot start on {options.host}:{options.port}: {error}\n")
        return 1
    return 0


async def _serve(options: argparse.Namespace) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    async with SandboxServer(
        options.host,
        options.port,
        token=options.token,
        state=options.state,
        limits=options.limits,
        name=options.name,
    ) as sandbox:
        sys.stdout.write(_greeting(sandbox))
        sys.stdout.flush()
        await ended.wait()


def _greeting(sandbox: SandboxServer) -> str:
    return (
        f"Web chat:  {sandbox.url}/\n"
        f"Bot API:   {sandbox.url}/bot{sandbox.token}/METHOD\n"
        f"To a bot:  TELEGRAM_API_URL={sandbox.url} TELEGRAM_BOT_TOKEN={sandbox.token}\n"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m holdfast.sandbox", description="A local Bot API server.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8081, help="0 takes any free one (default: %(default)s)")
    parser.add_argument("--token", default=TOKEN, help="the bot's token (default: %(default)s)")
    parser.add_argument("--name", default=BOT_NAME, help="the bot's name (default: %(default)s)")
    parser.add_argument("--state", metavar="FILE", help="keep everything in this file across restarts")
    parser.add_argument(
        "--limits",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="refuse what Telegram would refuse as too fast (default: on)",
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(main())

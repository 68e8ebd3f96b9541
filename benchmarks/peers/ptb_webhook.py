"""Python-telegram-bot's own webhook application, flushed after each update. Arguments: the file, how many people."""

import asyncio
import sys
from collections.abc import Awaitable
from pathlib import Path

from telegram.ext import Application, BaseUpdateProcessor, PicklePersistence

from benchmarks.peers.instant import InstantRequest
from benchmarks.peers.ptb import conversation
from benchmarks.posting import SECRET, Posters
from benchmarks.slices import Slice, many_at_once, serve
from benchmarks.updates import BOT


class Flushing(BaseUpdateProcessor):
    """Handles one update after another, as the library does by itself, and flushes its persistence after each."""

    app: Application  # type: ignore[type-arg]

    async def do_process_update(self, update: object, coroutine: Awaitable[object]) -> None:  # noqa: ARG002
        """Handle, then flush."""
        await coroutine
        await self.app.update_persistence()

    async def initialize(self) -> None:
        """Nothing to open."""

    async def shutdown(self) -> None:
        """Nothing to close."""


async def main(store: Path, count: int) -> None:
    """Serve slices."""
    posters, flushing = Posters(count), Flushing(1)
    builder = Application.builder().token(f"{BOT}:none").persistence(PicklePersistence(store))
    builder = builder.concurrent_updates(flushing)
    app = builder.request(InstantRequest(posters.replied)).get_updates_request(InstantRequest()).build()
    flushing.app = app
    app.add_handler(conversation())
    async with app:
        await app.start()
        if app.updater is None:
            return
        await app.updater.start_webhook("127.0.0.1", 0, "", webhook_url="http://127.0.0.1/", secret_token=SECRET)
        await posters.connect(_port(app))

        async def run(seconds: float) -> Slice:
            return await many_at_once(posters.turn, count, seconds)

        await serve(run)
        posters.close()
        await app.updater.stop()
        await app.stop()


def _port(app: Application) -> int:  # type: ignore[type-arg]
    """Find the port that the library's server was given; it does not tell."""
    server = app.updater._httpd._http_server  # type: ignore[union-attr] # noqa: SLF001
    [port] = {one.getsockname()[1] for one in server._sockets.values()}  # noqa: SLF001
    return int(port)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))

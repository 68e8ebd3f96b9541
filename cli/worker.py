"""One of several workers behind one address: started by `holdfast run --webhook --workers`, and not by hand.

Its arguments are its number, how many there are, the folder of their own sockets, the descriptor of the socket that
they all listen on, and that of a pipe, on which it says a word when it is ready. It ends when its standard input does:
with whoever started it.
"""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from holdfast.bot.intake import belongs_to
from holdfast.bot.siblings import Siblings
from holdfast.bot.webhook import Take
from holdfast.cli import logs
from holdfast.cli.ending import until_stopped
from holdfast.cli.hook import token_of
from holdfast.cli.run import serve
from holdfast.cli.webhook import Through, posted
from holdfast.cli.work import finished, guarded
from holdfast.infrastructure.settings import NO_JOURNAL, Settings, read_settings

READY = b"ready\n"


class Place(NamedTuple):
    """A worker's place among so many: its number, the folder of their sockets, and where it says that it is ready."""

    number: int
    of: int
    folder: Path
    told: int


def main() -> None:
    """Read the arguments and work."""
    number, of, folder, listener, told = sys.argv[1:]
    place = Place(int(number), int(of), Path(folder), int(told))
    guarded(lambda: finished(work(place, socket.socket(fileno=int(listener)))))


async def work(place: Place, listener: socket.socket) -> None:
    """Serve this worker's people until SIGTERM, or until standard input ends."""
    settings = read_settings()
    logs.set_up(*settings.secrets(), worker=place.number)
    with listener:
        await until_stopped(_while_wanted(own(settings, place.number), listener, _among(place)))


def own(settings: Settings, number: int) -> Settings:
    """Give one of several workers its own journal, and its own port to say how it is: the first's, or one behind."""
    mine: dict[str, object] = {"holdfast_journal": journal_of(settings.holdfast_journal, number)}
    if settings.holdfast_health is not None:
        host, _, port = settings.holdfast_health.rpartition(":")
        mine["holdfast_health"] = f"{host}:{int(port) + number - 1}"
    return settings.model_copy(update=mine)


def journal_of(journal: Path, number: int) -> Path:
    """Name the journal of one of several workers: data/local.db becomes data/local.1.db, and none stays none."""
    if str(journal) == NO_JOURNAL:
        return journal
    return journal.with_name(f"{journal.stem}.{number}{journal.suffix}")


def _among(place: Place) -> Through:
    """Hand on what is a sibling's, and say that this worker is ready."""

    @asynccontextmanager
    async def through(take: Take) -> AsyncIterator[Take]:
        siblings = Siblings(place.number, place.of, place.folder, take, belongs_to)
        async with siblings.listening():
            os.write(place.told, READY)
            os.close(place.told)
            yield siblings.take

    return through


async def _while_wanted(settings: Settings, listener: socket.socket, through: Through) -> None:
    """Serve as long as standard input stays open."""
    updates = posted(listener, settings.webhook_secret(), through)
    bot = asyncio.create_task(serve(settings, token_of(settings), str(settings.telegram_api_url), updates), name="bot")
    alone = asyncio.create_task(_nobody_left(), name="standard input")
    with suppress(asyncio.CancelledError):
        await asyncio.wait({bot, alone}, return_when=asyncio.FIRST_COMPLETED)
    alone.cancel()
    bot.cancel()
    while not bot.done():
        # A signal may come behind the end of standard input: one of both is enough, and no reason to break off.
        with suppress(asyncio.CancelledError):
            await asyncio.wait({bot})
    if not bot.cancelled():
        bot.result()


async def _nobody_left() -> None:
    """Wait for the end of standard input."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()


if __name__ == "__main__":
    main()

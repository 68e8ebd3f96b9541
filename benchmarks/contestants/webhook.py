"""The whole bot behind its own port: posted to by many people. Arguments: the journal, how many people."""

import asyncio
import sys
from pathlib import Path

from benchmarks.house import InstantRequest, whole_bot
from benchmarks.posting import SECRET, Posters
from benchmarks.slices import Slice, many_at_once, serve
from benchmarks.updates import FIRST_PERSON
from holdfast.bot.server import listen
from holdfast.bot.server import serve as serve_http
from holdfast.bot.webhook import Webhook

_EVERYBODY = 1_000_000


async def main(journal: Path, count: int) -> None:
    """Serve slices."""
    posters = Posters(count)
    owners = range(FIRST_PERSON, FIRST_PERSON + _EVERYBODY)
    with listen("127.0.0.1", 0) as listener:
        async with whole_bot(journal, owners, InstantRequest(posters.replied)) as (intake, bot, _):
            server = asyncio.create_task(serve_http(Webhook(intake.take_one, SECRET), listener))
            await posters.connect(listener.getsockname()[1])

            async def run(seconds: float) -> Slice:
                done = await many_at_once(posters.turn, count, seconds)
                await bot.sender.settle()
                return done

            await serve(run)
            posters.close()
            server.cancel()
            await asyncio.gather(server, return_exceptions=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))

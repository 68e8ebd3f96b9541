"""The PostgreSQL recorder of the package eventsourcing, one event a transaction. Arguments: the address, how many."""
# mypy: disable-error-code="import-not-found,no-any-unimported"

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Barrier
from time import perf_counter
from urllib.parse import urlsplit
from uuid import uuid4

from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore

from benchmarks.slices import Slice, serve

_STATE = b"{" + b"x" * 500 + b"}"
"""About as long as what Holdfast stores of one turn."""
_POOL, _MORE = 5, 10
"""The package's own defaults."""


def recorder_of(dsn: str) -> PostgresApplicationRecorder:
    """Make the recorder and its table, as its application does."""
    parts = urlsplit(dsn)
    store = PostgresDatastore(
        dbname=parts.path[1:],
        host=parts.hostname or "",
        port=parts.port or "",
        user=parts.username or "",
        password=parts.password or "",
        pool_size=_POOL,
        max_overflow=_MORE,
    )
    recorder = PostgresApplicationRecorder(store)
    recorder.create_table()
    return recorder


async def main(dsn: str, people: int) -> None:
    """Serve slices."""
    recorder = recorder_of(dsn)
    threads = ThreadPoolExecutor(people)

    def write(seconds: float, begin: Barrier) -> list[float]:
        originator, micros = uuid4(), []
        begin.wait()
        began = now = perf_counter()
        for version in count(1):
            recorder.insert_events([StoredEvent(originator, version, "bench:Said", _STATE)])
            micros.append(((after := perf_counter()) - now) * 1e6)
            now = after
            if now > began + seconds:
                break
        return micros

    def work(seconds: float) -> Slice:
        begin = Barrier(people + 1)
        parts = [threads.submit(write, seconds, begin) for _ in range(people)]
        begin.wait()
        began = perf_counter()
        micros = [one for part in parts for one in part.result()]
        return Slice(micros, perf_counter() - began)

    async def run(seconds: float) -> Slice:
        return await asyncio.to_thread(work, seconds)

    await serve(run)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))

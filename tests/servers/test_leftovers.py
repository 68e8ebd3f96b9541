import asyncio
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

from tests.servers import family
from tests.servers.patience import until

ROOT = Path(__file__).resolve().parents[2]
RUN = """
import asyncio, sys
from tests.servers.ground import Ground
from tests.servers.server import Server

async def main():
    ground = Ground()
    server = Server(ground)
    await server.start()
    await server.freeze()
    print(server.pid, ground.folder, flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


async def nothing_is_left(processes: list[int], folder: Path) -> bool:
    return not await asyncio.to_thread(lambda: folder.exists() or any(map(family.lives, processes)))


async def test_servers_end_with_tests_that_die_without_a_word() -> None:
    """When a test run is killed its servers end, even frozen ones, and their folder goes."""
    with subprocess.Popen([sys.executable, "-c", RUN], cwd=ROOT, stdout=subprocess.PIPE, text=True) as run:  # noqa: ASYNC220
        assert run.stdout is not None
        pid, folder = run.stdout.readline().split()
        processes = family.family(int(pid))
        os.kill(run.pid, signal.SIGKILL)

    await until(partial(nothing_is_left, processes, Path(folder)), "the servers of a killed run are gone")
    assert len(processes) > 1

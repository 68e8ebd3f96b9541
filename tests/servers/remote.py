"""A proxy in a process of its own, for tests that keep their loop busy, and for benchmarks.

`python -m tests.servers.remote PORT` is that process: it reads lines of JSON, and ends with its standard input, so with
the tests at the latest.
"""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

from tests.servers.errors import GroundFailed
from tests.servers.patience import PATIENCE
from tests.servers.proxy import Proxy
from tests.servers.weather import Then

ROOT = Path(__file__).resolve().parents[2]


class RemoteProxy:
    """Has the methods of `Proxy`; each returns when the process has done it."""

    def __init__(self, target: int) -> None:
        """Stand before this port."""
        self._target = target
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    async def start(self) -> None:
        """Start the process, which listens."""
        self._process = await asyncio.to_thread(self._started)
        self.port = await self._hear()

    def _started(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "tests.servers.remote", str(self._target)]
        return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    async def heal(self) -> None:
        """Be as at the beginning."""
        await self._tell("heal")

    async def delay(self, to_server: float, to_client: float | None = None) -> None:
        """Let each byte take so many seconds."""
        await self._tell("delay", to_server, to_client)

    async def cut(self) -> None:
        """Reset every connection, and refuse new ones."""
        await self._tell("cut")

    async def reset(self) -> None:
        """Reset every connection there is."""
        await self._tell("reset")

    async def black_hole(self) -> None:
        """Carry nothing either way."""
        await self._tell("black_hole")

    async def half_open(self) -> None:
        """Let every connection be gone for the server alone."""
        await self._tell("half_open")

    async def swallow_reply(self, text: str = "commit", then: Then = "cut") -> None:
        """Let the next execution's answer reach nobody."""
        await self._tell("swallow_reply", text, then)

    async def swallowed(self) -> int:
        """Give how many answers were swallowed so far."""
        return int(await self._tell("swallowed"))

    async def close(self) -> None:
        """End the process."""
        if self._process is not None:
            process, self._process = self._process, None
            await asyncio.to_thread(process.communicate, timeout=PATIENCE)

    async def _tell(self, method: str, *arguments: object) -> Any:  # noqa: ANN401 - whatever the method gives
        process = self._living()
        assert process.stdin is not None
        process.stdin.write(json.dumps([method, *arguments]).encode() + b"\n")
        process.stdin.flush()
        return await self._hear()

    async def _hear(self) -> Any:  # noqa: ANN401 - as above
        process = self._living()
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            line = await asyncio.to_thread(process.stdout.readline)
        if not line:
            raise GroundFailed("the proxy's process has ended")
        return json.loads(line)

    def _living(self) -> "subprocess.Popen[bytes]":
        if self._process is None:
            raise GroundFailed("the proxy was not started")
        return self._process

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()


async def serve(target: int) -> None:
    """Be the process: do what each line says, and answer with a line."""
    async with Proxy(target) as proxy:
        print(proxy.port, flush=True)  # noqa: T201 - read by who started it
        while line := await asyncio.to_thread(sys.stdin.readline):
            method, *arguments = json.loads(line)
            print(json.dumps(await getattr(proxy, method)(*arguments)), flush=True)  # noqa: T201 - as above


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))

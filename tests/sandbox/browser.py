"""A real browser, driven over a pipe: no library, no port."""

import asyncio
import base64
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-proxy-server",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
PATIENCE = 30.0
# The browser reads from file 3 and writes to file 4.
HAND_OVER = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.dup2(int(sys.argv[2]), 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


def found() -> str | None:
    """Where a browser is, if there is one."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Tab:
    """One page."""

    def __init__(self, pipe: "Pipe", session: str) -> None:
        self._pipe = pipe
        self._session = session

    async def send(self, method: str, **params: object) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE):
            return await self._pipe.send(method, params, self._session)

    async def run(self, script: str) -> Any:  # noqa: ANN401 - whatever the script gives
        """What a script gives; its error is the test's."""
        answer = await self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise AssertionError(answer["exceptionDetails"])
        return answer["result"].get("value")

    async def becomes(self, script: str) -> None:
        """Wait until a condition holds on the page; it looks again with each frame."""
        await self.run(
            f"new Promise((done) => {{ const look = () => {script} ? done(true) : setTimeout(look, 20); look(); }})"
        )

    async def size(self, width: int, height: int, *, dark: bool = False) -> None:
        """How large the window is, and whether it is night."""
        await self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 700
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.send("Emulation.setEmulatedMedia", features=[scheme])

    async def picture(self) -> bytes:
        """What is to be seen now, as a PNG."""
        return base64.b64decode((await self.send("Page.captureScreenshot", format="png"))["data"])


class Pipe:
    """The browser's remote control: JSON with a zero byte behind each message."""

    def __init__(self, reader: asyncio.StreamReader, write: int) -> None:
        self._reader = reader
        self._write = write
        self._count = 0
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.complaints: list[str] = []

    async def send(self, method: str, params: dict[str, object], session: str | None = None) -> dict[str, Any]:
        self._count += 1
        message: dict[str, object] = {"id": self._count, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[self._count] = answer
        os.write(self._write, json.dumps(message).encode() + b"\0")
        return await answer

    async def listen(self) -> None:
        while True:
            message = json.loads((await self._reader.readuntil(b"\0"))[:-1])
            if "id" in message:
                self._settle(message)
            elif message["method"] in {"Runtime.exceptionThrown", "Log.entryAdded"}:
                self.complaints.append(json.dumps(message["params"]))

    def _settle(self, message: dict[str, Any]) -> None:
        waiting = self._waiting.pop(message["id"])
        if "error" in message:
            waiting.set_exception(AssertionError(message["error"]))
        else:
            waiting.set_result(message["result"])


@asynccontextmanager
async def tab(home: Path) -> AsyncIterator[tuple[Tab, Pipe]]:
    """A browser with one empty page, and nothing of an earlier one."""
    program = found()
    assert program is not None
    to_browser, write = os.pipe()
    read, from_browser = os.pipe()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HAND_OVER, str(to_browser), str(from_browser)),
        *(program, *FLAGS, f"--user-data-dir={home}", "about:blank"),
        pass_fds=(to_browser, from_browser),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    os.close(to_browser)
    os.close(from_browser)
    reader = asyncio.StreamReader(limit=2**26)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(read, "rb")
    )
    pipe = Pipe(reader, write)
    listening = asyncio.create_task(pipe.listen())
    try:
        async with asyncio.timeout(PATIENCE):
            page = await _open(pipe)
        yield page, pipe
    finally:
        process.kill()
        await process.wait()
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        transport.close()
        os.close(write)


async def _open(pipe: Pipe) -> Tab:
    target = await pipe.send("Target.createTarget", {"url": "about:blank"})
    attached = await pipe.send("Target.attachToTarget", {"targetId": target["targetId"], "flatten": True})
    page = Tab(pipe, attached["sessionId"])
    for domain in ("Page", "Runtime", "Log"):
        await page.send(f"{domain}.enable")
    return page

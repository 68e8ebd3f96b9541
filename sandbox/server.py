"""The sandbox as a server in the running event loop."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import uvicorn

from holdfast.sandbox.app import TOKEN, create_world, serve
from holdfast.sandbox.clock import Clock
from holdfast.sandbox.connection import CuttableProtocol
from holdfast.sandbox.signals import Signal
from holdfast.sandbox.world import BOT_NAME, World

BACKLOG = 2048
TICKS_PER_SECOND = 10  # by which uvicorn counts


class SandboxServer:
    """A served sandbox: `async with SandboxServer() as sandbox:`, then talk to `sandbox.url`.

    Port 0 takes any free one. It runs in the current loop, takes no signals, and ends with the block.
    """

    def __init__(  # noqa: PLR0913 - each is one independent choice with a default
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        token: str = TOKEN,
        state: Path | str | None = None,
        limits: bool = False,
        clock: Clock | None = None,
        name: str = BOT_NAME,
    ) -> None:
        self.token = token
        self._host = host
        self._port = port
        self._state = state
        self._limits = limits
        self._clock = clock
        self._name = name
        self._world: World | None = None

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    @property
    def world(self) -> World:
        """What is in it, for tests in the same process."""
        if self._world is None:
            raise RuntimeError("the sandbox is not running")
        return self._world

    async def __aenter__(self) -> Self:
        with contextlib.ExitStack() as on_failure:
            listener = on_failure.enter_context(listen(self._host, self._port))
            self._port = listener.getsockname()[1]
            self._world = await asyncio.to_thread(
                create_world,
                self.token,
                state=self._state,
                limits=self._limits,
                clock=self._clock,
                name=self._name,
            )
            self._server = Server(_config(self._world), self._world)
            self._task = asyncio.create_task(self._server.serve(sockets=[listener]))
            await self._server.up(self._task)
            on_failure.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.leave()
        await self._task


class Server(uvicorn.Server):
    """Uvicorn that leaves signals alone and lets long polls end before it waits for them."""

    def __init__(self, config: uvicorn.Config, world: World) -> None:
        super().__init__(config)
        self._world = world
        self._up = asyncio.Event()
        self._leaving = Signal()

    async def up(self, task: "asyncio.Task[None]") -> None:
        """Wait until it listens; if it cannot, its error is the caller's."""
        waiting = asyncio.create_task(self._up.wait())
        await asyncio.wait({waiting, task}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if task.done():
            task.result()

    def leave(self) -> None:
        """End at once, not at uvicorn's next look."""
        self.should_exit = True
        self._leaving.fire()

    async def main_loop(self) -> None:
        ticks = 0
        while not await self.on_tick(ticks):
            await self._leaving.wait(1.0)
            ticks += TICKS_PER_SECOND

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._up.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Install nothing: the signals belong to whoever runs the loop."""
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._world.close()
        await super().shutdown(sockets)


def _config(world: World) -> uvicorn.Config:
    return uvicorn.Config(
        serve(world),
        http=CuttableProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=5,
    )


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; an address that is taken is an error at once."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named as TCP, since asyncio turns off Nagle's delay (40 ms a call) only where it is.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    listener.listen(BACKLOG)
    return listener

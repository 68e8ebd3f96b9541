"""A server for ASGI applications in the running loop; it takes no signals, and ends when it is cancelled."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import uvicorn

from holdfast.domain.errors import SettingsError
from holdfast.engine.grace import TAKING

_BACKLOG = 2048
_KEPT_OPEN = 75
"""Seconds an idle connection is kept; longer than proxies keep theirs, so that none is closed under a request."""


class _Server(uvicorn.Server):
    """Uvicorn that leaves signals to whoever runs the loop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Install nothing."""
        yield


def listen(host: str, port: int) -> socket.socket:
    """Listen on an address; port 0 takes any free one. SettingsError when it can't be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named as TCP, since asyncio turns off Nagle's delay only where it is.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise SettingsError(f"port {port} of {host} can't be listened on: {error.strerror}; name another") from None
    listener.listen(_BACKLOG)
    return listener


async def serve(app: Any, listener: socket.socket) -> None:  # noqa: ANN401 - any ASGI application
    """Serve until cancelled; then nothing more is accepted, and requests under way come to their end."""
    config = uvicorn.Config(
        app,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=_KEPT_OPEN,
        timeout_graceful_shutdown=round(TAKING),
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]), name="server")
    try:
        await asyncio.shield(task)
    finally:
        server.should_exit = True
        await task

"""Connections that end without an answer."""

import socket
import struct
from asyncio import AbstractEventLoop, Transport
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

TRANSPORT = "holdfast.sandbox.transport"
LINGER_NOT = struct.pack("ii", 1, 0)


class CuttableProtocol(H11Protocol):
    """HTTP whose handlers can reach the connection, so that a test can have it cut."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        inner = self.app

        async def with_transport(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - uvicorn's types are private
            scope[TRANSPORT] = self.transport
            await inner(scope, receive, send)

        self.app = with_transport


class _Nothing(Response):
    """An answer that is never sent: it waits until the connection is gone."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope, send
        while (await receive())["type"] != "http.disconnect":
            pass


async def cut(request: Request, *, reset: bool) -> Response:
    """Close the connection under a request: in order, or as a network that fails does."""
    transport: Transport | None = request.scope.get(TRANSPORT)
    if transport is None:
        raise ConnectionError("only a served sandbox can cut a connection")
    if reset:
        connected: socket.socket = transport.get_extra_info("socket")
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
        transport.abort()
    else:
        transport.close()
    return _Nothing()

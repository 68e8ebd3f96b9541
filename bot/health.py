"""Whether it is well, for those who ask over HTTP: an ASGI application for a port that only operators reach."""

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
_PATIENCE = 5.0
"""Seconds an answer may take."""
_OK, _UNKNOWN, _WRONG_METHOD, _NOT_NOW = 200, 404, 405, 503


class Examined(Protocol):
    """What can be asked how it is."""

    async def readiness(self) -> dict[str, object]:
        """Say what works: `ready` as a truth, and the parts it follows from."""

    async def metrics(self) -> tuple[str, bytes]:
        """Give a content type, and all figures in it."""


class Health:
    """Answers /healthz, /readyz and /metrics; nothing personal stands in any answer.

    /healthz: 200 while the loop turns; one that stands still gives no answer. /readyz: 200 when people are served,
    else 503, with what is wrong as JSON. /metrics: the figures in Prometheus' form, 503 when they can't be had.
    """

    def __init__(self, examined: Examined) -> None:
        """Answer for this one."""
        self._examined = examined
        self._answers = {"/healthz": self._alive, "/readyz": self._ready, "/metrics": self._figures}

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            raise ValueError(f"this knows nothing of {scope['type']}")
        status, kind, body = await self._answered(scope)
        headers = [
            (b"content-type", kind.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    async def _answered(self, scope: Scope) -> tuple[int, str, bytes]:
        answer = self._answers.get(scope["path"])
        if answer is None:
            return _UNKNOWN, "text/plain", b"there are /healthz, /readyz and /metrics\n"
        if scope["method"] not in ("GET", "HEAD"):
            return _WRONG_METHOD, "text/plain", b"only GET\n"
        try:
            async with asyncio.timeout(_PATIENCE):
                return await answer()
        except TimeoutError:
            return _NOT_NOW, "text/plain", b"no answer in time\n"

    async def _alive(self) -> tuple[int, str, bytes]:
        return _OK, "text/plain", b"ok\n"

    async def _ready(self) -> tuple[int, str, bytes]:
        found = await self._examined.readiness()
        body = json.dumps(found).encode() + b"\n"
        return (_OK if found["ready"] else _NOT_NOW), "application/json", body

    async def _figures(self) -> tuple[int, str, bytes]:
        return (_OK, *await self._examined.metrics())

"""Posting to an ASGI application, piece by piece, without a server."""

import asyncio
from collections.abc import Sequence
from typing import Any

from holdfast.bot.webhook import Receive, Scope, Send

SECRET = "a-secret-that-nobody-knows"
HEADER = b"x-telegram-bot-api-secret-token"


class Post:
    """One request, and what is answered. `read` counts the pieces of its body that were asked for."""

    def __init__(self, *pieces: bytes, secret: str | None = SECRET, method: str = "POST", length: int = -1) -> None:
        """A length below 0 is not announced; a last piece of `...` never comes."""
        headers = [(HEADER, secret.encode())] if secret is not None else []
        headers += [(b"content-length", str(length).encode())] if length >= 0 else []
        self.scope: Scope = {"type": "http", "method": method, "path": "/", "headers": headers}
        self.pieces = list(pieces)
        self.hangs = asyncio.Event()
        self.goes_away = False
        self.read = 0
        self.sent: list[Any] = []

    async def receive(self) -> dict[str, Any]:
        self.read += 1
        if not self.pieces:
            if not self.goes_away:
                await self.hangs.wait()
            return {"type": "http.disconnect"}
        piece = self.pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(self.pieces) or self.goes_away}

    async def send(self, message: Any) -> None:  # noqa: ANN401 - an ASGI message
        self.sent.append(message)

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent[1:])

    @property
    def headers(self) -> dict[bytes, bytes]:
        found: Sequence[tuple[bytes, bytes]] = self.sent[0]["headers"]
        return dict(found)


class App:
    """Any ASGI application, posted to."""

    def __init__(self, app: Any) -> None:  # noqa: ANN401 - an ASGI application
        self._app = app

    async def answers(self, post: Post) -> Post:
        receive: Receive = post.receive
        send: Send = post.send
        await self._app(post.scope, receive, send)
        return post

"""Where Telegram posts updates: an ASGI application that says 200 once an update is durable, and not before."""

import asyncio
import hmac
import logging
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from holdfast.domain.errors import LogUnavailable
from holdfast.engine.blame import where
from holdfast.engine.grace import TAKING

logger = logging.getLogger("holdfast.bot")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Take = Callable[[bytes, float], Awaitable[None]]
"""Makes one raw update durable; LogUnavailable when that can't be done in so many seconds, and it must come again."""

MOST_BYTES = 1_000_000
"""An update of Telegram's is far smaller."""
MOST_AT_ONCE = 512
WITHIN = 8.0
"""Seconds an update may take to become durable before it is given back."""

_OK, _WRONG_SECRET, _NOT_POSTED, _TOO_SLOW, _TOO_LARGE, _LATER = 200, 401, 405, 408, 413, 503
_SECRET_HEADER = b"x-telegram-bot-api-secret-token"
_READING = 10.0
"""Seconds a body may take to arrive."""
_SLACK = 2.0
"""Seconds beyond its own bound in which taking an update in may still end by itself."""
_Headers = list[tuple[bytes, bytes]]
_HEADERS: dict[int, _Headers] = {
    _NOT_POSTED: [(b"content-length", b"0"), (b"allow", b"POST")],
    _LATER: [(b"content-length", b"0"), (b"retry-after", b"1")],
}
_EMPTY: _Headers = [(b"content-length", b"0")]


class Webhook:
    """Takes posted updates in, on whatever path it is reached.

    200: the update is durable. 401: the secret is another. 405: not a POST. 408: the body did not come to its end.
    413: more than a megabyte. 503, to be tried again: it can't be stored now, or too many are under way.
    """

    def __init__(self, take: Take, secret: str, *, at_once: int = MOST_AT_ONCE, within: float = WITHIN) -> None:
        """Let so many updates be under way `at_once`, and answer for each `within` so many seconds."""
        self._take = take
        self._secret = secret.encode()
        self._at_once = at_once
        self._within = within
        self._under_way = 0
        self._tasks: set[asyncio.Task[bool]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, without a body."""
        if scope["type"] != "http":
            raise ValueError(f"a webhook knows nothing of {scope['type']}")
        status = await self._answered(scope, receive)
        await send({"type": "http.response.start", "status": status, "headers": _HEADERS.get(status, _EMPTY)})
        await send({"type": "http.response.body"})

    async def close(self, seconds: float = TAKING) -> None:
        """Give what is under way some time; what is cut off then was not confirmed, and comes again."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _answered(self, scope: Scope, receive: Receive) -> int:
        if scope["method"] != "POST":
            return _NOT_POSTED
        headers: Iterable[tuple[bytes, bytes]] = scope["headers"]
        if not self._knows(headers):
            return _WRONG_SECRET
        if _announced(headers) > MOST_BYTES:
            return _TOO_LARGE
        if self._under_way >= self._at_once:
            return _LATER
        self._under_way += 1
        try:
            raw = await _body(receive)
        except BaseException:
            self._under_way -= 1
            raise
        if isinstance(raw, int):
            self._under_way -= 1
            return raw
        return await self._taken(raw)

    def _knows(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        """Whether whoever posts knows the secret; it takes as long for a wrong one as for the right one."""
        given = next((value for name, value in headers if name == _SECRET_HEADER), b"")
        return hmac.compare_digest(given, self._secret)

    async def _taken(self, raw: bytes) -> int:
        """Take an update in. A turn is never broken off: one that takes too long goes on, and its update comes again.

        It then waits behind that turn, and finds what became of it.
        """
        task = asyncio.create_task(self._durable(raw), name="webhook")
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        done, _ = await asyncio.wait((task,), timeout=self._within + _SLACK)
        return _OK if done and not task.cancelled() and task.result() else _LATER

    def _finished(self, task: asyncio.Task[bool]) -> None:
        self._tasks.discard(task)
        self._under_way -= 1

    async def _durable(self, raw: bytes) -> bool:
        try:
            await self._take(raw, self._within)
        except LogUnavailable:
            return False
        except Exception as error:  # noqa: BLE001 - one update must not stop the bot; it comes again
            logger.error("taking an update in failed: %s", where(error))
            return False
        return True


def _announced(headers: Iterable[tuple[bytes, bytes]]) -> int:
    """Say how many bytes a body is said to have; 0 when that is not said."""
    length = next((value for name, value in headers if name == b"content-length"), b"")
    return int(length) if length.isdigit() else 0


async def _body(receive: Receive) -> bytes | int:
    """Read a body as far as it may go; else the status that says why not."""
    parts, size = [], 0
    try:
        async with asyncio.timeout(_READING):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return _TOO_SLOW
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > MOST_BYTES:
                    return _TOO_LARGE
                if not message.get("more_body"):
                    return b"".join(parts)
    except TimeoutError:
        return _TOO_SLOW

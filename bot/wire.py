"""The wire to Telegram: method calls through python-telegram-bot's request layer, answers as raw bytes."""

import json
from typing import Any

import msgspec
from msgspec import Struct, structs
from telegram.error import NetworkError
from telegram.request import HTTPXRequest, RequestData
from telegram.request._requestparameter import RequestParameter

from holdfast.domain.errors import Blocked, SecondPoller, TelegramError, TelegramRefused, TelegramUnreachable

_OK, _FORBIDDEN, _CONFLICT, _TOO_MANY, _SERVER_ERROR = 200, 403, 409, 429, 500
_PATIENCE = 10.0
"""Seconds a call may take beyond what it asks Telegram to wait itself."""


_DOWNLOAD = 60.0
"""Seconds a download may stand still."""


class _Parameters(Struct):
    retry_after: float = 0.0


class Answer(Struct):
    """What the Bot API says to a call: its result, raw, or why there is none."""

    ok: bool
    result: msgspec.Raw = msgspec.Raw(b"null")
    description: str = ""
    parameters: _Parameters = msgspec.field(default_factory=_Parameters)


_answer = msgspec.json.Decoder(Answer).decode
_encode = msgspec.json.Encoder().encode


class Wire:
    """Calls the methods of one bot. Open it before use, close it after."""

    def __init__(self, token: str, api_url: str, *, connections: int = 64) -> None:
        """Name the bot and the server; the token stands only in the address, which is never logged."""
        self._base = f"{api_url.rstrip('/')}/bot{token}/"
        self._files = f"{api_url.rstrip('/')}/file/bot{token}/"
        self._request = HTTPXRequest(connection_pool_size=connections, read_timeout=_PATIENCE, pool_timeout=_PATIENCE)

    async def open(self) -> None:
        """Make ready to call."""
        await self._request.initialize()

    async def close(self) -> None:
        """Hang up."""
        await self._request.shutdown()

    async def call(self, method: str, *, wait: float = 0.0, **parameters: Any) -> msgspec.Raw:  # noqa: ANN401 - JSON values
        """Call a method and give its result, raw; TelegramUnreachable or TelegramRefused when there is none.

        `wait` is how many seconds the server was asked to take (a long poll).
        """
        data = RequestData([RequestParameter(name, _parameter(value), None) for name, value in parameters.items()])
        try:
            status, body = await self._request.do_request(
                self._base + method, "POST", data, read_timeout=wait + _PATIENCE
            )
        except NetworkError as error:
            raise TelegramUnreachable(f"{method}: {type(error).__name__}") from None
        return _result(method, status, body)

    async def fetch(self, path: str) -> bytes:
        """Download a file by the path that getFile gave; TelegramUnreachable or TelegramRefused."""
        try:
            status, body = await self._request.do_request(self._files + path, "GET", read_timeout=_DOWNLOAD)
        except NetworkError as error:
            raise TelegramUnreachable(f"download: {type(error).__name__}") from None
        if status != _OK:
            raise _refusal("download", status, Answer(ok=False))
        return body


def _parameter(value: Any) -> str:  # noqa: ANN401 - a JSON value
    """Write a parameter as Telegram reads it; the request layer writes JSON ten times as slowly."""
    return value if isinstance(value, str) else _encode(value).decode()


def _result(method: str, status: int, body: bytes) -> msgspec.Raw:
    try:
        answer = read_answer(body)
    except (ValueError, RecursionError):
        raise TelegramUnreachable(f"{method}: status {status} and no answer of Telegram's") from None
    if answer.ok and status == _OK:
        return answer.result
    raise _refusal(method, status, answer)


def read_answer(body: bytes) -> Answer:
    """Read an answer; one with half a surrogate in it, which a strict reader refuses, is read the slow way."""
    try:
        return _answer(body)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeError):
        loose = json.loads(body)
        result = msgspec.Raw(json.dumps(loose.pop("result", None)).encode())
        return structs.replace(msgspec.convert(loose, Answer), result=result)


def _refusal(method: str, status: int, answer: Answer) -> TelegramError:
    said = f"{method}: {status} {answer.description}"
    if status == _TOO_MANY or status >= _SERVER_ERROR:
        return TelegramUnreachable(said, retry_after=answer.parameters.retry_after)
    if status == _FORBIDDEN:
        return Blocked(said)
    if status == _CONFLICT:
        return SecondPoller(said)
    return TelegramRefused(said)

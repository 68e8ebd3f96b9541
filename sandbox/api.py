"""The Bot API: one call from request to answer."""

import inspect
from http import HTTPStatus
from secrets import compare_digest

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from holdfast.sandbox import connection, wire
from holdfast.sandbox.errors import ApiError, NotFound, Planned, TooManyRequests, Unauthorized
from holdfast.sandbox.faults import Fault, Kind
from holdfast.sandbox.methods import METHODS
from holdfast.sandbox.params import Params
from holdfast.sandbox.record import Call
from holdfast.sandbox.world import World


class BotApi:
    """Answers /bot<token>/METHOD and /file/bot<token>/PATH."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def call(self, request: Request) -> Response:
        """Carry out a method, unless a test wants it to fail."""
        method = request.path_params["method"]
        try:
            self._check_token(request)
            params = await wire.read_params(request)
        except ApiError as error:
            return wire.refused(error)
        answer, fault = await self.perform(method, params)
        return answer if answer is not None else await connection.cut(request, reset=_is(fault, Kind.RESET))

    async def perform(self, method: str, params: Params) -> tuple[Response | None, Fault | None]:
        """Carry out a method or let it fail as planned; no answer means: cut the connection."""
        fault = self._world.faults.next(method, params.values.get("chat_id"))
        answer = await self._answer(method, params, fault)
        self._log(method, params, fault, answer)
        return answer, fault

    async def file(self, request: Request) -> Response:
        """Give a file at a path that getFile has named within the hour."""
        try:
            self._check_token(request)
            file = self._world.files.at(request.path_params["path"])
        except ApiError as error:
            return wire.refused(error)
        return Response(file.data, media_type="application/octet-stream")

    async def _answer(self, method: str, params: Params, fault: Fault | None) -> Response | None:
        """The answer, or None when the connection is to be cut."""
        refusal = _refusal(fault)
        if refusal is not None:
            return wire.refused(refusal)
        if _is(fault, Kind.RESET):
            return None
        answer = await self._carry_out(method, params)
        if fault is not None and fault.kind is Kind.SLOW:
            await self._world.clock.sleep(fault.seconds)
        return None if _is(fault, Kind.DROP) else answer

    async def _carry_out(self, method: str, params: Params) -> Response:
        """Carry out a method and keep what it changed."""
        try:
            function = METHODS.get(method.lower())
            if function is None:
                raise NotFound("method not found")
            result = function(self._world, params)
            answer = wire.accepted(await result if inspect.isawaitable(result) else result)
        except ApiError as error:
            answer = wire.refused(error)
        await self._world.state.flushed()
        return answer

    def _check_token(self, request: Request) -> None:
        if not compare_digest(request.path_params["token"].encode(), self._world.token.encode()):
            raise Unauthorized

    def _log(self, method: str, params: Params, fault: Fault | None, answer: Response | None) -> None:
        calls = self._world.calls
        calls.add(
            Call(
                number=calls.next_number(),
                method=method,
                params=params.as_logged(),
                time=self._world.clock.now(),
                status=answer.status_code if answer is not None else None,
                description=_description(answer),
                fault=fault.kind.value if fault is not None else None,
            )
        )


def _refusal(fault: Fault | None) -> ApiError | None:
    if fault is None:
        return None
    if fault.kind is Kind.FLOOD:
        return TooManyRequests(fault.retry_after)
    return Planned(fault.code, fault.description) if fault.kind is Kind.ERROR else None


def _is(fault: Fault | None, kind: Kind) -> bool:
    return fault is not None and fault.kind is kind


def _description(answer: Response | None) -> str | None:
    """What a refusal says."""
    if answer is None or answer.status_code == HTTPStatus.OK:
        return None
    return str(msgspec.json.decode(bytes(answer.body))["description"])

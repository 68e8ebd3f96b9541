"""Requests to parameters, results to answers."""

from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from holdfast.sandbox.errors import ApiError, BadRequest, TooLarge
from holdfast.sandbox.params import Params, Upload

BODY_LIMIT = 50 * 1024 * 1024
FIELD_LIMIT = 1024 * 1024

encode = msgspec.json.Encoder().encode


class Json(Response):
    """An answer in JSON."""

    media_type = "application/json"

    def render(self, content: object) -> bytes:
        return encode(content)


async def read_params(request: Request) -> Params:
    """The parameters of a request: from the address, a form, JSON or a multipart body."""
    if int(request.headers.get("content-length") or 0) > BODY_LIMIT:
        raise TooLarge
    values: dict[str, Any] = dict(request.query_params)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return await _multipart(request, values)
    body = await read_body(request)
    if kind == "application/json":
        values |= _json_object(body)
    elif kind == "application/x-www-form-urlencoded":
        values |= parse_qsl(body.decode(errors="replace"), keep_blank_values=True)
    return Params(values)


async def read_body(request: Request) -> bytes:
    """The whole body; one that is sent without a length is cut off at the limit as well."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > BODY_LIMIT:
            raise TooLarge
        parts.append(part)
    return b"".join(parts)


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(body or b"{}", type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise BadRequest("can't parse JSON object") from error


async def _multipart(request: Request, values: dict[str, Any]) -> Params:
    files: dict[str, Upload] = {}
    try:
        async with request.form(max_part_size=FIELD_LIMIT) as form:
            for name, value in form.multi_items():
                if isinstance(value, UploadFile):
                    files[name] = await _upload(value)
                else:
                    values[name] = value
    except HTTPException as error:
        raise BadRequest(f"can't parse multipart body: {error.detail}") from error
    return Params(values, files)


async def _upload(file: UploadFile) -> Upload:
    data = await file.read()
    return Upload(file.filename or "file", file.content_type or "application/octet-stream", data)


def accepted(result: object) -> Json:
    """The answer to a call that was carried out."""
    return Json({"ok": True, "result": result})


def refused(error: ApiError) -> Json:
    """The answer to a call that was not."""
    body: dict[str, object] = {"ok": False, "error_code": error.status, "description": error.description}
    if error.parameters:
        body["parameters"] = error.parameters
    return Json(body, status_code=error.status)

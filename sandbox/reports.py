"""What the control API tells: people, chats, records, and the stream of changes."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from holdfast.sandbox.changes import Change
from holdfast.sandbox.errors import BadRequest
from holdfast.sandbox.model import User
from holdfast.sandbox.pictures import kind, mime_type
from holdfast.sandbox.record import Call, Input
from holdfast.sandbox.rooms import Room
from holdfast.sandbox.world import World

LONGEST_WAIT = 60.0
HEARTBEAT = 15.0
MOST_LINES = 10_000


async def people(world: World, request: Request) -> list[User]:
    """GET /control/people."""
    del request
    return list(world.people)


async def chats(world: World, request: Request) -> list[dict[str, Any]]:
    """GET /control/chats: every chat without its messages."""
    del request
    return [_door(room) for room in world.rooms]


async def chat(world: World, request: Request) -> dict[str, Any]:
    """GET /control/chats/{chat_id}: what a person sees there, at once or after the next change."""
    room = world.rooms.find(chat_id(request))
    after = _number(request, "after", -1)
    if room.version <= after:
        await room.changed.wait(_timeout(request))
    return {**_door(room), **_contents(room, _number(request, "last", 1_000))}


async def waiting(world: World, request: Request) -> list[int]:
    """GET /control/chats/{chat_id}/waiting: the messages there that the bot has not confirmed."""
    return world.updates.about(chat_id(request))


async def inputs(world: World, request: Request) -> dict[str, Any]:
    """GET /control/inputs: what people did."""
    place = _number(request, "chat_id", 0)
    after = _number(request, "after", 0)
    entries = (entry for entry in world.inputs.after(after) if place in {0, entry.chat_id})
    return _lines(request, entries, world.inputs.count)


async def calls(world: World, request: Request) -> dict[str, Any]:
    """GET /control/calls: what the bot did."""
    method = request.query_params.get("method", "").lower()
    place = request.query_params.get("chat_id", "")
    entries = (
        entry
        for entry in world.calls.after(_number(request, "after", 0))
        if method in {"", entry.method.lower()} and place in {"", str(entry.params.get("chat_id"))}
    )
    return _lines(request, entries, world.calls.count)


async def status(world: World, request: Request) -> dict[str, Any]:
    """GET /control/status: how far the bot has come; `until=confirmed` waits until nothing is pending."""
    if request.query_params.get("until") == "confirmed":
        await _until_confirmed(world, _timeout(request))
    webhook = world.hook.webhook
    return {
        "bot": world.bot,
        "token": world.token,
        "pending": len(world.updates),
        "confirmed": world.updates.confirmed,
        "next_update_id": world.updates.numbers.last + 1,
        "polling": world.polls.waiting > 0,
        "open_taps": len(world.queries),
        "webhook": webhook.url if webhook else None,
        "limits": world.limits.enabled,
        "faults": world.faults.waiting(),
        "commands": world.commands,
        "version": world.changes.numbers.last,
        "now": world.clock.now(),
    }


async def changes(world: World, request: Request) -> Response:
    """GET /control/changes: server-sent events after the one numbered `after` or Last-Event-ID."""
    given = request.headers.get("last-event-id") or request.query_params.get("after")
    after = int(given) if given and given.isdecimal() else world.changes.numbers.last
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(_events(world, after), media_type="text/event-stream", headers=headers)


async def file(world: World, request: Request) -> Response:
    """GET /control/files/{file_id}: pictures to be shown, everything else to be saved."""
    stored = world.files.find(request.path_params["file_id"])
    headers = {"x-content-type-options": "nosniff", "cache-control": "private, max-age=31536000, immutable"}
    if kind(stored.data) is None:
        headers["content-disposition"] = "attachment"
        return Response(stored.data, media_type="application/octet-stream", headers=headers)
    return Response(stored.data, media_type=mime_type(stored.data), headers=headers)


def chat_id(request: Request) -> int:
    """The chat in the address; groups have negative ids."""
    try:
        return int(request.path_params["chat_id"])
    except ValueError:
        raise BadRequest("chat not found") from None


async def _events(world: World, after: int) -> AsyncIterator[bytes]:
    yield b"retry: 1000\n: connected\n\n"
    while not world.changes.closed:
        batch = world.changes.after(after)
        if batch is None:
            after = world.changes.numbers.last
            yield b"id: %d\nevent: resync\ndata: {}\n\n" % after
        elif batch:
            after = batch[-1].number
            yield b"".join(map(_event, batch))
        elif not await world.changes.happened.wait(HEARTBEAT):
            yield b": still here\n\n"


def _event(change: Change) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (change.number, change.kind.encode(), change.body)


async def _until_confirmed(world: World, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while len(world.updates) and not world.changes.closed and (left := until - loop.time()) > 0:
        await world.updates.left.wait(left)


def _door(room: Room) -> dict[str, Any]:
    door = room.door
    return {
        "chat": door.chat,
        "members": door.members,
        "blocked": door.blocked,
        "moved_to": door.moved_to,
        "version": room.version,
    }


def _contents(room: Room, last: int) -> dict[str, Any]:
    messages = list(room.messages.values())
    return {
        "messages": messages[max(0, len(messages) - last) :],
        "toasts": list(room.toasts),
        "typing": room.typing,
        "reply_keyboard": room.reply_keyboard,
    }


def _lines(request: Request, entries: Iterable[Input | Call], count: int) -> dict[str, Any]:
    most = min(_number(request, "limit", MOST_LINES), MOST_LINES)
    lines = [entry for entry, _ in zip(entries, range(most), strict=False)]
    return {"lines": lines, "last": lines[-1].number if len(lines) == most else count}


def _number(request: Request, name: str, default: int) -> int:
    try:
        return int(request.query_params.get(name, default))
    except ValueError:
        raise BadRequest(f"{name} must be a number") from None


def _timeout(request: Request) -> float:
    return min(max(_number(request, "timeout", 0), 0), LONGEST_WAIT)

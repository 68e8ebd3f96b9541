"""The control API: what tests and the web chat do with the world."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from holdfast.sandbox import acts, groups, reports, wire
from holdfast.sandbox import world as worlds
from holdfast.sandbox.errors import ApiError, BadRequest, NotFound
from holdfast.sandbox.faults import Fault
from holdfast.sandbox.inputs import Done, Input
from holdfast.sandbox.model import Chat, User
from holdfast.sandbox.params import Params
from holdfast.sandbox.world import World

T = TypeVar("T")
Answer = Callable[[World, Request], Awaitable[object]]


class NewPerson(msgspec.Struct, frozen=True):
    """Somebody to make; without an id the next free one is given."""

    first_name: str
    id: int | None = None
    last_name: str | None = None
    username: str | None = None
    language_code: str | None = "en"


class NewGroup(msgspec.Struct, frozen=True):
    """A group to make; the bot is a member."""

    title: str
    members: list[int]


class Seconds(msgspec.Struct, frozen=True):
    """Time to let pass."""

    seconds: float


class Jump(msgspec.Struct, frozen=True):
    """How many update ids to leave out."""

    by: int


class Again(msgspec.Struct, frozen=True):
    """An update to deliver once more."""

    update_id: int


async def add_person(world: World, request: Request) -> User:
    """POST /control/people."""
    new = await _read(request, NewPerson)
    person_id = world.people.next_id() if new.id is None else new.id
    if not new.first_name or person_id <= 0 or person_id == world.bot.id:
        raise BadRequest("a person needs a first name and a positive id that is not the bot's")
    fields = {**msgspec.structs.asdict(new), "id": person_id}
    person = User(is_bot=False, **fields)
    world.people.add(person)
    if not world.rooms.has(person_id):
        names = {name: fields[name] for name in ("first_name", "last_name", "username")}
        world.rooms.add(Chat(id=person_id, type="private", **names), [person_id])
    world.changes.add("person", {"person": person})
    return person


async def perform(world: World, request: Request) -> Done | list[Done]:
    """POST /control/inputs: one input or a list of them."""
    acts_wanted = await _inputs(request)
    if isinstance(acts_wanted, list):
        return [acts.perform(world, act) for act in acts_wanted]
    return acts.perform(world, acts_wanted)


async def add_group(world: World, request: Request) -> Chat:
    """POST /control/groups."""
    new = await _read(request, NewGroup)
    return groups.create(world, new.title, new.members).chat


async def upgrade_group(world: World, request: Request) -> Chat:
    """POST /control/chats/{chat_id}/upgrade."""
    return groups.upgrade(world, reports.chat_id(request)).chat


async def plan_fault(world: World, request: Request) -> list[Fault]:
    """POST /control/faults."""
    fault = await _read(request, Fault)
    try:
        world.faults.plan(fault)
    except ValueError as error:
        raise BadRequest(str(error)) from error
    return world.faults.waiting()


async def clear_faults(world: World, request: Request) -> bool:
    """/control/faults with DELETE."""
    del request
    world.faults.clear()
    return True


async def jump(world: World, request: Request) -> dict[str, int]:
    """POST /control/updates/jump: the next update id is further on."""
    world.updates.numbers.jump((await _read(request, Jump)).by)
    return {"next_update_id": world.updates.numbers.last + 1}


async def again(world: World, request: Request) -> bool:
    """POST /control/updates/again: deliver an update once more."""
    update_id = (await _read(request, Again)).update_id
    if not world.updates.again(update_id):
        raise NotFound(f"update {update_id} is not among the last ones")
    return True


async def advance(world: World, request: Request) -> dict[str, float]:
    """POST /control/clock: let time pass."""
    world.clock.advance((await _read(request, Seconds)).seconds)
    return {"now": world.clock.now()}


async def reset(world: World, request: Request) -> bool:
    """POST /control/reset."""
    del request
    worlds.clear(world)
    return True


async def _inputs(request: Request) -> Input | list[Input]:
    if request.headers.get("content-type", "").startswith("multipart/"):
        return _uploaded(await wire.read_params(request))
    return await _read(request, Input | list[Input])  # type: ignore[arg-type]


def _uploaded(params: Params) -> Input:
    """An input whose files came in a form: fields as text, files in any part."""
    files = list(params.files.values())
    first: dict[str, Any] = {}
    if files and params.text("kind") == "document":
        first = {"data": files[0].data, "name": files[0].name, "mime_type": files[0].mime_type}
    elif files and params.text("kind") == "album":
        first = {"photos": [file.data for file in files]}
    elif files:
        first = {"data": files[0].data}
    try:
        return msgspec.convert({**params.values, **first}, Input, strict=False)  # type: ignore[no-any-return]
    except msgspec.ValidationError as error:
        raise BadRequest(str(error)) from error


async def _read(request: Request, type_: type[T]) -> T:
    try:
        return msgspec.json.decode(await wire.read_body(request), type=type_)
    except msgspec.MsgspecError as error:
        raise BadRequest(str(error)) from error


def routes(world: World) -> list[Route]:
    """The addresses of the control API."""

    def route(path: str, answer: Answer, method: str = "POST") -> Route:
        return Route(f"/control{path}", _endpoint(world, answer), methods=[method])

    return [
        route("/people", add_person),
        route("/people", reports.people, "GET"),
        route("/groups", add_group),
        route("/chats/{chat_id}/upgrade", upgrade_group),
        route("/inputs", perform),
        route("/inputs", reports.inputs, "GET"),
        route("/calls", reports.calls, "GET"),
        route("/chats", reports.chats, "GET"),
        route("/chats/{chat_id}", reports.chat, "GET"),
        route("/chats/{chat_id}/waiting", reports.waiting, "GET"),
        route("/files/{file_id}", reports.file, "GET"),
        route("/status", reports.status, "GET"),
        route("/changes", reports.changes, "GET"),
        route("/faults", plan_fault),
        route("/faults", clear_faults, "DELETE"),
        route("/updates/jump", jump),
        route("/updates/again", again),
        route("/clock", advance),
        route("/reset", reset),
    ]


def _endpoint(world: World, answer: Answer) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            result = await answer(world, request)
            await world.state.flushed()
        except ApiError as error:
            return wire.refused(error)
        return result if isinstance(result, Response) else wire.accepted(result)

    return endpoint

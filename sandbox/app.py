"""The sandbox as an ASGI application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount, Route

from holdfast.sandbox import control
from holdfast.sandbox import world as worlds
from holdfast.sandbox.api import BotApi
from holdfast.sandbox.clock import Clock
from holdfast.sandbox.delivery import Delivery
from holdfast.sandbox.guard import Loopback
from holdfast.sandbox.pages import Pages
from holdfast.sandbox.state import State, StateFile
from holdfast.sandbox.world import BOT_NAME, World

TOKEN = "1000000001:sandbox"  # noqa: S105 - opens nothing but this sandbox


def create_world(
    token: str = TOKEN,
    *,
    state: Path | str | None = None,
    limits: bool = False,
    clock: Clock | None = None,
    name: str = BOT_NAME,
) -> World:
    """The world of one sandbox: new, or as it was left in the file `state`; `name` is the bot's."""
    memory = StateFile(Path(state)) if state else State()
    return worlds.create(token, name, clock or Clock(), memory, limits=limits)


def create_app(
    token: str = TOKEN,
    *,
    state: Path | str | None = None,
    limits: bool = False,
    clock: Clock | None = None,
    name: str = BOT_NAME,
) -> Starlette:
    """The Bot API, the control API and the web chat, for any ASGI server."""
    return serve(create_world(token, state=state, limits=limits, clock=clock, name=name))


def serve(world: World) -> Starlette:
    """The application for a world that is there."""
    api = BotApi(world)
    delivery = Delivery(world, api)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with delivery.running():
            yield
        world.close()
        await world.state.close()

    return Starlette(
        lifespan=lifespan,
        middleware=[Middleware(Loopback)],
        routes=[
            Route("/bot{token}/{method}", api.call, methods=["GET", "POST"]),
            Route("/file/bot{token}/{path:path}", api.file, methods=["GET"]),
            *control.routes(world),
            Mount("/", Pages()),
        ],
    )

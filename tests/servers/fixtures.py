"""The servers a test can ask for, as fixtures.

`database` is the common one: empty, on a server that all tests share, so nothing is done to that server. Whoever stops,
freezes or fills a server takes `private_server`, or makes servers with `new_server`.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, TypeVar

import pytest

from tests.servers.database import Database
from tests.servers.ground import Ground
from tests.servers.proxy import Proxy
from tests.servers.server import Server

T = TypeVar("T")
NewServer = Callable[..., Awaitable[Server]]
NewProxy = Callable[[Server], Awaitable[Proxy]]


def finished(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in a loop of its own, whatever loop the thread at hand may have."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


@pytest.fixture(scope="session")
def ground() -> Iterator[Ground]:
    """Where all servers of the run stand."""
    with Ground() as ground:
        yield ground


@pytest.fixture(scope="session")
def server(ground: Ground) -> Iterator[Server]:
    """A server that all tests share: make databases on it, and do nothing else to it."""
    server = Server(ground)
    try:
        finished(server.start())
        yield server
    finally:
        finished(server.end())


@pytest.fixture(scope="session")
def three_servers(ground: Ground, server: Server) -> Iterator[list[Server]]:
    """The shared server and two more, shared like it."""
    more = [Server(ground), Server(ground)]
    try:
        for one in more:
            finished(one.start())
        yield [server, *more]
    finally:
        for one in more:
            finished(one.end())


@asynccontextmanager
async def fresh(server: Server) -> AsyncIterator[Database]:
    """Make an empty database, and remove it at the end, whoever is in it."""
    database = Database(server, await server.create_database())
    try:
        yield database
    finally:
        await server.drop_database(database.name)


@pytest.fixture
async def database(server: Server) -> AsyncIterator[Database]:
    """An empty database of the test's own, on the shared server."""
    async with fresh(server) as database:
        yield database


@pytest.fixture
async def three_databases(three_servers: list[Server]) -> AsyncIterator[list[Database]]:
    """An empty database of the test's own on each of the three shared servers."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(fresh(server)) for server in three_servers]


@pytest.fixture
async def new_server(ground: Ground) -> AsyncIterator[NewServer]:
    """Start servers of the test's own, with any of `Server`'s options; they are ended with the test."""
    async with AsyncExitStack() as stack:

        async def start(**options: Any) -> Server:  # noqa: ANN401 - whatever Server takes
            return await stack.enter_async_context(Server(ground, **options))

        yield start


@pytest.fixture
async def private_server(new_server: NewServer) -> Server:
    """A server of the test's own, to do anything to."""
    return await new_server()


@pytest.fixture
async def three_private_servers(new_server: NewServer) -> list[Server]:
    """Three servers of the test's own, to do anything to."""
    return list(await asyncio.gather(new_server(), new_server(), new_server()))


@pytest.fixture
async def new_proxy() -> AsyncIterator[NewProxy]:
    """Stand proxies before servers; they are closed with the test."""
    async with AsyncExitStack() as stack:

        async def start(server: Server) -> Proxy:
            return await stack.enter_async_context(Proxy(server.port))

        yield start

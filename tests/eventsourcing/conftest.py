from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from holdfast.infrastructure.eventsourcing import Factory
from tests.conformance.tiers import restricted_dsn
from tests.servers.database import Database
from tests.servers.fixtures import fresh
from tests.servers.server import Server

Settings = dict[str, str]
MODULE = "holdfast.infrastructure.eventsourcing"


async def _journal(request: pytest.FixtureRequest) -> AsyncIterator[Settings]:
    folder: Path = request.getfixturevalue("tmp_path")
    yield {"HOLDFAST_JOURNAL": str(folder / "bank.db")}


async def _tier(request: pytest.FixtureRequest) -> AsyncIterator[Settings]:
    server: Server = request.getfixturevalue("server")
    async with fresh(server) as database:
        yield {"HOLDFAST_TIER": database.dsn}


async def _pooled(request: pytest.FixtureRequest) -> AsyncIterator[Settings]:
    async for settings in _tier(request):
        yield {"HOLDFAST_TIER": f"{settings['HOLDFAST_TIER']}&holdfast_pooled=1"}


async def _restricted(request: pytest.FixtureRequest) -> AsyncIterator[Settings]:
    server: Server = request.getfixturevalue("server")
    async with fresh(server) as database:
        yield {"HOLDFAST_TIER": await restricted_dsn(database)}


PLACES: dict[str, Callable[[pytest.FixtureRequest], AsyncIterator[Settings]]] = {
    "sqlite": _journal,
    "postgres": _tier,
    "postgres, pooled": _pooled,
    "postgres, restricted": _restricted,
}


@pytest.fixture(params=sorted(PLACES))
async def settings(request: pytest.FixtureRequest) -> AsyncIterator[Settings]:
    """What an application's environment says about an empty place of its own."""
    async for found in PLACES[request.param](request):
        yield {"PERSISTENCE_MODULE": MODULE, **found}


@pytest.fixture
async def factory(settings: Settings) -> AsyncIterator[Factory]:
    """The factory of a nameless application."""
    factory = Factory(settings)
    yield factory
    factory.close()


@pytest.fixture
def on_journal(tmp_path: Path) -> Settings:
    return {"PERSISTENCE_MODULE": MODULE, "HOLDFAST_JOURNAL": str(tmp_path / "bank.db")}


@pytest.fixture
def on_tier(database: Database) -> Settings:
    return {"PERSISTENCE_MODULE": MODULE, "HOLDFAST_TIER": database.dsn}

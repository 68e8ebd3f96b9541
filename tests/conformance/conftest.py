from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from holdfast.infrastructure.log.stores import JournalStore, Opened
from holdfast.infrastructure.tiers.store import TierStore
from tests.conformance.backends import BACKENDS, Backend, Reopen
from tests.conformance.scribe import BOT
from tests.conformance.tiers import LONG, TIER_BACKENDS, TierBackend


@pytest.fixture(params=sorted(BACKENDS))
async def backend(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Backend]:
    """One of the stores; what a test leaves open of it is closed after the test."""
    made = BACKENDS[request.param](tmp_path)
    yield made
    for store in made.stores:
        await store.close()


@pytest.fixture
async def journal(backend: Backend) -> JournalStore:
    """A journal that is open and empty."""
    store = backend.store()
    await store.open()
    return store


@pytest.fixture
def reopen(backend: Backend) -> Reopen:
    """Close a journal and open it again, as the next process would."""

    async def close_and_open(journal: JournalStore) -> tuple[JournalStore, Opened]:
        await journal.close()
        store = backend.store()
        return store, await store.open()

    return close_and_open


@pytest.fixture(params=sorted(TIER_BACKENDS))
async def tier_backend(request: pytest.FixtureRequest) -> AsyncIterator[TierBackend]:
    """One of the places where a tier can be kept."""
    async with TIER_BACKENDS[request.param](request) as made:
        yield made


@pytest.fixture
async def tier(tier_backend: TierBackend) -> AsyncIterator[TierStore]:
    """A tier that is open and empty."""
    store = tier_backend.tier()
    await store.open(BOT, LONG)
    yield store
    await store.close()


@pytest.fixture
async def other_tier(tier_backend: TierBackend, tier: TierStore) -> AsyncIterator[TierStore]:
    """The same tier, as another worker has it."""
    store = tier_backend.tier("other")
    await store.open(BOT, LONG)
    yield store
    await store.close()

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from holdfast.infrastructure.log.stores import JournalStore, Opened
from tests.conformance.backends import BACKENDS, Backend, Reopen


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

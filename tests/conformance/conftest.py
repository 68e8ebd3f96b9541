from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from holdfast.infrastructure.log.stores import JournalStore, Opened
from tests.conformance.backends import BACKENDS, Backend, Reopen


@pytest.fixture(params=sorted(BACKENDS))
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Backend:
    return BACKENDS[request.param](tmp_path)


@pytest.fixture
async def journal(backend: Backend) -> AsyncIterator[JournalStore]:
    """A journal that is open and empty."""
    store = backend.store()
    await store.open()
    yield store
    await store.close()


@pytest.fixture
async def reopen(backend: Backend) -> AsyncIterator[Reopen]:
    """Close a journal and open it again, as the next process would."""
    stores: list[JournalStore] = []

    async def close_and_open(journal: JournalStore) -> tuple[JournalStore, Opened]:
        await journal.close()
        stores.append(backend.store())
        return stores[-1], await stores[-1].open()

    yield close_and_open
    for store in stores:
        await store.close()

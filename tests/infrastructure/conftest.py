from collections.abc import AsyncIterator

import pytest

from tests.infrastructure.files import MADE


@pytest.fixture(autouse=True)
async def nothing_left_open() -> AsyncIterator[None]:
    """Close what a test that failed could not close."""
    yield
    while MADE:
        await MADE.pop().close()

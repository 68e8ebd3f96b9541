from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.bot.road import Road
from tests.bot.road import road as lay


@pytest.fixture
async def road(tmp_path: Path) -> AsyncIterator[Road]:
    async with lay(tmp_path) as laid:
        yield laid

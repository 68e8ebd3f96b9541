import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.infrastructure.settings import Settings
from tests.infrastructure.files import MADE


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may have settings of their own."""
    for name in [*map(str.upper, Settings.model_fields), *os.environ]:
        if name in map(str.upper, Settings.model_fields) or name.startswith(("HOLDFAST_", "TELEGRAM_")):
            monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def a_folder_of_ones_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """The journal's usual place is below the folder where a command is given."""
    monkeypatch.chdir(tmp_path)
    yield
    MADE.clear()

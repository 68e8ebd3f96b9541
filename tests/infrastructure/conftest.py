from collections.abc import AsyncIterator

import pytest

from tests.infrastructure.files import MADE
from tests.infrastructure.full_disks import no_small_disk


@pytest.fixture(autouse=True)
async def nothing_left_open() -> AsyncIterator[None]:
    """Close what a test that failed could not close."""
    yield
    while MADE:
        await MADE.pop().close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which capability the machine lacked, so that nobody takes what was not tried for tried."""
    if reason := no_small_disk():
        terminalreporter.write_line(f"A really full disk was not tried: no small disk can be mounted here ({reason})")

"""The figures of each fault, printed when all tests are over."""

import pytest

from tests.fire.figures import HEAD

FIGURES = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Nothing has burned yet."""
    config.stash[FIGURES] = []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table."""
    lines = config.stash[FIGURES]
    if lines:
        terminalreporter.section("tiers under fire: turns in milliseconds")
        for line in (HEAD, *lines):
            terminalreporter.write_line(line)

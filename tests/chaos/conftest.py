"""The figures of each storm, printed when all tests are over."""

import pytest

FIGURES = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Nothing has been counted yet."""
    config.stash[FIGURES] = []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print every table."""
    for figures in config.stash[FIGURES]:
        terminalreporter.section("killed again and again")
        terminalreporter.write_line(figures)

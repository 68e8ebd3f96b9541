"""Figures that tests count, printed when all tests are over, also when several processes share the tests."""

from typing import Any

import pytest

Figures = dict[str, list[str]]
_FIGURES = pytest.StashKey[Figures]()
_OUTPUT = "holdfast_figures"


def tell(config: pytest.Config, title: str, line: str, *, head: str = "") -> None:
    """Have a line printed at the end, below its title and one head."""
    lines = config.stash[_FIGURES].setdefault(title, [head] if head else [])
    lines.append(line)


def pytest_configure(config: pytest.Config) -> None:
    """Nothing has been counted yet."""
    config.stash[_FIGURES] = {}


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A process that runs a share of the tests hands its figures to the one that prints."""
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[_OUTPUT] = session.config.stash[_FIGURES]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:  # noqa: ANN401 - pytest-xdist has no types
    """Gather what such a process has counted; one that died has handed nothing over."""
    figures: Figures = getattr(node, "workeroutput", {}).get(_OUTPUT, {})
    for title, lines in figures.items():
        known = node.config.stash[_FIGURES].setdefault(title, [])
        known += [line for line in lines if line not in known]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print every table."""
    for title, lines in config.stash[_FIGURES].items():
        terminalreporter.section(title)
        for line in lines:
            terminalreporter.write_line(line)

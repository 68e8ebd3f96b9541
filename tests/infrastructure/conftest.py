import pytest

from tests.infrastructure.full_disks import no_small_disk


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which capability the machine lacked, so that nobody takes what was not tried for tried."""
    if reason := no_small_disk():
        terminalreporter.write_line(f"A really full disk was not tried: no small disk can be mounted here ({reason})")

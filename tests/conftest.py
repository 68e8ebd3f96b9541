"""What every test shares."""

import pytest
from hypothesis import settings

# A deadline measures the machine, not the code; a slow build server must not fail a property.
settings.register_profile("holdfast", deadline=None, print_blob=True)
settings.load_profile("holdfast")

pytest_plugins = ["tests.servers.fixtures", "tests.figures"]

LONG = (
    "tests/fire/test_process.py",
    "tests/fire/test_chaos.py",
    "tests/chaos/test_kill.py",
    "tests/docs/test_commands.py",
    "tests/fire/test_weather.py",
    "tests/fire/",
    "tests/chaos/",
    "tests/soak/",
    "tests/docs/",
    "tests/simulation/",
    "tests/cli/",
)
"""Where the tests stand that take longest, the longest first."""


def _place(item: pytest.Item) -> int:
    return next((place for place, start in enumerate(LONG) if item.nodeid.startswith(start)), len(LONG))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where several processes share the tests, begin with the longest: nobody waits for the last one's at the end."""
    if hasattr(config, "workerinput"):
        items.sort(key=_place)

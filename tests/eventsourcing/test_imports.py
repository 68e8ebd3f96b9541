import subprocess
import sys

import pytest

from tests.architecture.house import HOUSE
from tests.architecture.reading import ROOT, imports, module_name, parse, python_files

OURS = ROOT / "infrastructure" / "eventsourcing"


def test_only_the_adapter_imports_the_package() -> None:
    """In the whole product, `eventsourcing` is imported in its one folder."""
    offenders = [
        path
        for room in HOUSE
        for path in python_files(ROOT / room)
        if path.parent != OURS
        for _, name in imports(parse(path), module_name(path))
        if name.partition(".")[0] == "eventsourcing" or name.startswith("holdfast.infrastructure.eventsourcing")
    ]

    assert offenders == []


@pytest.mark.parametrize(
    "module", ["holdfast", "holdfast.domain.decide", "holdfast.engine.turns", "holdfast.cli.main", "holdfast.testkit"]
)
def test_nothing_of_a_bot_loads_the_package(module: str) -> None:
    """Importing `eventsourcing` would change dataclasses for the whole process, so no bot does."""
    program = f"import sys, {module}; print('eventsourcing' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"

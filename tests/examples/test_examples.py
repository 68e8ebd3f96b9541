import shutil
import sys
from pathlib import Path

import pytest

from tests.architecture.reading import ROOT
from tests.docs.environment import run

EXAMPLES = ROOT / "examples"


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The examples in a folder of somebody else's, far from this project's settings."""
    return Path(shutil.copytree(EXAMPLES, tmp_path / "somebody", ignore=shutil.ignore_patterns("__pycache__")))


def test_the_examples_tests_pass_wherever_they_are_copied(copied: Path) -> None:
    """Pytest finds the tests beside the example and they pass, without a plugin or a setting of ours."""
    told = run(sys.executable, "-W", "error", "-m", "pytest", "-p", "no:asyncio", "-q", folder=copied)

    assert " passed" in told


@pytest.mark.parametrize(
    ("name", "folder"), [("inspection:inspection", EXAMPLES), ("examples.inspection:inspection", ROOT)]
)
def test_the_example_is_loaded_by_its_name(name: str, folder: Path, tmp_path: Path) -> None:
    """The command loads the flow by name, from its own folder and from the project's."""
    asked = run(
        "env",
        f"PYTHONPATH={folder}",
        f"HOLDFAST_FLOWS={name}",
        "PYTHONDONTWRITEBYTECODE=1",
        "holdfast",
        "chat",
        folder=tmp_path,
        typed="/inspect\nPump 3\n",
    )

    assert "In which condition is it?" in asked


def test_the_page_on_testing_shows_the_example_as_it_is() -> None:
    """What the documentation prints of the example is the example."""
    page = (ROOT / "docs" / "testing.md").read_text("utf-8")
    declared = (EXAMPLES / "inspection.py").read_text("utf-8").partition('"""\n\n')[2]

    assert declared in page

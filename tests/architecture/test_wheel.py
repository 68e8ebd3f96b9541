"""The wheel, as somebody gets it who has a bot of their own."""

import importlib
import os
import site
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest
import typer

from tests.architecture.house import HOUSE
from tests.architecture.reading import ROOT, tracked_files

CARRIED = frozenset({".py", ".typed", ".sql", ".html", ".css", ".js"})


def run(*command: str | Path, cwd: Path) -> str:
    """Run a program to its end and give what it printed; its complaint is the failure's text."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON"))}
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=cwd, env=clean, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel with what is installed already; nothing is fetched."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into an empty environment, beside a user's own package named `bot`.

    Third-party packages are lent by the environment that runs the tests: a folder named in a .pth file is
    put on the path, but .pth files inside it (such as the one of our editable install) are not read.
    """
    home = tmp_path_factory.mktemp("somebody") / "env"
    venv.create(home, with_pip=False)
    python = home / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--isolated", "--disable-pip-version-check", "--python", str(python)]
    run(*pip, "install", "-q", "--no-index", "--no-deps", wheel, cwd=home)
    [packages] = home.glob("lib/python*/site-packages")
    (packages / "lent.pth").write_text("\n".join(site.getsitepackages()), "utf-8")
    (packages / "bot").mkdir()
    (packages / "bot" / "__init__.py").write_text('owner = "the user"\n', "utf-8")
    return home


def product_files() -> set[str]:
    """Name the product's files as they are called once installed."""
    inside = [path.relative_to(ROOT) for path in tracked_files()]
    return {
        path.as_posix() if path.parts[0] == "holdfast" else f"holdfast/{path.as_posix()}"
        for path in inside
        if path.parts[0] in HOUSE and path.suffix in CARRIED
    }


def test_the_wheel_carries_every_file_of_every_room(wheel: Path) -> None:
    """Code, SQL and the pages' files are all in the wheel, under the import names."""
    assert product_files() - set(zipfile.ZipFile(wheel).namelist()) == set()


def test_the_source_archive_is_enough_for_a_wheel(tmp_path: Path) -> None:
    """The archive holds each room behind its link, so that a wheel built from it lacks nothing."""
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", tmp_path, cwd=ROOT)
    [archive] = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        carried = {name.partition("/")[2] for name in opened.getnames()}

    assert (product_files() | {"pyproject.toml", "LICENSE"}) - carried == set()


def test_the_wheel_takes_one_name_only(wheel: Path) -> None:
    """Nothing in the wheel is installed beside `holdfast`, so no package of the user's is shadowed."""
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}

    assert {top for top in tops if not top.endswith(".dist-info")} == {"holdfast"}


def test_a_users_own_bot_stays_the_users(environment: Path) -> None:
    """With Holdfast installed, `import bot` still finds the user's package, and ours has its own name."""
    script = "import bot, holdfast.bot; print(bot.owner, holdfast.bot.__name__, sep=', ')"

    assert run(environment / "bin" / "python", "-I", "-c", script, cwd=environment) == "the user, holdfast.bot\n"


@pytest.mark.parametrize("room", sorted(HOUSE))
def test_every_room_is_imported_from_the_wheel(environment: Path, room: str) -> None:
    """Each room is found in the installed wheel and not in the working tree."""
    name = "holdfast" if room == "holdfast" else f"holdfast.{room}"
    script = f"import {name} as room; print(room.__file__)"
    found = Path(run(environment / "bin" / "python", "-I", "-c", script, cwd=environment).strip())

    assert found.is_relative_to(environment)


def test_a_checkout_hides_no_package_of_the_users() -> None:
    """The editable install maps `holdfast` alone: away from the tree, `import bot` finds nothing of ours."""
    script = "import importlib.util as u; print([n for n in ('bot', 'cli', 'domain') if u.find_spec(n)])"

    assert run(sys.executable, "-I", "-c", script, cwd=Path(site.getsitepackages()[0])) == "[]\n"


def test_the_command_is_a_typer_app() -> None:
    """The function that the command starts belongs to a typer application."""
    module = importlib.import_module("holdfast.cli.main")

    assert callable(module.main)
    assert any(isinstance(value, typer.Typer) for value in vars(module).values())


def test_the_command_explains_itself(environment: Path) -> None:
    """`holdfast --help`, installed from the wheel, names its sub-commands."""
    assert "run" in run(environment / "bin" / "holdfast", "--help", cwd=environment)

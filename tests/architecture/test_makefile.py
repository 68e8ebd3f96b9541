"""`make env` on machines that have too little, and on the second day."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.architecture.reading import ROOT

STAND_IN = """#!/bin/sh
# Plays Python: makes an "environment" of itself and writes down what it was asked to install.
case "$*" in
  "--version") echo "Python {version}" ;;
  *version_info*) exit {too_old} ;;
  *ensurepip*) exit {lacks_venv} ;;
  "-m venv "*) mkdir -p .venv/bin && cp "$0" .venv/bin/python && echo venv >> asked ;;
  *" install "*) echo "$*" >> asked; exit {cannot_install} ;;
esac
"""


class Machine:
    """A checkout in a folder with a space in its name, and the Python that its owner has."""

    def __init__(self, folder: Path) -> None:
        self.checkout = folder / "my projects"
        self.checkout.mkdir()
        for name in ("Makefile", "pyproject.toml", "requirements.lock"):
            shutil.copy(ROOT / name, self.checkout / name)
        self.python = folder / "python"
        self.has_python()

    def has_python(
        self,
        version: str = "3.11.9",
        *,
        too_old: bool = False,
        lacks_venv: bool = False,
        cannot_install: bool = False,
    ) -> None:
        flags = {"too_old": too_old, "lacks_venv": lacks_venv, "cannot_install": cannot_install}
        numbers = {name: int(flag) for name, flag in flags.items()}
        self.python.write_text(STAND_IN.format(version=version, **numbers), "utf-8")
        self.python.chmod(0o755)

    def make_env(self) -> subprocess.CompletedProcess[str]:
        """Run `make env` as a person would, not as a part of the make that runs the tests."""
        outer = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}
        clean = {name: value for name, value in os.environ.items() if name not in outer}
        command = ["make", "env", f"PYTHON={self.python}"]
        return subprocess.run(command, cwd=self.checkout, env=clean, capture_output=True, text=True, check=False)

    def asked(self) -> list[str]:
        """List what the stand-in was asked to do, and forget it."""
        log = self.checkout / "asked"
        lines = log.read_text("utf-8").splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return lines


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_the_environment_is_made_from_the_lock_and_the_project_alone(machine: Machine) -> None:
    """Set-up installs the lock by hash, then the project without looking for anything more."""
    done = machine.make_env()

    assert done.returncode == 0, done.stderr
    made, lock, project = machine.asked()
    assert made == "venv"
    assert "--require-hashes --requirement requirements.lock" in lock
    assert "--no-deps --no-build-isolation --editable ." in project


def test_the_second_time_nothing_is_done(machine: Machine) -> None:
    """An environment that is up to date is left alone, and nothing is said."""
    machine.make_env()
    machine.asked()

    again = machine.make_env()

    assert (again.returncode, again.stdout, machine.asked()) == (0, "", [])


@pytest.mark.parametrize("name", ["requirements.lock", "pyproject.toml"])
def test_a_change_of_what_it_is_made_from_is_noticed(machine: Machine, name: str) -> None:
    """When the lock or the project's declaration changes, the environment is brought up to date in place."""
    machine.make_env()
    machine.asked()
    with (machine.checkout / name).open("a", encoding="utf-8") as file:
        file.write("# changed\n")

    machine.make_env()

    assert [line.split()[-1] for line in machine.asked()] == ["requirements.lock", "."]


def test_a_moved_checkout_gets_a_new_environment(machine: Machine) -> None:
    """An environment's commands know their own path, so one that was moved is made anew."""
    machine.make_env()
    machine.asked()
    machine.checkout = machine.checkout.rename(machine.checkout.with_name("elsewhere"))

    machine.make_env()

    assert machine.asked()[0] == "venv"


def test_a_set_up_that_failed_is_tried_again(machine: Machine) -> None:
    """A failed installation is named, and leaves nothing that looks finished."""
    machine.has_python(cannot_install=True)
    failed = machine.make_env()
    machine.has_python()
    shutil.copy(machine.python, machine.checkout / ".venv" / "bin" / "python")
    machine.asked()

    assert failed.returncode != 0
    assert "InstallFailed" in failed.stderr
    assert machine.make_env().returncode == 0
    assert machine.asked() != []


def test_a_python_that_is_too_old_is_named(machine: Machine) -> None:
    """The error names the version found, the oldest that will do, and how to choose another."""
    machine.has_python("3.9.2", too_old=True)

    done = machine.make_env()

    assert done.returncode != 0
    for word in ("PythonTooOld", "3.9.2", "3.11", "PYTHON="):
        assert word in done.stderr


def test_a_python_without_venv_is_named(machine: Machine) -> None:
    """The error of a Debian without python3-venv says which package to install."""
    machine.has_python(lacks_venv=True)

    done = machine.make_env()

    assert done.returncode != 0
    for word in ("VenvMissing", "apt-get install python3-venv"):
        assert word in done.stderr


def test_a_machine_without_python_is_told_so(machine: Machine) -> None:
    """The error of a machine without Python says what to install."""
    machine.python.unlink()

    done = machine.make_env()

    assert done.returncode != 0
    assert "PythonMissing" in done.stderr

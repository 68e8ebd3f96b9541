"""A newcomer's shell: the command on the path, and none of the machine's own settings."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.architecture.reading import ROOT

OURS = ("HOLDFAST_", "TELEGRAM_", "PYTHON", "NEON_", "SUPABASE_", "RAILWAY_")


def clean() -> dict[str, str]:
    """Give the environment as it is, without what would lead the commands elsewhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return {**kept, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}", "COLUMNS": "120"}


def run(*command: str | Path, folder: Path, typed: str = "", **settings: str) -> str:
    """Run a program to its end and give what it printed; its complaint is the failure's text."""
    words = [str(word) for word in command]
    environment = clean() | settings
    done = subprocess.run(words, cwd=folder, env=environment, input=typed, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def commands(*wanted: tuple[Path, list[str]], **settings: str) -> list[str]:
    """Run commands of holdfast, each in its folder and under these settings, and give what each printed."""
    typed = json.dumps([(str(folder), arguments) for folder, arguments in wanted])
    runner = ROOT / "tests" / "docs" / "run_commands.py"
    printed = json.loads(run(sys.executable, runner, folder=ROOT, typed=typed, **settings))
    return [str(text) for text in printed]

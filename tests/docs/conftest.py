import json
import sqlite3
from pathlib import Path

import pytest

from tests.docs.environment import commands, run


@pytest.fixture(scope="package")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a conversation in its journal, and one update in its quarantine."""
    made = tmp_path_factory.mktemp("journal")
    run("holdfast", "chat", "--journal", "data/local.db", folder=made, typed="/addmachine\nPress 4\n#1\n/cancel\n")
    journal = sqlite3.connect(made / "data" / "local.db")
    journal.execute(
        "INSERT INTO quarantine (dedup_key, raw, error, received_at) VALUES (?, ?, ?, ?)",
        (
            "tg:0:812345678:e9dc8e8302e50b16",
            b'{"update_id": 812345678, "message": "?"}',
            "ValidationError: not an update we can read",
            1,
        ),
    )
    journal.commit()
    journal.close()
    [text] = commands((made, ["log", "export"]))
    (made / "log.jsonl").write_text(text, "utf-8")
    return made


@pytest.fixture(scope="package")
def exported(folder: Path) -> list[str]:
    """The lines that the export gives of that conversation."""
    return (folder / "log.jsonl").read_text("utf-8").splitlines()


@pytest.fixture(scope="package")
def conversation(exported: list[str]) -> str:
    """The conversation's id."""
    events = [json.loads(line) for line in exported]
    return next(str(event["conversation_id"]) for event in events if event["kind"] == "conversation.started")

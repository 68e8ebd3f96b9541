"""What bad things get: a clear sentence to the person, an exact line to the operator, and nothing lost."""

import asyncio
import json
import logging
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from holdfast.bot import intake
from holdfast.bot.updates import Update, read_update
from holdfast.domain.wording import WORDING
from tests.bot.road import Road, shown, tells
from tests.engine.fakes import SLIP

TEXT = "json_extract(substr(payload, 34), '$.said.text')"
WORDS = "the words of somebody"


def not_read_yet(raw: bytes) -> Update:
    """Read as a program of before would, which does not know one kind of text."""
    if WORDS.encode() in raw:
        raise ValueError(WORDS)
    return read_update(raw)


async def quarantine(road: Road, verb: str) -> Any:  # noqa: ANN401 - whatever the command prints as JSON
    """Run the operator's command on the bot's journal, and give what it prints for programs."""
    command = [str(Path(sys.executable).with_name("holdfast")), "quarantine", verb, "--json"]
    environment = {"PATH": os.environ["PATH"], "HOLDFAST_JOURNAL": str(road.journal)}
    process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=asyncio.subprocess.PIPE)
    printed, _ = await process.communicate()
    assert process.returncode == 0
    return json.loads(printed)


async def test_an_update_that_cannot_be_read_waits_raw_for_a_better_program(
    road: Road, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is confirmed, counted and shown, its neighbours are answered, and after the mend it is an answer like any."""
    ada, bob = await road.control.person("Ada"), await road.control.person("Bob")
    said = [(ada, "/addmachine"), (bob, WORDS), (ada, "Press 4"), (ada, WORDS), (ada, "/skip")]
    for person, text in said:
        await person.says(text)
    with monkeypatch.context() as before:
        before.setattr(intake, "read_update", not_read_yet)
        async with road.bot():
            await ada.sees("3 of 8", after=0)
            await road.control.all_confirmed()
            counted = await quarantine(road, "list")
    replayed = await quarantine(road, "replay")
    async with road.bot():
        answer = await ada.sees(f"Model number: {WORDS}")
        await bob.sees(WORDING["noted.talk"])

    assert [WORDS in one["raw"] for one in counted] == [True, True]
    assert sorted(replayed) == sorted(one["name"] for one in counted)
    assert [*caplog.messages].count("an update was set aside: ValueError: not an update we can read") == 2
    assert "4 of 8" in shown(answer)
    assert WORDS not in caplog.text
    assert await road.differences() == []


async def test_a_flow_that_fails_keeps_the_input_and_asks_again(road: Road, caplog: pytest.LogCaptureFixture) -> None:
    """The person hears an apology and the question, the operator where it failed, and the input is an event."""
    async with road.bot(holdfast_flows="tests.engine.fakes:survey"):
        ada = await road.control.person("Ada")
        await tells(ada, "/survey")
        sorry = shown(await tells(ada, "slip"))
        after = shown(await tells(ada, "well"))
    failures = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]

    assert sorry.startswith(WORDING["rule.failed"])
    assert "How are you?" in sorry
    assert "Mood: well" in after
    assert [text.startswith("deciding failed: RuntimeError at ") for text in failures] == [True]
    assert SLIP not in caplog.text
    assert road.rows("SELECT kind, json_extract(facts, '$.rule') FROM events ORDER BY pos") == [
        ("conversation.started", None),
        ("input.unexpected", "failed"),
        ("answer.given", None),
    ]
    assert road.rows(f"SELECT {TEXT} FROM events WHERE kind LIKE 'input%'") == [("slip",)]  # noqa: S608 - our own names


async def test_a_journal_that_cannot_be_used_is_named(road: Road, tmp_path: Path) -> None:
    """Where the journal is no file of ours the bot ends with the reason, and Telegram keeps what people sent."""
    (tmp_path / "local.db").write_text("somebody's notes, much longer than a header would be" * 4)
    ada = await road.control.person("Ada")
    await ada.says("/addmachine")
    with pytest.raises(Exception, match="is not an SQLite file; it was left untouched"):
        async with road.bot():
            await asyncio.sleep(10)
    pending = (await road.control.status()).pending
    (tmp_path / "local.db").unlink()
    async with road.bot():
        answer = await ada.sees("1 of 8")

    assert pending == 1
    assert "Nickname" in shown(answer)

import asyncio
import json

import pytest
from typer.testing import CliRunner, Result

from holdfast.cli import wiring
from holdfast.cli.main import app
from holdfast.domain.errors import JournalLocked
from tests.bot.road import Road, shown, tells

UNREADABLE = b'{"update_id": 900, "message": {"message_id": "x", "text": "\x1b[2J"}}'


@pytest.fixture
def environment(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOLDFAST_JOURNAL", str(road.journal))


async def command(*arguments: str) -> Result:
    """Run the real command as an operator would, beside this loop."""
    return await asyncio.to_thread(CliRunner().invoke, app, ["quarantine", *arguments])


def message(number: int, person: int, text: str) -> bytes:
    chat, sender = {"id": person, "type": "private"}, {"id": person, "first_name": "Ada"}
    body = {"message_id": number, "date": 1_700_000_000, "chat": chat, "from": sender, "text": text}
    return json.dumps({"update_id": number, "message": body}).encode()


async def set_aside(road: Road, *raws: bytes, readable: bool = False) -> None:
    """Let the bot's intake meet updates that it can't read, or that fail on the way."""
    settings = road.settings()
    async with wiring.replaying(settings) as (_, intake):
        if readable:
            intake._turns = None  # type: ignore[assignment]  # noqa: SLF001 - a fault no update of ours causes
        await intake.take(list(raws))


@pytest.mark.usefixtures("environment")
async def test_what_stands_in_quarantine_is_listed_and_shown(road: Road) -> None:
    """List names each with its error, show gives it raw, and nothing of it moves the operator's cursor."""
    async with road.bot():
        await tells(await road.control.person("Ada"), "/start")
    await set_aside(road, UNREADABLE)
    listed, as_json = await command("list"), await command("list", "--json")
    [item] = json.loads(as_json.stdout)
    one, unknown = await command("show", item["name"]), await command("show", "nobody")

    assert "1 in quarantine, 1 still wait" in listed.stdout
    assert item["raw"].encode() == UNREADABLE
    assert item["replayed_at"] is None
    assert "not an update we can read" in one.stdout
    assert "\x1b" not in listed.stdout + one.stdout
    assert "nobody" in str(unknown.exception)


@pytest.mark.usefixtures("environment")
async def test_what_is_still_unreadable_stays(road: Road) -> None:
    """A replay of what can't be read even now says why, ends with status 1, and leaves it waiting."""
    async with road.bot():
        await tells(await road.control.person("Ada"), "/start")
    await set_aside(road, UNREADABLE)
    replayed = await command("replay", "--json")
    nobody = await command("replay", "nobody")

    assert replayed.exit_code == nobody.exit_code == 1
    assert ["not an update" in error for error in json.loads(replayed.stdout).values()] == [True]
    assert "nothing of this name waits" in nobody.stdout
    assert road.rows("SELECT replayed_at FROM quarantine") == [(None,)]


@pytest.mark.usefixtures("environment")
async def test_what_can_be_read_by_now_is_taken_in_once(road: Road) -> None:
    """A replayed update is an event, its reply is sent by the next bot, and a second replay finds nothing."""
    ada = await road.control.person("Ada")
    async with road.bot():
        await tells(ada, "/start")
    await set_aside(road, message(1_000_000, ada.id, "/addmachine"), readable=True)
    waiting = await command("list")
    first, second = await command("replay"), await command("replay")
    async with road.bot():
        reply = await ada.sees("What do you call")
    after = await command("list")

    assert "1 still wait" in waiting.stdout
    assert (first.exit_code, "taken in" in first.stdout) == (0, True)
    assert (second.exit_code, second.stdout) == (0, "")
    assert "1 of 8" in shown(reply)
    assert "1 in quarantine, 0 still wait" in after.stdout
    assert road.rows("SELECT kind FROM events ORDER BY pos DESC LIMIT 1") == [("conversation.started",)]
    assert await road.differences() == []


@pytest.mark.usefixtures("environment")
async def test_a_replay_beside_the_running_bot_is_refused(road: Road) -> None:
    """While the bot runs the journal is its own: a replay is refused by name, listing is not."""
    async with road.bot():
        await tells(await road.control.person("Ada"), "/start")
        refused, listed = await command("replay"), await command("list")

    assert isinstance(refused.exception, JournalLocked)
    assert listed.exit_code == 0


def test_replaying_needs_a_journal(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a journal the command says so."""
    monkeypatch.setenv("HOLDFAST_JOURNAL", str(tmp_path_factory.mktemp("none") / "local.db"))
    result = CliRunner().invoke(app, ["quarantine", "replay"])

    assert "no journal" in str(result.exception)

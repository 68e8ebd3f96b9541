# ruff: noqa: ASYNC240 - a test may wait for its files
import base64
import socket
from pathlib import Path

import pytest

from holdfast.bot.wire import Wire
from holdfast.cli.doctor import diagnose
from holdfast.cli.journal_checks import LEAST, LITTLE, room
from holdfast.domain.wording import moment
from holdfast.infrastructure.clock import SystemClock
from holdfast.infrastructure.settings import Settings, read_what_is_right
from holdfast.sandbox import SandboxServer
from holdfast.sandbox.app import TOKEN
from tests.cli.hands import journal_of, migrated, run, tiers_setting, typed, whats
from tests.conformance.scribe import BOT
from tests.infrastructure.files import hand_on, journal
from tests.servers.database import Database

SECRET = "hunter2hunter2"
HOUR = 3600 * 1_000_000
KEY = base64.b64encode(bytes(range(32))).decode()


async def found(name: str) -> str:
    """Give what the doctor finds of one thing."""
    return whats([one for one in (await diagnose(*read_what_is_right())).findings if one.name == name])


async def test_nothing_set_is_well() -> None:
    """Without any setting the bot works, every setting is named, and the exit status is 0."""
    said = await typed("doctor", "--json")
    diagnosis = said.read()
    names = [one["name"] for one in diagnosis["findings"]]

    assert (said.status, diagnosis["verdict"]) == (0, "ok")
    assert {name.upper() for name in Settings.model_fields} <= set(names)
    assert {"journal", "disk", "lock", "flows", "master key", "Telegram"} <= set(names)
    assert not Settings().holdfast_journal.exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TELEGRAM_BOT_TOKEN", SECRET),
        ("TELEGRAM_API_URL", SECRET),
        ("NEON_DATABASE_URL", f"mysql://me:{SECRET}@db/x"),
        ("SUPABASE_DATABASE_URL", SECRET),
        ("RAILWAY_DATABASE_URL", f"https://{SECRET}"),
        ("HOLDFAST_TIERS", f"neon:postgresql://me:{SECRET}@db/x"),
        ("HOLDFAST_TIERS", f"a=postgresql://me:{SECRET}@db/x a=postgresql://me:{SECRET}@db/y"),
        ("HOLDFAST_SYNC_COPIES", SECRET),
        ("HOLDFAST_ALLOW", SECRET),
        ("HOLDFAST_OWNERS", SECRET),
        ("HOLDFAST_FLOWS", "no_such_module:flow"),
    ],
)
async def test_a_wrong_setting_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """What is wrong is marked bad under its own name, with advice, without its value; the rest is still tried."""
    monkeypatch.setenv(name, value)
    said = await typed("doctor", "--json")
    bad = [one for one in said.read()["findings"] if one["verdict"] == "bad"]

    assert said.status == 1
    assert {one["name"] for one in bad} == {name}
    assert all(one["what"] and one["advice"] for one in bad)
    assert SECRET not in said.text
    assert "disk" in said.text


@pytest.mark.parametrize("name", ["HOLDFAST_MASTER_KEY", "HOLDFAST_MASTER_KEY_FILE"])
async def test_a_master_key_that_is_none_is_bad(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A key of another length, or a file that is not there, keeps the bot from running."""
    monkeypatch.setenv(name, SECRET)
    said = await typed("doctor")

    assert said.status == 1
    assert name in said.text
    assert "bad   master key" in said.text


async def test_a_master_key_is_to_be_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A good key is said to be one, not shown, and its owner is told to keep a copy; a readable file is warned of."""
    file = tmp_path / "key"
    file.write_text(KEY)
    file.chmod(0o644)
    monkeypatch.setenv("HOLDFAST_MASTER_KEY_FILE", str(file))
    said = await typed("doctor")

    assert said.status == 0
    assert "ok    master key: 32 bytes" in said.text
    assert "keep a copy of it apart" in said.text
    assert "can be read by others" in said.text
    assert KEY not in said.text


async def test_a_misspelt_setting_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that looks like a setting and is none would be passed over in silence otherwise."""
    monkeypatch.setenv("HOLDFAST_JOURNALS", "x.db")

    assert "did you mean HOLDFAST_JOURNAL?" in await found("HOLDFAST_JOURNALS")


async def test_settings_that_stand_in_anothers_light_are_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """HOLDFAST_TIERS hides the three names, and more copies than tiers can't be made."""
    monkeypatch.setenv("HOLDFAST_TIERS", tiers_setting(one="postgresql://a:b@127.0.0.1:1/x"))
    monkeypatch.setenv("NEON_DATABASE_URL", "postgresql://a:b@127.0.0.1:1/y")
    monkeypatch.setenv("HOLDFAST_SYNC_COPIES", "2")

    assert "hides NEON_DATABASE_URL" in await found("HOLDFAST_TIERS")
    assert "asks for 2 copies on tiers, and there are 1" in await found("HOLDFAST_SYNC_COPIES")


async def test_a_tier_that_is_away_is_a_warning(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bot runs without any tier, so one that can't be used is warned of; what is wrong with it is told."""
    await migrated(database)
    gone = f"postgresql://me:{SECRET}@127.0.0.1:1/x"
    monkeypatch.setenv("HOLDFAST_TIERS", tiers_setting(here=database.dsn, gone=gone))
    said = await typed("doctor")

    assert said.status == 0
    assert "warn  tier gone: 127.0.0.1:1/x: it cannot be reached" in said.text
    assert "warn  tier here: its role owner could change" in said.text
    assert SECRET not in said.text


async def test_a_tier_of_another_bot_stops_the_bot(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """With another bot's database the bot refuses to start, so that is bad."""
    await migrated(database)
    await run(database, "INSERT INTO tier_meta VALUES ('bot_id', '77')")
    await journal_of(Path("data/local.db"), bot_id=int(TOKEN.partition(":")[0]))
    monkeypatch.setenv("HOLDFAST_TIERS", tiers_setting(here=database.dsn))
    said = await typed("doctor")

    assert said.status == 1
    assert "bad   tier here: belongs to the bot 77" in said.text


async def test_a_journal_of_another_bot_is_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    """A journal begun by a real bot is not the sandbox's, nor another token's."""
    await journal_of(Path("data/local.db"), bot_id=BOT)
    sandbox = await found("journal")
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", "43:another")
    monkeypatch.setenv("TELEGRAM_API_URL", "http://127.0.0.1:1")
    another = await found("journal")
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", f"{BOT}:right")
    right = await found("journal")

    assert f"bad journal: belongs to the bot {BOT}, and the sandbox's bot would run" in sandbox
    assert f"bad journal: belongs to the bot {BOT}, and this is 43" in another
    assert "bad" not in right
    assert "4 events, 2 deliveries" in right


async def test_a_journal_under_another_key_is_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    """A journal whose words are locked needs its own key."""
    path = await journal_of(Path("data/local.db"))
    with hand_on(path) as connection:
        connection.execute("INSERT INTO tier_meta VALUES ('key', '0011223344556677')")

    assert "set HOLDFAST_MASTER_KEY to the key it was begun with" in await found("journal")


async def test_a_flow_that_is_needed_and_not_loaded_is_bad() -> None:
    """An open conversation's flow is named with its version, and the setting that loads it."""
    path = await journal_of(Path("data/local.db"))
    with hand_on(path) as connection:
        connection.execute(
            "INSERT INTO conversation_states VALUES (7, 7, 'inspect', 'a', ?, ?, ?, ?)",
            ('{"flow_version":3}', *["2026-01-01T00:00:00.000000Z"] * 3),
        )

    assert "bad flows: open conversations need inspect version 3" in await found("flows")


async def test_a_journal_in_use_is_said_to_be() -> None:
    """A bot that holds the journal is no fault, and the doctor takes nothing away from it."""
    path = await journal_of(Path("data/local.db"), bot_id=int(TOKEN.partition(":")[0]))
    store = journal(path)
    await store.open()
    held = await typed("doctor")
    await store.close()

    assert held.status == 0
    assert "a bot works with the journal now" in held.text
    assert "no bot works with the journal now" in await found("lock")


async def test_what_is_no_journal_is_bad() -> None:
    """Another program's file, a folder, a file where a folder should be: each is named."""
    path = Path("data/local.db")
    path.parent.mkdir()
    path.write_text("my own notes")
    notes = await found("journal")
    path.unlink()
    path.mkdir()
    folder = await found("journal")
    path.rmdir()
    path.parent.rmdir()
    path.parent.write_text("a file")
    file = await found("journal")

    assert "bad journal: data/local.db is not an SQLite file" in notes
    assert "bad journal: data/local.db stands where the journal should" in folder
    assert "data stands where the journal should" in file


async def test_what_waits_in_quarantine_is_warned_of() -> None:
    """Inputs that could not be read are counted."""
    path = await journal_of(Path("data/local.db"))
    with hand_on(path) as connection:
        connection.execute("INSERT INTO quarantine (dedup_key, raw, error, received_at) VALUES ('x', x'00', 'y', 1)")

    assert "1 inputs could not be read" in await found("quarantine")


@pytest.mark.parametrize(("free", "verdict"), [(LITTLE, "ok"), (LITTLE - 1, "warn"), (LEAST - 1, "bad")])
def test_a_disk_without_room_is_told(tmp_path: Path, free: int, verdict: str) -> None:
    """Little room is warned of, and too little to go on is bad."""
    [one] = room(tmp_path / "data" / "local.db", free)

    assert one.verdict == verdict


async def test_the_token_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Telegram knows a right token, refuses a wrong one, and one that is out of reach is only a warning."""
    async with SandboxServer() as sandbox:
        monkeypatch.setenv("TELEGRAM_API_URL", sandbox.url)
        monkeypatch.setenv("TELEGRAM_BOT_TOKEN", sandbox.token)
        right = await found("Telegram")
        monkeypatch.setenv("TELEGRAM_BOT_TOKEN", "43:AAE-another")
        wrong = await found("Telegram")
    away = await found("Telegram")

    assert right.startswith("ok Telegram: knows this bot: @")
    assert wrong.startswith("bad Telegram: refuses this token: getMe: 401")
    assert away.startswith("warn Telegram: can't be reached")
    assert "AAE-another" not in wrong + away


async def test_a_webhook_that_takes_the_updates_is_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    """While a webhook is set, polling is refused."""
    async with SandboxServer() as sandbox:
        monkeypatch.setenv("TELEGRAM_API_URL", sandbox.url)
        monkeypatch.setenv("TELEGRAM_BOT_TOKEN", sandbox.token)
        caller = Wire(sandbox.token, sandbox.url)
        await caller.open()
        await caller.call("setWebhook", url="https://example.org/hook")
        await caller.close()
        said = await found("Telegram")

    assert "bad Telegram: sends this bot's updates to a webhook" in said


async def test_a_server_that_never_answers_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that waits in vain is given up, and says so."""
    monkeypatch.setattr("holdfast.cli.doctor.PATIENCE", 0.2)

    with socket.create_server(("127.0.0.1", 0)) as silent:
        host, port = silent.getsockname()
        monkeypatch.setenv("TELEGRAM_API_URL", f"http://{host}:{port}")
        monkeypatch.setenv("TELEGRAM_BOT_TOKEN", "43:AAE-another")
        said = await found("Telegram")

    assert "warn Telegram: gave no answer within 0.2 seconds" in said


async def test_a_flow_that_never_loads_holds_nothing_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Somebody's own module may do anything when it is loaded; the doctor does not wait for its end."""
    monkeypatch.setattr("holdfast.cli.doctor.PATIENCE", 0.2)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "a_flow_that_sleeps.py").write_text("import threading\nthreading.Event().wait(60)\n")
    monkeypatch.setenv("HOLDFAST_FLOWS", "a_flow_that_sleeps:flow")

    assert "gave no answer within 0.2 seconds" in await found("flows")


async def test_a_gap_and_what_was_given_up_are_named() -> None:
    """When the bot was away for too long, and how much outside work failed for good or may yet succeed, is told."""
    path = Path("data/local.db")
    await journal_of(path, bot_id=int(TOKEN.partition(":")[0]))
    now = SystemClock().now()
    gap, old = now - 3 * 24 * HOUR, now - 90 * 24 * HOUR
    subject = "work:photo:00000000-0000-0000-0000-00000000000"
    facts = {
        f"gap:{gap}": f"{now}",
        f"gap:{old}": f"{old + 25 * HOUR}",
        f"{subject}1": '{"attempts":3,"due_at":5,"error":"getFile: 400 gone","given_up":true}',
        f"{subject}2": '{"attempts":1,"due_at":5,"error":"getFile: 400 gone"}',
    }
    with hand_on(path) as connection:
        connection.executemany("INSERT INTO tier_meta VALUES (?, ?)", facts.items())

    assert [one.partition(" ")[0] for one in (await found("gap")).splitlines()] == ["ok", "warn"]
    assert f"from {moment(gap)} to {moment(now)}" in await found("gap")
    photos = await found("photo work")
    assert "1 were given up; the last time it was: getFile: 400 gone" in photos
    assert "1 failed so far and will be tried again" in photos


@pytest.mark.parametrize(("tiers", "verdict"), [(1, "bad"), (2, "warn"), (3, "")])
async def test_a_worker_that_keeps_nothing_needs_tiers(
    monkeypatch: pytest.MonkeyPatch, tiers: int, verdict: str
) -> None:
    """Without a journal two tiers are needed and three are advised; nothing is looked for on the disk."""
    monkeypatch.setenv("HOLDFAST_JOURNAL", "none")
    named = {f"tier{number}": "postgresql://a:b@127.0.0.1:1/x" for number in range(tiers)}
    monkeypatch.setenv("HOLDFAST_TIERS", tiers_setting(**named))
    said, journal = await found("HOLDFAST_JOURNAL"), await found("journal")

    assert [line.split()[0] for line in said.splitlines()] == ["ok", *([verdict] if verdict else [])]
    assert "none: this worker keeps nothing" in journal
    assert not Path("none").exists()

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from holdfast.domain.errors import BrokenLog, HoldfastError, JournalLocked, LogUnavailable, SettingsError
from holdfast.infrastructure.log.journal_file import FileLock
from tests.bot.road import road
from tests.cli.hands import journal_of, typed
from tests.conformance.scribe import BOT
from tests.infrastructure.files import hand_on, journal
from tests.infrastructure.test_export import story

KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


@pytest.fixture
async def exported(tmp_path: Path) -> Path:
    """An export of a real bot's journal: a machine was registered, another conversation is open."""
    async with road(tmp_path) as way, way.bot():
        ada = await way.control.person("Ada")
        await ada.sees("1 of 8", 10, after=await ada.says("/addmachine"))
        await ada.sees("2 of 8", 10, after=await ada.says("Press 4 \u2028 \0 😀"))
        ben = await way.control.person("Ben")
        await ben.sees("1 of 8", 10, after=await ben.says("/addmachine"))
        await ben.sees("Cancelled", 10, after=await ben.says("/cancel"))
    return await export_of(way.journal, tmp_path / "log.jsonl")


def written(to: Path, text: str) -> Path:
    to.write_text(text, "utf-8")
    return to


def same(one: Path, other: Path) -> bool:
    return one.read_bytes() == other.read_bytes()


async def export_of(path: Path, to: Path) -> Path:
    said = await typed("log", "export", "--journal", str(path))
    assert said.status == 0
    return written(to, said.text)


async def found_sound(path: Path) -> None:
    """Every hash holds, and every row follows from the events."""
    for command in (["log", "verify"], ["rebuild"]):
        said = await typed(*command, "--journal", str(path))
        assert said.status == 0, said.text


Change = Callable[[list[str]], list[str]]


def _changed(at: int, **fields: object) -> Change:
    def change(lines: list[str]) -> list[str]:
        return [*lines[:at], json.dumps(json.loads(lines[at]) | fields), *lines[at + 1 :]]

    return change


def rewrite(file: Path, change: Change) -> None:
    lines = file.read_text("utf-8").split("\n")[:-1]
    file.write_text("\n".join(change(lines)), "utf-8")


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


async def refused(file: Path, to: Path) -> str:
    """Import, and give why it was refused; nothing may be left behind."""
    before = names(to.parent)
    with pytest.raises(HoldfastError) as caught:
        await typed("log", "import", str(file), "--journal", str(to))
    after = (
        {path.name for path in to.parent.iterdir()} - before - {f"{to.name}{end}" for end in (".lock", "-wal", "-shm")}
    )
    assert after == set()
    return f"{type(caught.value).__name__}: {caught.value}"


async def test_an_import_is_the_same_log(exported: Path, tmp_path: Path) -> None:
    """Exported again it is the same text, so every hash is equal; it verifies, and its tables follow from it."""
    copy = tmp_path / "new" / "copy.db"
    said = await typed("log", "import", str(exported), "--json", "--journal", str(copy))
    again = await export_of(copy, tmp_path / "again.jsonl")

    assert said.status == 0
    assert same(again, exported)
    assert (said.read()["events"], said.read()["threads"], said.read()["words_gone"]) == (4, 2, 0)
    await found_sound(copy)


async def test_heads_and_tables_are_those_of_the_original(exported: Path, tmp_path: Path) -> None:
    """Where each thread stands, and each row that people look into, are as they were."""
    copy = tmp_path / "copy.db"
    await typed("log", "import", str(exported), "--journal", str(copy))
    original = tmp_path / "local.db"

    heads = "thread_id, version, ots, head_ids, last_conversation_id, hint_valid"
    for name, columns in (("heads", heads), ("conversation_states", "*"), ("user_machines", "*")):
        assert table(copy, name, columns) == table(original, name, columns)
    assert meta(copy)["bot_id"] == meta(original)["bot_id"]


def table(path: Path, name: str, columns: str = "*") -> list[Any]:
    with hand_on(path) as connection:
        return sorted(connection.execute(f"SELECT {columns} FROM {name}").fetchall())  # noqa: S608 - our own names


def meta(path: Path) -> dict[str, str]:
    return dict(table(path, "tier_meta"))


async def test_no_reply_is_owed_by_this_journal_after_an_import(exported: Path, tmp_path: Path) -> None:
    """An export has no deliveries; what was answered once is not answered again by a bot that starts here."""
    copy = tmp_path / "copy.db"
    said = await typed("log", "import", str(exported), "--journal", str(copy))
    store = journal(copy)
    await store.open()
    owed = [event_ids async for _, event_ids in store.owed()]
    await store.close()

    assert [one for one in owed if one] == []
    assert "Not in an export: deliveries, pictures, quarantine, erasures. No reply is sent again." in said.text


@pytest.mark.parametrize("key", [None, KEY])
async def test_a_fork_and_odd_signs_come_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str | None
) -> None:
    """A merged fork, a lone surrogate and a long text come out equal; under a master key the words are encrypted."""
    store = journal(tmp_path / "first.db")
    await store.open()
    await story(store)
    await store.close()
    first = await export_of(tmp_path / "first.db", tmp_path / "first.jsonl")
    if key:
        monkeypatch.setenv("HOLDFAST_MASTER_KEY", key)
    await typed("log", "import", str(first), "--journal", str(tmp_path / "second.db"))
    second = await export_of(tmp_path / "second.db", tmp_path / "second.jsonl")

    assert same(second, first)
    assert (
        b"A long story" in (tmp_path / "second.db").read_bytes(),
        meta(tmp_path / "second.db")["key"] == "none",
    ) == (
        False,
        key is None,
    )
    await found_sound(tmp_path / "second.db")


async def test_words_that_are_gone_stay_gone(exported: Path, tmp_path: Path) -> None:
    """An event without words comes in with its hash; the words are counted as gone."""
    rewrite(exported, _changed(0, salt=None, payload=None))
    said = await typed("log", "import", str(exported), "--journal", str(tmp_path / "copy.db"))

    assert said.status == 0
    assert "1 of them have no words" in said.text


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (_changed(1, kind="answer.other"), "line 2 .* is not what its hash says"),
        (_changed(1, facts={"rule": "x"}), "line 2 .* is not what its hash says"),
        (_changed(1, payload={"x": 1}), "line 2 has words that are not those it was committed to"),
        (_changed(1, parents=["00000000-0000-7000-8000-000000000000"]), "line 2 names a parent that is not"),
        (lambda lines: [*lines[:-1], lines[-1][:100]], "line 4 is cut off"),
        (lambda lines: [lines[0], "", *lines[1:]], "line 2 is cut off, or no line of an export"),
        (lambda lines: [*lines, lines[-1]], "line 5 or one before it has the identity of another event"),
        (lambda lines: [*lines, *lines], "a thread in two pieces"),
        (lambda lines: ["[" * 100_000, *lines], "line 1 is cut off, or no line of an export"),
        (lambda lines: ["{}", *lines], "line 1 is cut off, or no line of an export"),
    ],
)
async def test_what_does_not_hold_is_refused(exported: Path, tmp_path: Path, change: Change, why: str) -> None:
    """A line that was changed, cut off or doubled is named by its number, and no journal is left behind."""
    rewrite(exported, change)
    told = await refused(exported, tmp_path / "new" / "copy.db")

    assert told.startswith(BrokenLog.__name__)
    assert re.search(why, told), told


async def test_a_journal_that_is_not_empty_is_refused(exported: Path, tmp_path: Path) -> None:
    """What stands there stays as it is."""
    path = await journal_of(tmp_path / "full.db")
    before = path.read_bytes()
    told = await refused(exported, path)

    assert told.startswith(LogUnavailable.__name__)
    assert "is not empty" in told
    assert path.read_bytes() == before


async def test_a_journal_that_was_only_made_is_filled(exported: Path, tmp_path: Path) -> None:
    """A migrated journal without an event is empty; but not while a process works with it."""
    path = await journal_of(tmp_path / "made.db", people=0, bot_id=BOT)
    lock = FileLock(path)
    lock.acquire()
    held = await refused(exported, path)
    lock.release()
    said = await typed("log", "import", str(exported), "--journal", str(path))

    assert held.startswith(JournalLocked.__name__)
    assert (said.status, len(table(path, "events"))) == (0, 4)


async def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The file and the reason are told."""
    assert (await refused(tmp_path / "none.jsonl", tmp_path / "copy.db")).startswith(SettingsError.__name__)


async def test_a_bot_goes_on_where_the_import_ends(exported: Path, tmp_path: Path) -> None:
    """The thread's next event follows the imported one, in a bot that was started on the import."""
    copy = tmp_path / "going" / "local.db"
    await typed("log", "import", str(exported), "--journal", str(copy))
    store = journal(copy)
    opened = await store.open()
    await store.close()

    assert opened.origin_seq == 0
    assert opened.last_received_at == max(row[0] for row in table(copy, "events", "received_at"))
    assert opened.last_ots == max(row[0] for row in table(copy, "events", "ots"))

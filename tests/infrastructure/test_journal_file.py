# ruff: noqa: ASYNC240 - a test may wait for its files
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast.domain.errors import (
    AlienJournal,
    ChangedMigration,
    CorruptJournal,
    JournalLocked,
    LogError,
    LogUnavailable,
    NewerJournal,
)
from holdfast.infrastructure.log.journal_file import APPLICATION_ID
from holdfast.infrastructure.log.stores import MetaWrite
from holdfast.infrastructure.migrations import newest
from tests.conformance.scribe import Scribe, commit, head_of, inbound, thread, write
from tests.infrastructure.files import PAGE, contents, filled, hand_on, journal
from tests.infrastructure.processes import child, outcome_of

LOCK = "local.db.lock"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "local.db"


def write_text_file(path: Path) -> None:
    path.write_text("SQLite format 2, and other notes of mine\n" * 10)


def make_foreign_database(path: Path) -> None:
    with hand_on(path) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")


def leave_only_the_first_bytes(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:60])


def cut_in_half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip_a_page(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[10 * PAGE : 11 * PAGE] = bytes(sign ^ 0x5A for sign in content[10 * PAGE : 11 * PAGE])
    path.write_bytes(content)


def raise_the_version(path: Path) -> None:
    with hand_on(path) as connection:
        connection.execute(f"PRAGMA user_version = {newest('sqlite') + 1}")


def add_an_unknown_migration(path: Path) -> None:
    with hand_on(path) as connection:
        connection.execute("INSERT INTO schema_migrations VALUES (99, 'later', 'abc', 0)")


def edit_a_migration(path: Path) -> None:
    with hand_on(path) as connection:
        connection.execute("UPDATE schema_migrations SET checksum = 'abc' WHERE number = 2")


SEEN_AT_ONCE = [
    (write_text_file, AlienJournal, "is not an SQLite file"),
    (make_foreign_database, AlienJournal, "another program's"),
    (leave_only_the_first_bytes, CorruptJournal, "is cut off"),
    (raise_the_version, NewerJournal, "this one ends at"),
]
"""How a file is spoilt so that its first bytes tell, and how it is refused."""

SEEN_UNDER_THE_LOCK = [
    (cut_in_half, CorruptJournal, "is damaged"),
    (flip_a_page, CorruptJournal, "is damaged"),
    (add_an_unknown_migration, NewerJournal, "has migration 99"),
    (edit_a_migration, ChangedMigration, "migration 2 is not the one"),
]
"""How a file is spoilt further in. It is looked at under the lock, so that nobody writes to it meanwhile.

The lock's file stays: to take it away would let two later processes lock two files of that name.
"""


def empty(path: Path) -> None:
    path.write_bytes(b"")


def name_of(value: object) -> str:
    return getattr(value, "__name__", "")


@pytest.mark.parametrize(("spoil", "error", "says"), SEEN_AT_ONCE, ids=name_of)
async def test_what_is_no_journal_is_refused_and_left_untouched(
    path: Path, spoil: Callable[[Path], None], error: type[LogError], says: str
) -> None:
    """What the first bytes tell is refused by name, and nothing is changed or left beside it."""
    if spoil not in (write_text_file, make_foreign_database):
        await filled(path)
    spoil(path)
    before = contents(path.parent)

    with pytest.raises(error, match=says):
        await journal(path).open()
    with pytest.raises(error, match=says):
        await journal(path, read_only=True).open()

    assert contents(path.parent) == before


@pytest.mark.parametrize(("spoil", "error", "says"), SEEN_UNDER_THE_LOCK, ids=name_of)
async def test_an_unsound_journal_is_refused_and_left_untouched(
    path: Path, spoil: Callable[[Path], None], error: type[LogError], says: str
) -> None:
    """What is damaged or not of this program's past is refused by name, and only the lock's empty file is left."""
    await filled(path)
    (path.parent / LOCK).unlink()
    spoil(path)
    before = contents(path.parent)

    with pytest.raises(error, match=says):
        await journal(path).open()

    assert contents(path.parent) == {**before, LOCK: b""}


async def test_a_refused_journal_is_let_go(path: Path) -> None:
    """After a refusal the file can be mended and opened in the same process."""
    await filled(path)
    sound = path.read_bytes()
    flip_a_page(path)
    with pytest.raises(CorruptJournal):
        await journal(path).open()
    path.write_bytes(sound)

    store = journal(path)
    await store.open()

    assert await store.counts() == (120, 60, 0)
    await store.close()


@pytest.mark.parametrize(
    ("spoil", "refused"),
    [(cut_in_half, "CorruptJournal"), (Path.unlink, "LogUnavailable"), (empty, "LogUnavailable")],
    ids=name_of,
)
async def test_a_reader_that_is_refused_comes_to_its_end(
    path: Path, spoil: Callable[[Path], None], refused: str
) -> None:
    """A command that cannot read its journal says so and ends; no thread of it is left waiting."""
    await filled(path)
    spoil(path)

    assert outcome_of("read", path) == {"refused": refused}


@pytest.mark.parametrize("make", [lambda _path: None, Path.touch])
async def test_a_journal_is_made_where_there_is_none(tmp_path: Path, make: Callable[[Path], None]) -> None:
    """A missing file, also in a missing folder, and an empty one become a journal that is ours."""
    folder = tmp_path / "data" if make is not Path.touch else tmp_path
    path = folder / "local.db"
    make(path)
    store = journal(path)

    await store.open()
    await store.close()

    header = path.read_bytes()[:100]
    assert header[:16] == b"SQLite format 3\x00"
    assert int.from_bytes(header[60:64], "big") == newest("sqlite")
    assert int.from_bytes(header[68:72], "big") == APPLICATION_ID == int.from_bytes(b"HOLD", "big")
    assert sorted(contents(folder)) == ["local.db", LOCK]


async def test_a_journal_cannot_be_made_below_a_file(tmp_path: Path) -> None:
    """Where a folder cannot be made the journal is unavailable, and the reason is named."""
    (tmp_path / "data").write_text("I am in the way")

    with pytest.raises(LogUnavailable, match=r"Not a directory|File exists"):
        await journal(tmp_path / "data" / "local.db").open()


async def test_a_folder_is_no_journal(path: Path) -> None:
    """A folder of the journal's name is left as it is."""
    path.mkdir()

    with pytest.raises(LogUnavailable, match="Is a directory"):
        await journal(path).open()
    assert list(path.iterdir()) == []


async def test_there_is_nothing_to_read_before_there_is_a_journal(path: Path) -> None:
    """To read a journal makes none."""
    with pytest.raises(LogUnavailable, match="there is no journal"):
        await journal(path, read_only=True).open()

    assert contents(path.parent) == {}


async def test_a_second_process_is_refused(path: Path) -> None:
    """While one process works with a journal, another is told so, and can read it all the same."""
    with child("hold", path) as first:
        assert first.hear() == {"open": True}
        assert first.say() == {"appended": 1, "outcome": "None"}

        with child("hold", path) as second:
            refusal = second.hear()
        with pytest.raises(JournalLocked, match=r"another process works with local\.db;"):
            await journal(path).open()
        reader = journal(path, read_only=True)
        await reader.open()
        read = await reader.counts()
        await reader.close()

        assert first.say() == {"appended": 2, "outcome": "None"}
    assert refusal["refused"] == "JournalLocked"
    assert read == (1, 0, 0)


async def test_a_killed_process_frees_its_journal(path: Path) -> None:
    """After kill -9 the journal opens at once, and every acknowledged event is in it."""
    with child("hold", path) as bot:
        bot.hear()
        acknowledged = [bot.say() for _ in range(5)]
        bot.kill()

    store = journal(path)
    opened = await store.open()

    assert [one["outcome"] for one in acknowledged] == ["None"] * 5
    assert await store.counts() == (5, 0, 0)
    assert opened.origin_seq == 5
    await store.close()
    assert sorted(contents(path.parent)) == ["local.db", LOCK]


async def test_one_process_opens_a_journal_once(path: Path) -> None:
    """The lock holds within one process too, and is free again after the first has closed."""
    first, second = journal(path), journal(path)
    await first.open()
    with pytest.raises(JournalLocked):
        await second.open()
    await first.close()

    await second.open()

    assert await second.counts() == (0, 0, 0)
    await second.close()


async def test_a_journal_under_another_name_is_the_same_journal(path: Path) -> None:
    """A link to a journal that is in use is refused like the journal itself."""
    link = path.with_name("link.db")
    link.symlink_to(path)
    first = journal(path)
    await first.open()

    with pytest.raises(JournalLocked):
        await journal(link).open()

    await first.close()


async def test_a_copy_is_another_origin(path: Path) -> None:
    """A copied journal has the same past and numbers what is new under an origin of its own."""
    opened = await filled(path)
    copy = path.with_name("copy.db")
    shutil.copy(path, copy)

    first, second = journal(path, 2), journal(copy, 3)
    same, other = await first.open(), await second.open()

    assert (same.origin, same.origin_seq) == (opened.origin, 180)
    assert other.origin != opened.origin
    assert other.origin_seq == 0
    assert await second.counts() == (120, 60, 0)
    await first.close()
    await second.close()
    again = await journal(copy, 4).open_and_close()
    assert again.origin == other.origin


async def test_a_backup_put_in_place_is_another_origin(path: Path) -> None:
    """A journal that was overwritten with an older copy of itself numbers what is new under another origin."""
    opened = await filled(path)
    shutil.copy(path, path.with_name("backup.db"))
    same = await journal(path, 2).open_and_close()
    shutil.copyfile(path.with_name("backup.db"), path)
    restored = await journal(path, 3).open_and_close()
    again = await journal(path, 4).open_and_close()

    assert same.origin == opened.origin
    assert restored.origin != opened.origin
    assert restored.origin_seq == 0
    assert again.origin == restored.origin


async def test_a_mark_that_cannot_be_written_costs_no_more_than_an_origin(path: Path) -> None:
    """Where nothing can be written beside the journal it opens all the same, and counts as a copy the next time."""
    opened = await filled(path)
    lock = path.with_name(f"{path.name}.lock")
    lock.write_text("somebody wrote here", "ascii")
    other = await journal(path, 2).open_and_close()
    lock.unlink()
    again = await journal(path, 3).open_and_close()

    assert other.origin != opened.origin
    assert again.origin == other.origin


async def test_a_moved_journal_is_itself(path: Path) -> None:
    """A journal that was only given another name goes on under its origin."""
    opened = await filled(path)
    path.rename(path.with_name("moved.db"))

    assert (await journal(path.with_name("moved.db"), 2).open_and_close()).origin == opened.origin


async def test_every_commit_reaches_the_disk(path: Path) -> None:
    """The writing connection keeps a write-ahead log and syncs it at every commit."""
    store = journal(path)
    await store.open()

    assert await store.ask("PRAGMA journal_mode") == [("wal",)]
    assert await store.ask("PRAGMA synchronous") == [(2,)]
    assert await store.ask("PRAGMA recursive_triggers") == [(1,)]
    await store.close()
    again = journal(path)
    await again.open()
    assert await again.ask("PRAGMA synchronous") == [(2,)]
    await again.close()


async def test_the_reading_connection_cannot_write(path: Path) -> None:
    """A journal opened to be read takes no batch."""
    await filled(path)
    reader = journal(path, read_only=True)
    await reader.open()

    with pytest.raises(LogUnavailable):
        await reader.commit([MetaWrite("name", "value")])

    await reader.close()


async def test_what_was_not_yet_carried_over_is_read_after_a_crash(path: Path, tmp_path: Path) -> None:
    """A journal whose process died is its file and its write-ahead log together."""
    store = journal(path)
    await store.open()
    scribe = Scribe()
    await write(store, *(scribe.append(inbound(update)) for update in range(1, 50)))
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    for name in ("local.db", "local.db-wal"):
        shutil.copy(path.with_name(name), crashed / name)
    await store.close()

    again = journal(crashed / "local.db")
    await again.open()

    assert await head_of(again) == scribe.heads[thread()]
    assert await again.counts() == (49, 0, 0)
    await again.close()


async def test_a_torn_write_ahead_log_ends_at_its_last_whole_commit(path: Path, tmp_path: Path) -> None:
    """Wherever the write-ahead log is cut off, the journal opens with the commits that are whole in it."""
    store = journal(path)
    await store.open()
    scribe = Scribe()
    for update in range(1, 20):
        await write(store, scribe.append(inbound(update)))
    whole = path.with_name("local.db-wal").read_bytes()
    base = path.read_bytes()
    await store.close()

    counts = [
        await events_after_a_cut(tmp_path / str(part), base, whole[: len(whole) * part // 10]) for part in range(11)
    ]

    assert counts == sorted(counts)
    assert (counts[0], counts[-1]) == (0, 19)
    assert len(set(counts)) > 5


async def events_after_a_cut(folder: Path, base: bytes, torn: bytes) -> int:
    folder.mkdir()
    (folder / "local.db").write_bytes(base)
    (folder / "local.db-wal").write_bytes(torn)
    store = journal(folder / "local.db")
    await store.open()
    events = len(await store.thread(thread()))
    head = await head_of(store)
    await store.close()
    assert head.rev == events
    return events


async def test_a_reader_sees_one_moment(path: Path) -> None:
    """What is read beside a running bot belongs together: nothing changes between two questions."""
    await filled(path, 3)
    store, reader = journal(path), journal(path, read_only=True)
    await store.open()
    await reader.open()
    before = await reader.counts()
    await write(store, Scribe(seed=4).append(inbound(7, person=99)))

    assert (before, await reader.counts()) == ((6, 3, 0), (6, 3, 0))
    assert await store.counts() == (7, 3, 0)
    await reader.close()
    late = journal(path, read_only=True)
    await late.open()
    assert await late.counts() == (7, 3, 0)
    await late.close()
    await store.close()


async def test_a_file_that_is_held_by_another_program_is_unavailable(path: Path) -> None:
    """While another program holds the database, appends are refused as unavailable, and then they go on."""
    store = journal(path)
    await store.open()
    await store.ask("PRAGMA busy_timeout = 1")
    turn = Scribe().append(inbound(1))
    with hand_on(path) as other:
        other.execute("BEGIN IMMEDIATE")
        [refused] = await commit(store, turn)
        other.execute("ROLLBACK")

    await write(store, turn)

    assert isinstance(refused, LogUnavailable)
    assert "locked" in str(refused)
    assert await head_of(store) == turn.head
    await store.close()

"""`holdfast log import`: an export becomes a journal, whole or not at all."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from holdfast.cli import wiring
from holdfast.cli.findings import apart
from holdfast.domain.errors import BrokenLog, Conflict, LogUnavailable, SettingsError
from holdfast.domain.event import Event
from holdfast.domain.ports import RowChange
from holdfast.infrastructure.clock import SystemClock, system_randomness
from holdfast.infrastructure.log.importer import Imported, Importer
from holdfast.infrastructure.log.journal import SqliteJournal
from holdfast.infrastructure.log.journal_file import FileLock, check_header
from holdfast.infrastructure.log.journal_look import look_into
from holdfast.infrastructure.log.stores import MetaWrite, Write
from holdfast.infrastructure.log.union import Refolding
from holdfast.infrastructure.settings import Settings
from holdfast.projections.fold import rows_of

_BATCH = 2000
_BESIDE = ("-wal", "-shm", ".lock")
MISSING = ("deliveries", "pictures", "quarantine", "erasures")
"""What an export has nothing of."""


class ImportReport(Struct, frozen=True, kw_only=True):
    """What was imported. `words_gone` are events whose words the export lacks; `missing` is what no export has."""

    journal: str
    events: int
    threads: int
    words_gone: int
    bot_id: int | None
    seconds: float
    events_per_second: int
    missing: tuple[str, ...] = MISSING


async def import_log(settings: Settings, file: str, path: Path) -> ImportReport:
    """Read an export (`-`: standard input) into a journal that is empty or not there.

    SettingsError for a file that can't be read, LogError when the journal is not empty or an event does not hold;
    then there is no other journal than before.
    """
    begun = time.perf_counter()
    with _source(file) as source, _place(path) as made:
        imported = await _filled(settings, source, made)
    seconds = time.perf_counter() - begun
    return ImportReport(
        journal=str(path),
        events=imported.events,
        threads=imported.threads,
        words_gone=imported.words_gone,
        bot_id=int(imported.bot_id) if imported.bot_id is not None else None,
        seconds=round(seconds, 2),
        events_per_second=round(imported.events / seconds),
    )


@contextmanager
def _source(file: str) -> Iterator[BinaryIO]:
    if file == "-":
        yield sys.stdin.buffer
        return
    try:
        opened = Path(file).open("rb")  # noqa: SIM115 - closed below
    except OSError as error:
        raise SettingsError(f"{file} can't be read: {error.strerror}") from None
    with opened:
        yield opened


@contextmanager
def _place(path: Path) -> Iterator[Path]:
    """Give a file beside the journal to be filled, and put it in the journal's place when that went well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    check_header(path)
    lock = FileLock(path)
    lock.acquire()
    made = path.with_name(path.name + ".importing")
    try:
        _refuse_filled(path)
        _remove(made)
        yield made
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        made.replace(path)
        _settle(path.parent)
    finally:
        _remove(made)
        lock.release()


def _refuse_filled(path: Path) -> None:
    look = look_into(path)
    if look is not None and (look.missing or look.events or look.deliveries or look.quarantined):
        raise LogUnavailable(f"{path} is not empty; name another file with --journal")


def _remove(made: Path) -> None:
    for suffix in ("", *_BESIDE):
        made.with_name(made.name + suffix).unlink(missing_ok=True)


def _settle(folder: Path) -> None:
    """Make the new name last."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


async def _filled(settings: Settings, source: BinaryIO, made: Path) -> Imported:
    codec, flows = wiring.codec_of(settings), wiring.flows_of(settings)

    def rows(events: Sequence[Event]) -> Sequence[RowChange]:
        return list(rows_of(flows, events).values())

    importer = Importer(codec, Refolding(codec, rows), source)
    async with _journal(made) as journal:
        batch: Sequence[Write] = await apart(lambda: importer.batch(_BATCH))
        while batch:
            # The next batch is read while this one is written; both have ended before either's error is told.
            reading = asyncio.create_task(apart(lambda: importer.batch(_BATCH)))
            try:
                await _commit(journal, batch)
            finally:
                await asyncio.wait([reading])
            batch = reading.result()
        if (await journal.counts())[0] != importer.found.events:
            raise BrokenLog("the export has an event twice, in two threads; nothing was imported")
        meta = {
            "bot_id": importer.found.bot_id,
            "update_epoch": str(importer.found.update_epoch),
            "key": codec.key_name,
            # An export has no deliveries: what these workers owed was answered, or will be by them.
            **{f"imported:{origin.hex()}": "here" for origin in importer.found.origins},
        }
        await _commit(journal, [MetaWrite(name, value) for name, value in meta.items() if value is not None])
    return importer.found


@asynccontextmanager
async def _journal(made: Path) -> AsyncIterator[SqliteJournal]:
    journal = SqliteJournal(made, SystemClock(), system_randomness)
    await journal.open()
    try:
        yield journal
    finally:
        await journal.close()


async def _commit(journal: SqliteJournal, batch: Sequence[Write]) -> None:
    failed = next((one for one in await journal.commit(batch) if one is not None), None)
    if isinstance(failed, Conflict):
        raise BrokenLog("the export has a thread in two pieces; nothing was imported")
    if failed is not None:
        raise LogUnavailable(f"the export can't be stored: {failed}; nothing was imported")

"""Programs that tests start: a second process with the same journal.

    hold JOURNAL               open it, say so, append one event for each line read, until killed or at the end
    read JOURNAL               open it to be read, and end
    fill JOURNAL BYTES         append under a limit on the size of files, then without it
    fill-disk FOLDER           append until the small disk mounted there is full, then make room

What is found out is written as JSON lines to standard output.
"""

import asyncio
import json
import resource
import sys
from pathlib import Path

from holdfast.domain.errors import HoldfastError, LogUnavailable
from holdfast.infrastructure.clock import SystemClock, system_randomness
from holdfast.infrastructure.log.journal import SqliteJournal
from tests.conformance.scribe import Scribe, commit, inbound

FILLER = "a long answer " * 300


def report(**found: object) -> None:
    print(json.dumps(found), flush=True)  # noqa: T201 - what the test reads


def journal_at(path: Path) -> SqliteJournal:
    return SqliteJournal(path, SystemClock(), system_randomness)


async def hold(path: Path) -> None:
    """Hold a journal as a running bot does."""
    journal = journal_at(path)
    try:
        opened = await journal.open()
    except HoldfastError as error:
        report(refused=type(error).__name__, says=str(error))
        return
    scribe = Scribe(opened.origin, opened.origin_seq)
    report(open=True)
    for update, _ in enumerate(sys.stdin, start=1):
        [outcome] = await commit(journal, scribe.append(inbound(update, person=update)))
        report(appended=update, outcome=repr(outcome))
    await journal.close()


async def read(path: Path) -> None:
    """Look into a journal, as a reporting command does."""
    journal = SqliteJournal(path, SystemClock(), system_randomness, read_only=True)
    try:
        await journal.open()
    except HoldfastError as error:
        report(refused=type(error).__name__)
        return
    report(counts=await journal.counts())
    await journal.close()


class Filling:
    """Appends long events, and remembers which of them were acknowledged."""

    def __init__(self, journal: SqliteJournal, scribe: Scribe) -> None:
        self.journal = journal
        self.scribe = scribe
        self.acknowledged: list[str] = []
        self.refused: list[str] = []
        self.others: list[str] = []
        self.errors: list[str] = []

    async def append(self, person: int) -> bool:
        turn = self.scribe.append(inbound(person, f"{person} {FILLER}{system_randomness(1500).hex()}", person=person))
        [outcome] = await commit(self.journal, turn)
        name = turn.record.event_id.hex()
        if outcome is None:
            self.acknowledged.append(name)
        elif isinstance(outcome, LogUnavailable):
            self.refused.append(name)
            self.errors.append(str(outcome))
        else:
            self.others.append(repr(outcome))
        return outcome is None

    async def report(self) -> None:
        """Say what was acknowledged, what was refused, and what the journal holds."""
        held = [
            record.event_id.hex()
            async for thread in self.journal.threads()
            for record in await self.journal.thread(thread)
        ]
        report(
            acknowledged=sorted(self.acknowledged),
            refused=sorted(self.refused),
            others=self.others,
            errors=sorted(set(self.errors)),
            held=sorted(held),
            counts=(await self.journal.counts())[0],
        )


async def fill(path: Path, most: int) -> None:
    """Append under RLIMIT_FSIZE until refused, go on being refused, and go on when the limit is lifted."""
    journal = journal_at(path)
    opened = await journal.open()
    filling = Filling(journal, Scribe(opened.origin))
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
    person = await _until_refused(filling)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    await _after(filling, person)


async def fill_disk(folder: Path) -> None:
    """Append until the disk is full, go on being refused, and go on when a file in the way is gone."""
    ballast = folder / "ballast"
    ballast.write_bytes(bytes(300_000))
    journal = journal_at(folder / "journal.db")
    opened = await journal.open()
    filling = Filling(journal, Scribe(opened.origin))
    person = await _until_refused(filling)
    ballast.unlink()
    await _after(filling, person)


async def _until_refused(filling: Filling) -> int:
    person = 1
    while await filling.append(person):
        person += 1
    for _ in range(3):
        person += 1
        await filling.append(person)
    return person


async def _after(filling: Filling, person: int) -> None:
    """Append with room again, open the journal anew, and say what is in it."""
    for more in range(1, 6):
        await filling.append(person + more)
    await filling.journal.close()
    await filling.journal.open()
    await filling.report()
    await filling.journal.close()


def main(command: str, path: str, *numbers: str) -> None:
    match command:
        case "hold":
            asyncio.run(hold(Path(path)))
        case "read":
            asyncio.run(read(Path(path)))
        case "fill":
            asyncio.run(fill(Path(path), int(numbers[0])))
        case "fill-disk":
            asyncio.run(fill_disk(Path(path)))


if __name__ == "__main__":
    main(*sys.argv[1:])

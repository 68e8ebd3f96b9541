"""An export read into an empty journal: thread after thread, each checked and folded before it is written."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import BinaryIO

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from holdfast.domain.errors import BrokenLog
from holdfast.domain.ids import OriginId, ThreadId, as_text
from holdfast.domain.ports import Head
from holdfast.infrastructure.log.codec import Codec
from holdfast.infrastructure.log.envelope import Record, hash_of, split_ids
from holdfast.infrastructure.log.export_line import read_line
from holdfast.infrastructure.log.stores import UnionWrite
from holdfast.infrastructure.log.union import Refolding

LONGEST = 64 * 1024 * 1024
"""Bytes a line may have; no event comes near."""
_NOBODY = -1
_EPOCH_BITS = 40

_Numbered = tuple[int, Record]


class Imported(Struct, kw_only=True):
    """What was read so far. `words_gone` are events without words; `bot_id` is None while no input names a bot.

    `origins` are the workers that wrote it.
    """

    events: int = 0
    threads: int = 0
    words_gone: int = 0
    bot_id: str | None = None
    update_epoch: int = 0
    origins: set[OriginId] = msgspec.field(default_factory=set)


class Importer:
    """Reads an export, in memory bounded by the longest thread and one batch."""

    def __init__(self, codec: Codec, refolding: Refolding, source: BinaryIO) -> None:
        """Read from this file; words are sealed with this codec."""
        self._codec = codec
        self._refolding = refolding
        self._source = source
        self._threads = groupby(self._lines(), key=lambda numbered: numbered[1].thread_id)
        self.found = Imported()

    def batch(self, at_least: int) -> list[UnionWrite]:
        """Give the next whole threads, of so many events together or more; none when the export has ended. BrokenLog.

        It blocks while the file does.
        """
        writes: list[UnionWrite] = []
        end = self.found.events + at_least
        while self.found.events < end:
            following = next(self._threads, None)
            if following is None:
                break
            writes.append(self._thread(following[0], list(following[1])))
        return writes

    def _lines(self) -> Iterator[_Numbered]:
        number = 0
        while text := self._source.readline(LONGEST):
            number += 1
            try:
                yield number, read_line(self._codec, text)
            except BrokenLog as error:
                raise _refused(number, str(error)) from None

    def _thread(self, thread_id: ThreadId, lines: Sequence[_Numbered]) -> UnionWrite:
        by_id = {record.event_id: record for _, record in lines}
        if len(by_id) != len(lines):
            raise _refused(lines[-1][0], "or one before it has the identity of another event")
        for number, record in lines:
            self._check(number, record, [by_id.get(parent) for parent in split_ids(record.parents)])
        records = [record for _, record in lines]
        self._count(lines)
        union = self._refolding.union(thread_id, Head(), (), learned=records)
        # In an empty journal nobody's rows have to go first, also where the inputs do not name their person.
        return replace(union, user_id=union.user_id or _NOBODY)

    def _check(self, number: int, record: Record, parents: Sequence[Record | None]) -> None:
        known = [parent for parent in parents if parent is not None]
        if len(known) != len(parents):
            raise _refused(number, "names a parent that is not in the export's thread")
        if hash_of(record, [parent.hash for parent in known]) != record.hash:
            raise _refused(number, f"({as_text(record.event_id)}) is not what its hash says")
        if record.version != 1 + max((parent.version for parent in known), default=0):
            raise _refused(number, "does not follow its parents' versions")

    def _count(self, lines: Sequence[_Numbered]) -> None:
        found = self.found
        found.threads += 1
        found.events += len(lines)
        found.words_gone += sum(record.payload is None for _, record in lines)
        for number, record in lines:
            platform, _, rest = record.dedup_key.partition(":")
            bot_id = rest.partition(":")[0] if platform == "tg" else None
            if bot_id is not None and bot_id != (found.bot_id or bot_id):
                raise _refused(number, f"was said to the bot {bot_id}, and those before it to {found.bot_id}")
            found.bot_id = bot_id or found.bot_id
            found.origins.add(record.origin)
            found.update_epoch = max(found.update_epoch, record.ots >> _EPOCH_BITS)


def _refused(number: int, what: str) -> BrokenLog:
    return BrokenLog(f"line {number} {what}; nothing was imported")

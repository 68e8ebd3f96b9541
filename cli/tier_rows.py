"""Whether a tier's projections follow from its events: folded anew, some people at a time."""

import asyncio
from collections.abc import Sequence
from itertools import chain

from msgspec import Struct

from holdfast.cli.rebuild import Difference, differences
from holdfast.domain.flow import Flows
from holdfast.domain.ids import ThreadId, thread_of
from holdfast.infrastructure.log.codec import Codec
from holdfast.infrastructure.tiers.comparison import LOOKS, PAUSE
from holdfast.infrastructure.tiers.view import TierView
from holdfast.projections.fold import rows_of

PAGE = 100
"""Threads folded at once."""


class Folded(Struct, frozen=True):
    """How many threads and rows were compared, and the first row that is not as the events say."""

    threads: int
    rows: int
    first: Difference | None


class _Look(Struct, frozen=True):
    rows: int
    persons: frozenset[int]
    wrong: Difference | None


class RowCheck:
    """Folds the threads of tiers, and holds the rows against those that stand there."""

    def __init__(self, codec: Codec, flows: Flows, bot_id: int) -> None:
        """Read words with this codec; the bot's number leads from a person to the thread."""
        self._codec = codec
        self._flows = flows
        self._bot_id = bot_id

    async def of(self, view: TierView) -> Folded:
        """Check one tier up to its first difference; KeyMissing without the words' key, NotExecuted."""
        threads, rows, after = 0, 0, b""
        seen: set[int] = set()
        while page := await view.threads(after, PAGE):
            look = await self._settled(view, page)
            threads, rows, after = threads + len(page), rows + look.rows, page[-1]
            seen |= look.persons
            if look.wrong:
                return Folded(threads, rows, look.wrong)
        return Folded(threads, rows, await self._strays(view, seen))

    async def _strays(self, view: TierView, seen: set[int]) -> Difference | None:
        """Find rows of people who never said anything; one who came only now has a thread by now."""
        after = -(1 << 63)
        while page := await view.persons(after, PAGE):
            unseen = [person for person in page if person not in seen]
            threads = [thread_of("telegram", self._bot_id, person) for person in unseen]
            look = await self._settled(view, threads, unseen)
            if look.wrong:
                return look.wrong
            after = page[-1]
        return None

    async def _settled(self, view: TierView, thread_ids: Sequence[ThreadId], persons: Sequence[int] = ()) -> _Look:
        """Look until nothing differs; a row may follow its event a moment later."""
        look = await self._look(view, thread_ids, persons)
        for _ in range(LOOKS - 1):
            if look.wrong is None:
                break
            await asyncio.sleep(PAUSE)
            look = await self._look(view, thread_ids, persons)
        return look

    async def _look(self, view: TierView, thread_ids: Sequence[ThreadId], persons: Sequence[int]) -> _Look:
        found = await view.slice(thread_ids, persons)
        histories = ([self._codec.event(one) for one in records] for records in found.threads.values())
        folded = dict(chain.from_iterable(rows_of(self._flows, history).items() for history in histories))
        live = {(row.table, row.key): row for row in found.rows}
        return _Look(len(folded), found.persons, next(iter(differences(live, folded)), None))

"""Whether two places hold the same records: by the digest of each hour, then by hashes, and then the first record."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from holdfast.domain.ids import EventId
from holdfast.infrastructure.log.envelope import Record
from holdfast.infrastructure.tiers.store import HOUR, Digest, Table

LOOKS = 12
"""How often a difference is looked at before it is called one: a record may be on its way."""
PAUSE = 0.5
"""Seconds between two looks."""

_Hashes = tuple[bytes | None, bytes | None]


class Side(Protocol):
    """One of the places that are compared."""

    async def digest(self, of: Table, since: int) -> Digest:
        """Sum up what was received in an hour (since 1970) and after."""

    async def hashes(self, of: Table, since: int, until: int) -> dict[EventId, bytes]:
        """Read what was received from a moment on up to another (microseconds): identities and hashes."""

    async def records(self, of: Table, event_ids: Sequence[EventId]) -> tuple[Record, ...]:
        """Read some events or deliveries."""


class Unlike(Struct, frozen=True):
    """A record that does not stand on both sides alike: its hash here and there, None where it is not."""

    record: Record
    here: bytes | None
    there: bytes | None


class Compared(Struct, frozen=True):
    """How many records each side has, and the first difference; None when there is none."""

    here: int
    there: int
    first: Unlike | None


async def compare(here: Side, there: Side, of: Table) -> Compared:
    """Compare two places, hour after hour up to the first difference, in memory bounded by one hour.

    NotExecuted, LogUnavailable when one of them can't be read.
    """
    mine, theirs = await here.digest(of, 0), await there.digest(of, 0)
    first = None
    for hour in sorted(hour for hour in mine.keys() | theirs.keys() if mine.get(hour) != theirs.get(hour)):
        first = await _first(here, there, of, hour)
        if first is not None:
            break
    return Compared(_count(mine), _count(theirs), first)


async def _first(here: Side, there: Side, of: Table, hour: int) -> Unlike | None:
    """Find the first record of an hour that is unlike at every look; what comes to be alike was on its way."""
    lasting = await _unlike(here, there, of, hour)
    for _ in range(LOOKS - 1):
        if not lasting:
            return None
        await asyncio.sleep(PAUSE)
        now = await _unlike(here, there, of, hour)
        lasting = {one: hashes for one, hashes in lasting.items() if now.get(one) == hashes}
    if not lasting:
        return None
    event_id = min(lasting)
    mine, theirs = lasting[event_id]
    [record] = await (there if mine is None else here).records(of, [event_id])
    return Unlike(record, mine, theirs)


async def _unlike(here: Side, there: Side, of: Table, hour: int) -> dict[EventId, _Hashes]:
    # The tier is read first: what the journal was given meanwhile is then looked at again, not taken for a loss.
    span = hour * HOUR, (hour + 1) * HOUR
    theirs, mine = await there.hashes(of, *span), await here.hashes(of, *span)
    return {
        one: (mine.get(one), theirs.get(one)) for one in mine.keys() | theirs.keys() if mine.get(one) != theirs.get(one)
    }


def _count(digest: Digest) -> int:
    return sum(count for count, _ in digest.values())

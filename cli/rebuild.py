"""`holdfast rebuild`: fold every projection anew from the events, and compare with the live tables."""

from msgspec import Struct

from holdfast.cli.wiring import Archive
from holdfast.domain.ports import RowChange
from holdfast.projections.fold import TABLES, RowName, rows_of


class Difference(Struct, frozen=True, kw_only=True):
    """One row that is not as the events say. `live` or `folded` is None where there is no such row."""

    table: str
    key: tuple[object, ...]
    live: tuple[object, ...] | None
    folded: tuple[object, ...] | None


class Rebuilt(Struct, frozen=True, kw_only=True):
    """How much was folded, how many rows that gave, and every difference to the live tables."""

    events: int
    rows: int
    differences: list[Difference]


async def rebuild(archive: Archive) -> Rebuilt:
    """Fold beside the live tables; nothing is written."""
    folded: dict[RowName, RowChange] = {}
    events = 0
    async for thread_id in archive.journal.threads():
        history = [archive.codec.event(record) for record in await archive.journal.thread(thread_id)]
        events += len(history)
        folded |= rows_of(archive.flows, history)
    live = {(table, row.key): row for table in TABLES for row in await archive.journal.rows(table)}
    return Rebuilt(events=events, rows=len(folded), differences=differences(live, folded))


def differences(live: dict[RowName, RowChange], folded: dict[RowName, RowChange]) -> list[Difference]:
    """Name every row that is not as the events say."""
    found = []
    for name in sorted(live.keys() | folded.keys(), key=repr):
        stands, should = live.get(name), folded.get(name)
        if stands != should:
            found.append(
                Difference(
                    table=name[0],
                    key=name[1],
                    live=stands.values if stands else None,
                    folded=should.values if should else None,
                )
            )
    return found

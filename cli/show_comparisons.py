"""What was found when tiers were compared with the journal, for people."""

import sys
from collections.abc import Iterator

from holdfast.cli.plain import safe
from holdfast.cli.rebuild import Difference
from holdfast.cli.verify_tiers import RecordDifference, TiersVerdict, TierVerdict


def compared(found: TiersVerdict) -> None:
    """Say of each tier whether it is equal, and otherwise where it first differs."""
    sys.stdout.write(f"{found.journal}: {found.events} events, {found.deliveries} deliveries\n")
    if not found.tiers:
        sys.stdout.write("No tiers are set: there is nothing to compare with. See docs/tiers.md.\n")
    for one in found.tiers:
        sys.stdout.write("".join(f"{safe(line)}\n" for line in _lines(one)))


def _lines(one: TierVerdict) -> Iterator[str]:
    if one.problem:
        yield f"{one.name}: not compared: {one.problem}"
        return
    verdict = "equal" if one.equal else "DIFFERENT"
    counts = f"{one.events} events, {one.deliveries} deliveries, {one.threads} threads folded to {one.rows} rows"
    yield f"{one.name}: {verdict}: {counts}"
    for what, first in (("event", one.first_event), ("delivery", one.first_delivery)):
        if first:
            yield f"  the first {what} that differs: {_record(first)}"
    if one.first_row:
        yield f"  the first row that is not as the events say: {_row(one.first_row)}"


def _record(one: RecordDifference) -> str:
    where = f"{one.event_id} of the thread {one.thread_id}"
    if one.lacking:
        return f"{where}: {one.lacking} lacks it"
    return f"{where}: its hash is {one.journal_hash} in the journal and {one.tier_hash} there"


def _row(one: Difference) -> str:
    return f"{one.table} {one.key}: it stands as {one.live}, and should be {one.folded}"

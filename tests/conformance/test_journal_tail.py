"""How a journal is compared with a tier: the definition of `digest` and `hashes`, and the sum behind the first."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from holdfast.domain.ports import Head
from holdfast.infrastructure.log.stores import JournalStore, Standing, UnionWrite
from holdfast.infrastructure.tiers.store import HOUR, digest_of, exclusive_or
from tests.conformance.clocks import NOON
from tests.conformance.scribe import BEN, Scribe, inbound, thread, write

HASHES = st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=40)


@given(HASHES)
def test_half_upon_half_is_one_upon_the_other(hashes: list[bytes]) -> None:
    """However many hashes there are, both ways to sum them up come to the same."""
    beginnings = "".join(one[:8].hex() for one in hashes)

    assert digest_of((0, one) for one in hashes) == {0: (len(hashes), exclusive_or(beginnings))}


async def test_a_journal_s_digest_sums_up_every_hour_of_what_counts(journal: JournalStore) -> None:
    """Each hour in which something was received stands there, without events that count no longer."""
    scribe = Scribe()
    turns = [scribe.append(replace(inbound(n), received_at=NOON + n * HOUR // 2)) for n in (0, 1, 2, 3, 9)]
    gone = scribe.append(replace(inbound(10), received_at=NOON + 20 * HOUR))
    answer = scribe.delivery(turns[0].record)
    await write(journal, *turns, gone, answer)
    records = [one.record for one in turns]

    await write(
        journal,
        UnionWrite(
            thread_id=thread(),
            expected=gone.head,
            head=replace(turns[-1].head, rev=gone.head.rev + 1),
            closed=True,
            learned=(),
            deliveries=(),
            aborted=[gone.record.event_id],
            owing=(),
            user_id=0,
            rows=(),
        ),
    )

    digest = await journal.digest("events", 0)
    assert digest == digest_of((one.received_at, one.hash) for one in records)
    assert await journal.digest("events", NOON // HOUR + 2) == {
        hour: sums for hour, sums in digest.items() if hour >= NOON // HOUR + 2
    }
    assert await journal.digest("events", NOON // HOUR + 5) == {}
    assert list((await journal.digest("deliveries", 0)).values()) == [
        (1, int.from_bytes(answer.record.hash[:8], "big", signed=True))
    ]
    spans = [(hour * HOUR, (hour + 1) * HOUR) for hour in digest]
    assert {one for span in spans for one in await journal.hashes("events", *span)} == {one.event_id for one in records}
    assert await journal.hashes("events", spans[0][0], spans[0][0]) == {}


async def test_threads_are_read_together(journal: JournalStore) -> None:
    """Of each thread that is asked for come its head, what counts of it and its deliveries, in the order asked."""
    scribe = Scribe()
    first, second, other = scribe.append(inbound(1)), scribe.append(inbound(2)), scribe.append(inbound(3, person=BEN))
    answer = scribe.delivery(first.record)
    await write(journal, first, second, other, answer)

    nobody, mine, theirs = await journal.standing([thread(9), thread(), thread(BEN)])

    assert nobody == Standing(thread(9), Head(), (), {})
    assert (mine.head, set(mine.records)) == (second.head, {first.record, second.record})
    assert mine.answered == {answer.record.event_id: first.record.event_id}
    assert theirs == Standing(thread(BEN), other.head, (other.record,), {})

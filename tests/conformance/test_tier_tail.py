"""How a tier's tail is read, and how it is compared: the definition of `pull`, `digest`, `hashes` and `records`."""

import asyncio

from holdfast.domain.ids import OriginId
from holdfast.infrastructure.log.envelope import Record
from holdfast.infrastructure.tiers.store import HOUR, Place, Pulled, TierStore, digest_of
from tests.conformance.clocks import NOON
from tests.conformance.scribe import ADA, ORIGIN, Scribe, inbound
from tests.conformance.tiers import LONG
from tests.conformance.turns import push

OTHER = OriginId(b"another origin..")
NOBODY = OriginId(bytes(16))


async def pulled(tier: TierStore, but: OriginId = NOBODY, at_most: int = 100) -> Pulled:
    return await tier.pull(Place(), but, at_most, LONG)


def told(scribe: Scribe, count: int, first: int = 1, person: int = ADA) -> list[Record]:
    """The events of so many inputs of one person."""
    return [scribe.append(inbound(update, person=person)).record for update in range(first, first + count)]


async def test_an_empty_tier_has_no_tail(tier: TierStore) -> None:
    """Where nothing was written there is nothing to read, and the place stays."""
    assert await pulled(tier) == Pulled((), (), Place())


async def test_the_tail_is_read_on_from_its_place(tier: TierStore) -> None:
    """What was read once does not come again, and what comes later does."""
    scribe = Scribe()
    first, second = told(scribe, 3), told(scribe, 2, first=4)
    await push(tier, first)
    before = await pulled(tier)
    await push(tier, second)

    after = await tier.pull(before.place, NOBODY, 100, LONG)

    assert set(before.events) == set(first)
    assert set(after.events) == set(second)


async def test_the_tail_is_read_in_pieces(tier: TierStore) -> None:
    """With a bound on each piece, all pieces together are the whole tail, each row once."""
    scribe = Scribe()
    records = told(scribe, 7)
    for one in records:
        await push(tier, [one])

    place, read = Place(), list[Record]()
    while (piece := await tier.pull(place, NOBODY, 3, LONG)).events:
        assert len(piece.events) <= 3
        place, read = piece.place, [*read, *piece.events]

    assert read == records


async def test_an_origins_own_rows_are_left_out(tier: TierStore) -> None:
    """A worker is not given what it wrote itself, and its place goes past it all the same."""
    mine, others = told(Scribe(ORIGIN), 3), told(Scribe(OTHER, seed=8), 2, person=ADA + 1)
    await push(tier, [*mine, *others])

    piece = await pulled(tier, but=ORIGIN)

    assert set(piece.events) == set(others)
    assert await tier.pull(piece.place, NOBODY, 100, LONG) == Pulled((), (), piece.place)


async def test_a_long_tail_of_ones_own_is_passed(tier: TierStore) -> None:
    """However many rows of its own stand between them, a worker reads in pieces every row that others wrote, once."""
    mine, others = told(Scribe(ORIGIN), 40), told(Scribe(OTHER, seed=8), 3, person=ADA + 1)
    for one in (others[0], *mine[:20], others[1], *mine[20:], others[2]):
        await push(tier, [one])

    places, read = [Place()], list[Record]()
    while places[-1:] != places[-2:-1]:
        piece = await tier.pull(places[-1], ORIGIN, 1, LONG)
        places, read = [*places, piece.place], [*read, *piece.events]

    assert read == others


async def test_deliveries_have_a_tail_of_their_own(tier: TierStore) -> None:
    """The fates of replies are read beside the events they answer."""
    scribe = Scribe()
    (event,) = told(scribe, 1)
    delivery = scribe.delivery(event).record
    await push(tier, [event], [delivery])

    piece = await pulled(tier)

    assert (piece.events, piece.deliveries) == ((event,), (delivery,))


async def test_no_row_is_missed_while_many_write(tier: TierStore, other_tier: TierStore) -> None:
    """Rows become visible out of their order; a reader that follows the tail meanwhile reads each of them, once."""
    people = range(100, 130)
    written = {person: told(Scribe(seed=person), 4, person=person) for person in people}
    reading = asyncio.create_task(_follow(other_tier, count=4 * len(people)))
    await asyncio.gather(*(_write(tier, records) for records in written.values()))

    read = await reading

    assert len(read) == len(set(read))
    assert set(read) == {one for records in written.values() for one in records}


async def _write(tier: TierStore, records: list[Record]) -> None:
    for one in records:
        await push(tier, [one])


async def _follow(tier: TierStore, count: int) -> list[Record]:
    place, read = Place(), list[Record]()
    async with asyncio.timeout(LONG):
        while len(read) < count:
            piece = await tier.pull(place, NOBODY, 7, LONG)
            place, read = piece.place, [*read, *piece.events]
            await asyncio.sleep(0)
    return read


async def test_a_digest_sums_up_every_hour(tier: TierStore) -> None:
    """By the hour of receipt: how many, and the exclusive or of the hashes' beginnings; the same everywhere."""
    records = told(Scribe(), 5)
    await push(tier, records)

    digest = await tier.digest("events", 0, LONG)

    assert digest == digest_of((one.received_at, one.hash) for one in records)
    assert await tier.digest("events", NOON // HOUR + 1, LONG) == {}
    assert await tier.digest("deliveries", 0, LONG) == {}


async def test_an_hour_is_listed_by_hash(tier: TierStore) -> None:
    """Where two digests differ, the identities and hashes of any span of time show in what."""
    records = told(Scribe(), 3)
    await push(tier, records)

    first, last = records[0].received_at, records[-1].received_at
    assert await tier.hashes("events", first, last + 1, LONG) == {one.event_id: one.hash for one in records}
    assert await tier.hashes("events", first, last, LONG) == {
        one.event_id: one.hash for one in records if one.received_at < last
    }
    assert await tier.hashes("events", last + 1, last + HOUR, LONG) == {}


async def test_records_are_read_by_identity(tier: TierStore) -> None:
    """What is asked for and there is given, byte for byte; what is not there is left out."""
    scribe = Scribe()
    first, second, missing = told(scribe, 3)
    delivery = scribe.delivery(first).record
    await push(tier, [first, second], [delivery])

    found = await tier.records("events", [second.event_id, missing.event_id], LONG)

    assert found == (second,)
    assert await tier.records("deliveries", [delivery.event_id], LONG) == (delivery,)

"""Plans outlive the tables they were made for: none may read a table from end to end once it has grown."""

from collections.abc import Sequence

import asyncpg
import pytest

from holdfast.infrastructure.tiers.postgres import PostgresTier
from holdfast.infrastructure.tiers.store import Settlement, TierTurn
from tests.conformance.scribe import BOT, Scribe, inbound, machine, open_state
from tests.conformance.tiers import LONG, look_into
from tests.conformance.turns import appended, turn_of
from tests.servers.database import Database
from tests.servers.patience import until

GROWN = 100_000
GROW = """
    INSERT INTO heads
    SELECT md5(n::text)::uuid, 1, 1, n, ARRAY[md5('e' || n)::uuid], NULL, true, 0
    FROM generate_series(1, 100000) AS n;
    INSERT INTO events (
        event_id, thread_id, kind, kind_version, version, ots, parents, origin, origin_seq, dedup_key, occurred_at,
        received_at, facts, commitment, hash
    )
    SELECT md5('e' || n)::uuid, md5(n::text)::uuid, 'thread.noted', 1, 1, n, '{}', md5('o')::uuid, n, n::text, n, n,
        '{}', sha256('c'), sha256('h')
    FROM generate_series(1, 100000) AS n;
    INSERT INTO conversation_states
    SELECT -n, n, 'add', 'step', '{}', now(), now(), now() FROM generate_series(1, 100000) AS n;
"""
SCANNED = """
    SELECT relname, seq_tup_read FROM pg_stat_user_tables
    WHERE relname IN ('heads', 'events', 'deliveries', 'conversation_states', 'user_machines', 'photos_wanted')
"""
SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND application_name = 'holdfast'"


async def work(tier: PostgresTier, scribe: Scribe, people: Sequence[int]) -> None:
    """Do all that a tier is asked in a day, each several times, so that plans are kept."""
    for person in people:
        turns: list[TierTurn] = []
        for one in (person, person + 1, person + 2):
            rows = [open_state(one), machine(one, f"Press {one}")]
            turns.append(turn_of(scribe.append(inbound(1, person=one), rows=rows)))
        await appended(tier, turns[0])
        await appended(tier, *turns[1:])
        record = turns[0].record
        pushed = scribe.append(inbound(2, person=person))
        stands = (await tier.push([pushed.record], [scribe.delivery(record).record], LONG))[record.thread_id]
        assert list(await tier.marks([record.thread_id], LONG)) == [stands]
        settlement = Settlement(record.thread_id, stands.head_ids, 2, 2, None, (), person, [open_state(person)])
        assert await tier.settle([settlement], LONG) == [True]
        assert len((await tier.thread(record.thread_id, LONG))[0]) == 2


async def scanned(look: "asyncpg.Connection[asyncpg.Record]") -> dict[str, int]:
    """Read how many rows of each table were read from end to end so far."""
    return {table: read for table, read in await look.fetch(SCANNED)}  # noqa: C416 - a record is no tuple


@pytest.mark.parametrize("pooled", [False, True])
async def test_plans_made_on_empty_tables_do_for_full_ones(database: Database, *, pooled: bool) -> None:
    """A session that began on an empty tier, analysed as such, reads by index when a hundred thousand are there."""
    tier = PostgresTier("neon", database.dsn, connections=1, pooled=pooled)
    await tier.open(BOT, LONG)
    look = await look_into(database)
    scribe = Scribe()
    await work(tier, scribe, range(100, 110, 3))
    await look.execute("VACUUM ANALYZE")
    await work(tier, scribe, range(200, 240, 3))
    await look.execute(GROW)
    before = await scanned(look)

    await work(tier, scribe, range(300, 330, 3))
    await tier.close()

    async def flushed() -> bool:
        return not await look.fetchval(SESSIONS, database.name)

    await until(flushed, "the sessions have ended and told what they read")
    after = await scanned(look)
    await look.close()
    assert {table: after[table] - read for table, read in before.items() if after[table] - read >= GROWN} == {}

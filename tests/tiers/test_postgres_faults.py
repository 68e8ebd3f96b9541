import asyncio
import secrets

import asyncpg
import pytest

from holdfast.domain.errors import Ambiguous, LogUnavailable, NotExecuted
from holdfast.infrastructure.tiers.address import read_address
from holdfast.infrastructure.tiers.link import Link, Session
from holdfast.infrastructure.tiers.postgres import PostgresTier
from holdfast.infrastructure.tiers.postgres_migrations import migrate
from holdfast.infrastructure.tiers.store import TierTurn
from tests.conformance.scribe import BOT, Scribe, inbound
from tests.conformance.tiers import LONG
from tests.conformance.turns import after, appended, turn_of
from tests.servers.database import Database
from tests.servers.fixtures import NewProxy
from tests.servers.patience import until
from tests.servers.server import Server

SHORT = 0.3


@pytest.fixture
async def private(private_server: Server) -> Database:
    """A database on a server of the test's own."""
    return Database(private_server, await private_server.create_database())


@pytest.fixture
def scribe() -> Scribe:
    return Scribe()


def turn_for(scribe: Scribe, person: int) -> TierTurn:
    """Mint the first turn of somebody's thread."""
    return turn_of(scribe.append(inbound(person, person=person)))


async def opened(dsn: str, *, pooled: bool = False) -> PostgresTier:
    tier = PostgresTier("neon", dsn, pooled=pooled)
    await tier.open(BOT, LONG)
    return tier


@pytest.mark.parametrize("pooled", [False, True])
async def test_a_lost_answer_is_ambiguous(
    database: Database, new_proxy: NewProxy, scribe: Scribe, *, pooled: bool
) -> None:
    """A turn whose answer never came may have been done, here it was, and the next call goes through."""
    proxy = await new_proxy(database.server)
    tier = await opened(database.server.dsn(database.name, port=proxy.port), pooled=pooled)
    turn = turn_for(scribe, 1)
    await proxy.swallow_reply("append_turn")

    with pytest.raises(Ambiguous, match="neon"):
        await tier.append([turn], LONG)

    async def answered() -> bool:
        return await proxy.swallowed() == 1

    await until(answered, "the server has answered")
    assert list(await tier.marks([turn.record.thread_id], LONG)) == [after(turn.record)]
    assert len(await appended(tier, turn_for(scribe, 2), turn_for(scribe, 3))) == 2
    await tier.close()


async def test_a_lost_answer_to_a_push_is_ambiguous(database: Database, new_proxy: NewProxy, scribe: Scribe) -> None:
    """Records whose answer never came may be there, and pushing them again changes nothing."""
    proxy = await new_proxy(database.server)
    tier = await opened(database.server.dsn(database.name, port=proxy.port))
    record = turn_for(scribe, 1).record
    await proxy.swallow_reply("push_records", "hang")

    with pytest.raises(Ambiguous, match="no answer in time"):
        await tier.push([record], [], SHORT)

    assert await tier.push([record], [], LONG) == {record.thread_id: after(record)}
    await tier.close()


async def test_a_server_that_hangs_is_ambiguous_and_then_not_reached(private: Database, scribe: Scribe) -> None:
    """What was sent to a frozen server may be done; what could not even connect was not, and it thaws to work."""
    tier = await opened(private.dsn)
    turn = turn_for(scribe, 1)
    await private.server.freeze()

    with pytest.raises(Ambiguous, match="no answer in time"):
        await tier.append([turn], SHORT)
    with pytest.raises(NotExecuted, match="no answer in time"):
        await tier.append([turn], SHORT)
    with pytest.raises(NotExecuted):
        await tier.marks([turn.record.thread_id], SHORT)
    await private.server.thaw()

    assert len(await appended(tier, turn_for(scribe, 2))) == 1
    await tier.close()


async def test_a_commit_that_hangs_is_ambiguous(private: Database, scribe: Scribe) -> None:
    """A turn that waits for a standby may be done, and here it is there later."""
    tier = await opened(private.dsn)
    turn = turn_for(scribe, 1)
    await private.server.hang_commits()

    with pytest.raises(Ambiguous):
        await tier.append([turn], SHORT)
    await private.server.hang_commits(on=False)

    assert await tier.push([turn.record], [], LONG) == {turn.record.thread_id: after(turn.record)}
    await tier.close()


async def test_a_server_that_is_down_did_nothing(private: Database, scribe: Scribe) -> None:
    """Nothing is done where nobody listens, and all is well once somebody does."""
    tier = await opened(private.dsn)
    await private.server.stop()
    turn = turn_for(scribe, 1)

    for call in (tier.append([turn], LONG), tier.push([turn.record], [], LONG), tier.probe(LONG), tier.facts(LONG)):
        with pytest.raises(NotExecuted, match="see whether it runs"):
            await call
    await private.server.start()

    assert await tier.probe(LONG) == 1
    assert len(await appended(tier, turn)) == 1
    await tier.close()


async def test_sessions_that_were_ended_are_made_anew(private: Database, scribe: Scribe) -> None:
    """Every connection that the server has ended is replaced within the call that needs it."""
    tier = await opened(private.dsn)
    await private.server.terminate_backends()
    await asyncio.sleep(0)

    turns = [turn_for(scribe, person) for person in range(100, 110)]
    outcomes = await asyncio.gather(*(tier.append([turn], LONG) for turn in turns), return_exceptions=True)

    assert all(not isinstance(outcome, BaseException) or isinstance(outcome, Ambiguous) for outcome in outcomes)
    assert await tier.probe(LONG) == 1
    assert len(await appended(tier, *(turn_for(scribe, person) for person in range(200, 210)))) == 10
    await tier.close()


async def test_a_probe_brings_back_the_lanes(private: Database, scribe: Scribe) -> None:
    """After a good probe every lane is connected: no person's turn waits for that."""
    tier = await opened(private.dsn)
    await private.server.terminate_backends()
    watcher = await private.connect()
    count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'holdfast'"

    async def probed() -> bool:
        try:
            return bool(await tier.probe(LONG))
        except LogUnavailable:
            return False

    await until(probed, "the tier is there again")

    assert await watcher.fetchval(count) == tier.lanes + 1
    await watcher.close()
    await tier.close()


async def test_a_read_only_tier_is_read_and_not_written(private: Database, scribe: Scribe) -> None:
    """A replica opens, says that it is one, is read, and refuses turns by saying where they would be taken."""
    tier = await opened(private.dsn)
    turn, missing = turn_for(scribe, 1), turn_for(scribe, 2)
    await appended(tier, turn)
    await private.server.read_only()

    replica = PostgresTier("replica", private.dsn)
    facts = await replica.open(BOT, LONG)

    assert not facts.writable
    assert await replica.thread(turn.record.thread_id, LONG) == ((turn.record,), ())
    for call in (replica.append([missing], LONG), replica.push([missing.record], [], LONG), replica.probe(LONG)):
        with pytest.raises(NotExecuted, match="primary"):
            await call
    await replica.close()
    await tier.close()


async def test_a_call_that_is_given_up_leaves_no_half_used_connection(private: Database, scribe: Scribe) -> None:
    """Whoever cancels a call is told so, and the next call has a connection of its own."""
    tier = await opened(private.dsn)
    turn = turn_for(scribe, 1)
    await private.server.freeze()
    call = asyncio.create_task(tier.append([turn], LONG))
    await asyncio.sleep(SHORT)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await private.server.thaw()

    assert await tier.probe(LONG) == 1
    assert len(await appended(tier, turn_for(scribe, 2))) == 1
    await tier.close()


async def test_no_time_is_not_executed(database: Database, scribe: Scribe) -> None:
    """A call that has no time left asks nothing."""
    tier = await opened(database.dsn)

    for within in (0.0, -1.0):
        with pytest.raises(NotExecuted):
            await tier.append([turn_for(scribe, 1)], within)

    assert (await tier.facts(LONG)).events == 0
    await tier.close()


@pytest.mark.parametrize(
    ("wrong", "advice"),
    [
        ("postgresql://owner:{wrong}@127.0.0.1:{port}/{name}?sslmode=disable", "pg_hba.conf"),
        ("postgresql://owner:{password}@127.0.0.1:{port}/no_such?sslmode=disable", "make that database"),
        ("postgresql://owner:{password}@127.0.0.1:1/{name}?sslmode=disable", "see whether it runs"),
        ("postgresql://owner:{password}@127.0.0.1:{port}/{name}?sslmode=require", "SSL"),
        ("postgresql://owner:{password}@127.0.0.1:{port}/{name}?target_session_attrs=standby", "none of its hosts"),
    ],
)
async def test_a_wrong_address_is_told_without_its_password(database: Database, wrong: str, advice: str) -> None:
    """What is wrong with an address is said by `open` and by migrations alike, and the password is not."""
    server, other = database.server, secrets.token_urlsafe(12)
    dsn = wrong.format(wrong=other, password=server.password, port=server.port, name=database.name)

    with pytest.raises(NotExecuted) as opening:
        await PostgresTier("neon", dsn).open(BOT, LONG)
    with pytest.raises(NotExecuted) as migrating:
        await migrate(dsn, LONG)

    for message in (str(opening.value), str(migrating.value)):
        assert advice in message
        assert server.password not in message
        assert other not in message


async def test_behind_a_pooler_no_statement_is_left_behind(database: Database) -> None:
    """A pooled tier names no prepared statement, which the next session would not find."""
    await migrate(database.dsn, LONG)
    link = Link("neon", read_address(f"{database.dsn}&holdfast_pooled=1"), ("append_turn", "append_turns"))
    link.open()

    async def count(session: Session) -> int:
        await session.rows("raise_canary")
        await session.rows("read_marks", [bytes(16)])
        return int(await session.fetchval("SELECT count(*) FROM pg_prepared_statements"))

    assert await link.run(LONG, count) == 0
    link.close()


async def test_a_closed_tier_has_no_connections(database: Database) -> None:
    """Closing lets go of every connection at once."""
    tier = await opened(database.dsn)
    watcher: asyncpg.Connection[asyncpg.Record] = await database.connect()
    await tier.close()

    async def gone() -> bool:
        count = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND application_name = 'holdfast'"
        return not await watcher.fetchval(count, database.name)

    await until(gone, "the connections are gone")
    assert await gone()
    await watcher.close()

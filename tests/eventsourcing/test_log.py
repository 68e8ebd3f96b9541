import asyncio
import json
from pathlib import Path
from uuid import UUID

import pytest
from eventsourcing.persistence import (
    DataError,
)

from holdfast.infrastructure.sql import statements
from holdfast.infrastructure.tiers.postgres_migrations import migrate
from tests.conformance.tiers import LONG
from tests.eventsourcing.conftest import Settings
from tests.eventsourcing.evidence import KEY, learn, proven, push, recorded_on
from tests.eventsourcing.registry import BASE64_KEY, Registry, killed
from tests.infrastructure import auditor
from tests.infrastructure.files import hand_on, journal
from tests.servers.database import Database


@pytest.mark.parametrize("key", [None, KEY])
async def test_a_journal_of_an_application_is_proven_and_exported_as_any(
    on_journal: Settings, tmp_path: Path, key: bytes | None
) -> None:
    """Every hash holds, also for an auditor without our code; topic and state are sealed, and the kind is no path."""
    if key:
        on_journal["HOLDFAST_MASTER_KEY"] = BASE64_KEY
    with Registry(on_journal) as registry:
        press, _ = registry.register("Press 4", "Saw")
        registry.run(press, 3)

    lines = await proven(tmp_path / "bank.db", key)

    assert auditor.faults(map(json.dumps, lines)) == []
    assert {line["kind"] for line in lines} == {"aggregate.recorded"}
    assert all(line["facts"] == {"series": "registry_events"} for line in lines)
    assert sorted(line["ots"] for line in lines) == [1, 2, 3]
    assert {line["payload"]["topic"].rpartition(":")[2] for line in lines} == {"Machine.Registered", "Machine.Ran"}
    with hand_on(tmp_path / "bank.db") as connection:
        payloads = b"".join(row[0] for row in connection.execute("SELECT payload FROM events"))
    assert (b"Machine.Ran" in payloads) == (key is None)


async def test_a_killed_application_leaves_a_journal_that_is_proven(on_journal: Settings, tmp_path: Path) -> None:
    """After kill -9 the journal's hashes, heads and order hold as they stand."""
    with Registry(on_journal) as registry:
        [press] = registry.register("Press 4")
    acknowledged = await asyncio.to_thread(killed, on_journal, press, 5)

    lines = await proven(tmp_path / "bank.db")

    assert len(lines) >= acknowledged + 1
    assert [line["version"] for line in lines] == [line["ots"] for line in lines] == list(range(1, len(lines) + 1))


async def test_a_bot_takes_an_application_s_events_from_their_tier(on_tier: Settings, tmp_path: Path) -> None:
    """What a worker pulls from the tier proves sound in its own journal, changes no projection and owes no reply."""

    def used() -> None:
        with Registry(on_tier) as registry:
            press, _ = registry.register("Press 4", "Saw")
            registry.run(press, 3)

    await asyncio.to_thread(used)
    records = await recorded_on(on_tier["HOLDFAST_TIER"])
    await learn(tmp_path / "bot.db", records)

    assert len(await proven(tmp_path / "bot.db")) == len(records) == 3


async def test_an_application_goes_on_upon_the_tier_its_journal_was_pushed_to(
    on_journal: Settings, on_tier: Settings, tmp_path: Path
) -> None:
    """The same aggregates, numbers and tracking are there, and the next number follows the last."""

    def saved() -> UUID:
        with Registry(on_journal) as registry:
            [press] = registry.register("Press 4")
            registry.run(press, 3)
            return press

    def then(press: UUID) -> tuple[int, int | None]:
        with Registry(on_tier) as registry:
            return registry.run(press, 2), registry.recorder.max_notification_id()

    press = await asyncio.to_thread(saved)
    await push(tmp_path / "bank.db", on_tier["HOLDFAST_TIER"])

    assert await asyncio.to_thread(then, press) == (5, 3)


async def test_an_application_s_events_are_no_updates(on_journal: Settings, tmp_path: Path) -> None:
    """A bot that opens the journal takes no application's number for the last update it heard of."""
    with Registry(on_journal) as registry:
        registry.register("Press 4")
    store = journal(tmp_path / "bank.db")

    opened = await store.open()
    await store.close()

    assert (opened.last_ots, opened.last_received_at) == (-1, 0)


def test_what_was_erased_is_left_out_of_the_notifications_and_named_in_its_aggregate(
    on_journal: Settings, tmp_path: Path
) -> None:
    """A follower goes on past an erased event; its aggregate cannot be read any more, and says why."""
    with Registry(on_journal) as registry:
        press, _ = registry.register("Press 4", "Saw")
        with hand_on(tmp_path / "bank.db") as connection:
            thread_id = connection.execute("SELECT thread_id FROM events WHERE ots = 1").fetchone()[0]
            connection.execute("INSERT INTO erasures VALUES (?, 1, 1)", (thread_id,))
            connection.execute("UPDATE events SET payload = NULL WHERE thread_id = ?", (thread_id,))

        assert [one.id for one in registry.notification_log.select(1, 10)] == [2]
        with pytest.raises(DataError, match="version 1 of an originator was erased"):
            registry.hours(press)


def test_a_journal_s_series_is_read_by_its_index(on_journal: Settings) -> None:
    """However many other events there are, neither a page of notifications nor the last number reads them."""
    with Registry(on_journal) as registry:
        registry.register("Press 4")
    sql = statements("journal.sql")
    with hand_on(Path(on_journal["HOLDFAST_JOURNAL"])) as connection:
        plans = [
            str(connection.execute(f"EXPLAIN QUERY PLAN {sql[name]}", values).fetchall())
            for name, values in (("read_series", ("a", 1, 2, 3)), ("read_last_of_series", ("a",)))
        ]

    assert all("events_of_series" in plan for plan in plans)


async def test_a_tier_s_series_is_read_by_its_index(on_tier: Settings, database: Database) -> None:
    """However many other events there are, neither a page of notifications nor the last number reads them."""
    await migrate(database.dsn, LONG)
    connection = await database.connect()
    await connection.execute("SET enable_seqscan = off")
    plans = []
    for name in ("read_series", "read_last_of_series"):
        await connection.execute(f"PREPARE {name} AS {statements('tier.sql')[name]}")
        values = "'a', 1, 2, 3" if name == "read_series" else "'a'"
        plans.append(str(await connection.fetch(f"EXPLAIN EXECUTE {name} ({values})")))
    await connection.close()

    assert all("events_of_series" in plan for plan in plans)

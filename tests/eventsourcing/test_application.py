import asyncio
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from eventsourcing.persistence import (
    ApplicationRecorder,
    DataError,
    IntegrityError,
    StoredEvent,
    Tracking,
)
from eventsourcing.system import SingleThreadedRunner, System

from holdfast.infrastructure.eventsourcing import Factory
from tests.eventsourcing.conftest import Settings
from tests.eventsourcing.registry import Follower, Machine, Registry, killed


def stored(originator: UUID | str = "press 4", version: int = 1) -> StoredEvent:
    return StoredEvent(originator, version, "topic", b"state")


async def test_what_an_application_saved_is_there_when_it_is_opened_again(settings: Settings) -> None:
    """Aggregates come back as they were, and their notifications are numbered on without a gap."""

    def used() -> tuple[int, list[int]]:
        with Registry(settings) as registry:
            press, _ = registry.register("Press 4", "Saw")
            registry.run(press, 3)
        with Registry(settings) as registry:
            registry.run(press, 4)
            return registry.hours(press), [one.id for one in registry.notification_log.select(1, 10)]

    assert await asyncio.to_thread(used) == (7, [1, 2, 3, 4])


async def test_two_workers_of_one_aggregate_never_both_save_a_version(settings: Settings) -> None:
    """Of two that changed the same state the second is refused, and nothing of what it saved stands."""

    def used() -> list[int]:
        with Registry(settings) as registry:
            [press] = registry.register("Press 4")
            mine: Machine = registry.repository.get(press)
            yours: Machine = registry.repository.get(press)
            mine.run(1)
            yours.run(2)
            registry.save(mine)
            with pytest.raises(IntegrityError):
                registry.save(Machine("Saw"), yours)
            return [one.id for one in registry.notification_log.select(1, 10)]

    assert await asyncio.to_thread(used) == [1, 2]


async def test_snapshots_stand_beside_the_events_they_sum_up(settings: Settings) -> None:
    """A snapshot has the version of its aggregate and no number among the notifications."""

    def used() -> tuple[int, int | None]:
        with Registry({**settings, "IS_SNAPSHOTTING_ENABLED": "y"}) as registry:
            [press] = registry.register("Press 4")
            registry.run(press, 3)
            registry.take_snapshot(press)
            registry.take_snapshot(press, version=1)
            registry.run(press, 1)
            return registry.hours(press), registry.recorder.max_notification_id()

    assert await asyncio.to_thread(used) == (4, 3)


async def test_applications_at_one_place_have_orders_of_their_own(settings: Settings) -> None:
    """A system of a leader and its follower at one place follows to the end, each numbering its own events."""

    def used() -> tuple[int | None, int | None, int | None]:
        runner: SingleThreadedRunner[UUID] = SingleThreadedRunner(System(pipes=[[Registry, Follower]]), settings)
        with runner:
            leader, follower = runner.get(Registry), runner.get(Follower)
            [press] = leader.register("Press 4")
            leader.run(press, 2)
            return (
                leader.recorder.max_notification_id(),
                follower.recorder.max_notification_id(),
                follower.recorder.max_tracking_id("Registry"),
            )

    assert await asyncio.to_thread(used) == (2, None, 2)


async def test_a_number_that_was_tracked_takes_its_events_with_it(factory: Factory) -> None:
    """Events whose tracking is refused are not recorded either."""

    def used() -> tuple[int | None, list[StoredEvent]]:
        recorder = factory.process_recorder()
        recorder.insert_events([stored(version=1)], tracking=Tracking("leader", 5))
        with pytest.raises(IntegrityError):
            recorder.insert_events([stored(version=2)], tracking=Tracking("leader", 5))
        return recorder.max_notification_id(), list(recorder.select_events("press 4"))

    assert await asyncio.to_thread(used) == (1, [stored(version=1)])


async def test_an_originator_may_be_named_by_a_text(factory: Factory) -> None:
    """A notification names its originator in the type it was recorded with."""
    known = uuid4()

    def used() -> list[UUID | str]:
        recorder = factory.application_recorder()
        recorder.insert_events([stored("press 4"), stored(known)])
        return [one.originator_id for one in recorder.select_notifications(1, 10)]

    assert await asyncio.to_thread(used) == ["press 4", known]


@pytest.mark.parametrize("version", [-1, 2**63])
async def test_a_version_that_is_none_is_refused(factory: Factory, version: int) -> None:
    """A version below nought or beyond what a column holds is an error of the data, and nothing is recorded."""

    def used() -> int | None:
        recorder = factory.application_recorder()
        with pytest.raises(DataError):
            recorder.insert_events([stored(version=version)])
        return recorder.max_notification_id()

    assert await asyncio.to_thread(used) is None


async def test_all_of_a_series_is_found_by_topic_however_long_it_is(factory: Factory) -> None:
    """A topic that only the last of many events has is found in one call, and the limit counts what was found."""

    def used() -> list[int]:
        recorder = factory.application_recorder()
        many = [stored(version=version) for version in range(1100)]
        recorder.insert_events([*many, StoredEvent("saw", 1, "rare", b""), StoredEvent("saw", 2, "rare", b"")])
        return [one.id for one in recorder.select_notifications(None, 1, topics=["rare"])]

    assert await asyncio.to_thread(used) == [1101]


async def test_an_application_killed_at_any_moment_has_what_was_acknowledged(settings: Settings) -> None:
    """After kill -9 every acknowledged hour is there, at most one more, and the next save goes on from it."""

    def used() -> tuple[int, int, int]:
        with Registry(settings) as registry:
            [press] = registry.register("Press 4")
        acknowledged = killed(settings, press, after=20)
        with Registry(settings) as registry:
            kept = registry.hours(press)
            return acknowledged, kept, registry.run(press, 1)

    acknowledged, kept, then = await asyncio.to_thread(used)

    assert acknowledged <= kept <= acknowledged + 1
    assert then == kept + 1


async def test_two_processes_at_one_tier_number_without_a_gap(on_tier: Settings) -> None:
    """While two workers of one application record at once, whoever reads never sees a number before a lower one."""

    def record(recorder: ApplicationRecorder) -> None:
        for _ in range(30):
            originator = uuid4()
            recorder.insert_events([stored(originator, 1), stored(originator, 2)])

    def used() -> tuple[list[int], list[list[int]]]:
        seen = []
        with Registry(on_tier) as one, Registry(on_tier) as two, ThreadPoolExecutor(2) as threads:
            done = [threads.submit(record, each.recorder) for each in (one, two)]
            while not all(each.done() for each in done):
                seen.append([found.id for found in one.recorder.select_notifications(None, 1000)])
            for each in done:
                each.result()
            return [found.id for found in two.recorder.select_notifications(None, 1000)], seen

    kept, seen = await asyncio.to_thread(used)

    assert kept == list(range(1, 121))
    assert all(one == list(range(1, len(one) + 1)) for one in seen)

import asyncio
import gc
import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from eventsourcing.persistence import (
    OperationalError,
)

from holdfast.domain.errors import JournalLocked, KeyMissing, SettingsError
from holdfast.infrastructure.eventsourcing import Factory
from tests.architecture.reading import ROOT
from tests.eventsourcing.conftest import MODULE, Settings
from tests.eventsourcing.registry import BASE64_KEY, Registry
from tests.servers.server import Server


def test_a_second_process_is_kept_from_the_journal(on_journal: Settings) -> None:
    """While an application holds its journal, a program that wants it too is refused and told why."""
    with Registry(on_journal):
        command = [sys.executable, "-m", "tests.eventsourcing.registry", str(uuid4())]
        refused = subprocess.run(
            command, cwd=ROOT, env={**os.environ, **on_journal}, capture_output=True, text=True, check=False
        )

    assert refused.returncode != 0
    assert JournalLocked.__name__ in refused.stderr


def test_a_journal_is_held_until_the_last_application_of_the_process_lets_go(on_journal: Settings) -> None:
    """Two applications share the file; one goes on when the other has closed, and then nobody holds it."""
    first, second = Registry(on_journal), Registry(on_journal)
    first.close()
    second.register("Press 4")
    second.close()

    with pytest.raises(OperationalError):
        second.register("Saw")


def test_another_master_key_is_refused(on_journal: Settings) -> None:
    """A journal begun under one key is not gone on with under another, or under none."""
    with Registry({**on_journal, "HOLDFAST_MASTER_KEY": BASE64_KEY}) as registry:
        with pytest.raises(KeyMissing):
            Registry(on_journal)
        [press] = registry.register("Press 4")
    with pytest.raises(KeyMissing):
        Registry(on_journal)
    with Registry({**on_journal, "HOLDFAST_MASTER_KEY": BASE64_KEY}) as registry:
        assert registry.hours(press) == 0


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("HOLDFAST_JOURNAL", "none"),
        ("HOLDFAST_TIER", "mysql://here"),
        ("HOLDFAST_MASTER_KEY", "short"),
    ],
)
def test_a_wrong_setting_is_named(on_journal: Settings, setting: str, value: str) -> None:
    """What an application cannot be opened with is refused at once, before anything is written."""
    with pytest.raises(SettingsError):
        Factory({**on_journal, setting: value})

    assert not Path(on_journal["HOLDFAST_JOURNAL"]).exists()


def test_a_recorder_of_another_kind_is_refused(on_journal: Settings) -> None:
    """A topic of a recorder that knows no place of this log is named."""
    settings = {**on_journal, "APPLICATION_RECORDER_TOPIC": "eventsourcing.popo:POPOApplicationRecorder"}
    with pytest.raises(SettingsError, match="APPLICATION_RECORDER_TOPIC"):
        Registry(settings)
    with Registry(on_journal) as registry:
        assert registry.recorder.max_notification_id() is None


async def test_an_application_that_is_only_dropped_lets_go(settings: Settings) -> None:
    """What nobody closed is closed when it is collected, and its place can be opened again."""

    def used() -> int | None:
        registry = Registry(settings)
        registry.register("Press 4")
        del registry
        gc.collect()
        with Registry(settings) as registry:
            return registry.recorder.max_notification_id()

    assert await asyncio.to_thread(used) == 1


async def test_what_a_tier_did_not_do_is_an_error_of_its_operation(private_server: Server) -> None:
    """A tier that is gone refuses with the package's own error, and serves the same application when it is back."""
    name = await private_server.create_database()
    settings = {"PERSISTENCE_MODULE": MODULE, "HOLDFAST_TIER": private_server.dsn(name)}
    registry = await asyncio.to_thread(Registry, settings)
    await private_server.stop()
    with pytest.raises(OperationalError):
        await asyncio.to_thread(registry.register, "Press 4")
    await private_server.start()

    await asyncio.to_thread(registry.register, "Press 4")

    assert await asyncio.to_thread(registry.recorder.max_notification_id) == 1
    await asyncio.to_thread(registry.close)

"""The test-cases that the package's own wheel ships."""

import asyncio
import unittest
from collections.abc import Callable
from typing import Any

import pytest
from eventsourcing.persistence import Recorder
from eventsourcing.tests import persistence as wheel
from eventsourcing.utils import Environment

from holdfast.infrastructure.eventsourcing import Factory
from holdfast.infrastructure.eventsourcing.recorders import (
    LogAggregateRecorder,
    LogApplicationRecorder,
    LogProcessRecorder,
    LogTrackingRecorder,
)
from tests.eventsourcing.conftest import Settings

CASES: dict[type[unittest.TestCase], Callable[[Factory], Recorder]] = {
    wheel.AggregateRecorderTestCase: Factory.aggregate_recorder,
    wheel.ApplicationRecorderTestCase: Factory.application_recorder,
    wheel.NonInterleavingNotificationIDsBaseCase: Factory.application_recorder,
    wheel.TrackingRecorderTestCase: Factory.tracking_recorder,
    wheel.ProcessRecorderTestCase: Factory.process_recorder,
}
"""The wheel's test-cases of recorders, and what makes the recorder each is about."""

OPTIONAL = [(wheel.ApplicationRecorderTestCase, "optional_test_insert_subscribe")]
"""What a recorder may leave out, and ours does not."""


class OwnTracking(LogTrackingRecorder):
    pass


class FactoryCase(wheel.InfrastructureFactoryTestCase[Factory]):
    __test__ = False

    def expected_factory_class(self) -> type[Factory]:
        return Factory

    def expected_aggregate_recorder_class(self) -> type[LogAggregateRecorder]:
        return LogAggregateRecorder

    def expected_application_recorder_class(self) -> type[LogApplicationRecorder]:
        return LogApplicationRecorder

    def expected_tracking_recorder_class(self) -> type[LogTrackingRecorder]:
        return LogTrackingRecorder

    def tracking_recorder_subclass(self) -> type[LogTrackingRecorder]:
        return OwnTracking

    def expected_process_recorder_class(self) -> type[LogProcessRecorder]:
        return LogProcessRecorder


def methods(case: type[unittest.TestCase]) -> list[str]:
    return [name for name in dir(case) if name.startswith("test")]


def complaints(case: type[unittest.TestCase], method: str, **attributes: Any) -> list[str]:  # noqa: ANN401 - what a case needs
    """Run one method of a test-case, completed with what it leaves open, and give what it complains of."""
    completed = type(case.__name__, (case,), attributes)
    result = unittest.TestResult()
    completed(method).run(result)
    assert result.testsRun == 1
    assert not result.skipped
    return [text for _, text in (*result.errors, *result.failures)]


@pytest.mark.parametrize(
    ("case", "method"),
    [*((case, method) for case in CASES for method in methods(case)), *OPTIONAL],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
async def test_the_recorders_pass_the_test_cases_of_the_wheel(
    factory: Factory, case: type[unittest.TestCase], method: str
) -> None:
    """Each recorder does what its package asks of every recorder."""
    recorder = CASES[case](factory)

    found = await asyncio.to_thread(complaints, case, method, create_recorder=lambda _: recorder)

    assert found == []


@pytest.mark.parametrize("method", methods(FactoryCase))
async def test_the_factory_passes_the_test_cases_of_the_wheel(settings: Settings, method: str) -> None:
    """The factory makes the recorders, the mapper, the compressor and the cipher its environment asks for."""
    found = await asyncio.to_thread(complaints, FactoryCase, method, env=Environment(env=settings))

    assert found == []


def test_no_test_case_of_a_recorder_is_left_out() -> None:
    """What the wheel ships for recorders and factories is all run here."""
    shipped = {
        found
        for found in vars(wheel).values()
        if isinstance(found, type)
        and issubclass(found, unittest.TestCase)
        and methods(found)
        and found is not unittest.TestCase
    }

    assert shipped - {wheel.TranscoderTestCase} == {*CASES, wheel.InfrastructureFactoryTestCase}

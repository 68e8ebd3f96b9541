import os
import signal
import subprocess
import sys
import time

import pytest

BOUND = 1.0
PROGRAM = """
import asyncio, logging, sys, time
from holdfast.cli.ending import until_stopped

logging.basicConfig(level=logging.INFO)

async def obedient():
    print("ready", flush=True)
    await asyncio.Event().wait()

async def finishing():
    try:
        await obedient()
    finally:
        await asyncio.sleep(0.2)
        print("finished", flush=True)

async def hanging():
    try:
        await obedient()
    finally:
        await asyncio.Event().wait()

async def stuck():
    print("ready", flush=True)
    while True:
        time.sleep(0.01)

async def failing():
    print("ready", flush=True)
    raise RuntimeError("by itself")

asyncio.run(until_stopped(globals()[sys.argv[1]](), float(sys.argv[2])))
"""


def ended(work: str, *signals: signal.Signals, bound: float = BOUND) -> tuple[int, str, str]:
    """Run some work, send it signals one after another, and give its status and what it said on both channels."""
    command = [sys.executable, "-c", PROGRAM, work, str(bound)]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"
        for number in signals:
            program.send_signal(number)
            time.sleep(0.1)  # two signals of a kind that come together are one
        said, complained = program.communicate(timeout=30)
    return program.returncode, said, complained


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=str)
def test_a_signal_ends_it_with_status_0(number: signal.Signals) -> None:
    """Asked once, in either way, the program finishes what it has in hand, says so, and ends with the status 0."""
    status, said, complained = ended("finishing", number)

    assert (status, said) == (0, "finished\n")
    assert "Holdfast has stopped; everything acknowledged is stored." in complained


@pytest.mark.parametrize("work", ["hanging", "stuck"])
def test_what_hangs_is_ended_after_the_bound(work: str) -> None:
    """What does not come to its end, or does not even hear, is ended after the bound, with a sentence and status 0."""
    status, _, complained = ended(work, signal.SIGTERM, bound=0.3)

    assert status == 0
    assert "holdfast: it did not come to its end within 0.3 s and was ended" in complained


@pytest.mark.parametrize("work", ["hanging", "stuck"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=str)
def test_a_second_signal_ends_it_at_once(work: str, number: signal.Signals) -> None:
    """Who asks twice does not want to wait: the status says which signal it was."""
    status, _, complained = ended(work, signal.SIGTERM, number, bound=60)

    assert (status, complained) == (128 + number, "")


def test_work_that_fails_by_itself_fails() -> None:
    """Without a signal, an error is the program's error."""
    status, _, complained = ended("failing")

    assert status == 1
    assert "RuntimeError: by itself" in complained

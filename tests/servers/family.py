"""The processes of one server: the one that was started, and its children."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from tests.servers.errors import TookTooLong
from tests.servers.patience import LOOK, PATIENCE


def family(parent: int) -> list[int]:
    """Give the ids of a process that is stopped, so that it makes no more of them, and of its children."""
    return [parent, *(int(child) for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split())]


def stop(parent: int) -> list[int]:
    """Take the processor away from all of them, the parent first; give their ids."""
    os.kill(parent, signal.SIGSTOP)
    ids = family(parent)
    send(ids, signal.SIGSTOP)
    return ids


def send(ids: list[int], number: signal.Signals) -> None:
    """Signal those that still live."""
    for one in ids:
        with suppress(ProcessLookupError):
            os.kill(one, number)


def wait_until_gone(ids: list[int]) -> None:
    """Wait until none of them does anything any more; whether somebody has asked for its end does not matter."""
    end = time.monotonic() + PATIENCE
    while any(map(lives, ids)):
        if time.monotonic() > end:
            raise TookTooLong(f"these processes do not end: {[one for one in ids if lives(one)]}")
        time.sleep(LOOK)


def lives(one: int) -> bool:
    """Tell whether a process runs; one that has ended may still have its entry."""
    try:
        state = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"

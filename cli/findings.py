"""What a check found: one sentence, how bad it is, and what to do."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import Future
from typing import Literal, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from holdfast.domain.errors import HoldfastError

T = TypeVar("T")
Verdict = Literal["ok", "warn", "bad"]
_WORSE: tuple[Verdict, ...] = ("ok", "warn", "bad")
PATIENCE = 10.0
"""Seconds a check may take."""


class Finding(Struct, frozen=True, kw_only=True):
    """What is called `name` was found to be `what`; `advice` is what to do about it, empty when there is nothing."""

    name: str
    verdict: Verdict = "ok"
    what: str
    advice: str = ""


def worst(findings: Iterable[Finding]) -> Verdict:
    """Give the worst verdict of all; `ok` when there are none."""
    return max((one.verdict for one in findings), key=_WORSE.index, default="ok")


def told(name: str, error: Exception, verdict: Verdict = "bad") -> Finding:
    """Make a finding of an error: what it says before a semicolon, and behind it what to do.

    Of an error that is not ours only the type is told: its message may hold what nobody else should see.
    """
    if not isinstance(error, HoldfastError):
        return Finding(name=name, verdict=verdict, what=f"could not be looked at: {type(error).__name__}")
    what, _, advice = str(error).partition("; ")
    return Finding(name=name, verdict=verdict, what=what, advice=advice)


def without(secrets: Sequence[str], findings: Iterable[Finding]) -> list[Finding]:
    """Take secrets out of findings, should one have got there."""

    def clean(text: str) -> str:
        for secret in secrets:
            text = text.replace(secret, "***")
        return text

    return [replace(one, what=clean(one.what), advice=clean(one.advice)) for one in findings]


async def tried(name: str, check: Awaitable[Sequence[Finding]], within: float) -> Sequence[Finding]:
    """Wait for a check, but not for ever; one that fails is a finding too."""
    try:
        async with asyncio.timeout(within):
            return await check
    except TimeoutError:
        return [Finding(name=name, verdict="warn", what=f"gave no answer within {within:g} seconds")]
    except Exception as error:  # noqa: BLE001 - whatever a check runs into is what the operator must hear of
        return [told(name, error)]


async def apart(work: Callable[[], T]) -> T:
    """Run what may block, or never end, in a thread that nobody has to wait for."""
    done: Future[T] = Future()
    done.set_running_or_notify_cancel()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
            done.set_exception(error)

    threading.Thread(target=run, name="check", daemon=True).start()
    return await asyncio.wrap_future(done)

import asyncio
import os
from pathlib import Path

import pytest

from holdfast.bot.server import listen
from holdfast.cli import workers as module
from holdfast.cli.worker import READY, journal_of, own
from holdfast.cli.workers import _all, _Worker
from holdfast.domain.errors import SettingsError
from holdfast.infrastructure.settings import Settings
from tests.cli.hands import typed

SECRET = "a-secret-that-nobody-knows"
NOWHERE = "neon=postgresql://me:pw@127.0.0.1:1/x"


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", "42:token")
    monkeypatch.setenv("TELEGRAM_API_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("TELEGRAM_WEBHOOK_SECRET", SECRET)
    return monkeypatch


async def test_several_workers_need_a_tier(given: pytest.MonkeyPatch) -> None:
    """Without a tier no worker would see what the others took in: refused before anything starts."""
    with pytest.raises(SettingsError, match="several workers need at least one tier"):
        await typed("run", "--webhook", "--workers", "2", "--port", "0")


async def test_several_workers_need_a_webhook(given: pytest.MonkeyPatch) -> None:
    """Telegram lets one process ask for updates, so several are refused without the webhook."""
    with pytest.raises(SettingsError, match="several workers need --webhook"):
        await typed("run", "--workers", "2")


def test_each_worker_has_a_journal_of_its_own() -> None:
    """The journals stand side by side, named after the one that is set."""
    assert [journal_of(Path("data/local.db"), number) for number in (1, 2)] == [
        Path("data/local.1.db"),
        Path("data/local.2.db"),
    ]


def test_each_worker_says_on_a_port_of_its_own_how_it_is() -> None:
    """One port can be had once: the first worker has the one that is set, each further one the next."""
    settings = Settings(holdfast_health="127.0.0.1:8082")

    assert [own(settings, number).holdfast_health for number in (1, 2, 3)] == [
        *("127.0.0.1:8082", "127.0.0.1:8083", "127.0.0.1:8084"),
    ]
    assert own(Settings(), 2).holdfast_health is None


def test_a_worker_that_keeps_nothing_has_no_journal_beside_it() -> None:
    """Without a lasting disk each of several workers stays without."""
    assert own(Settings(holdfast_journal=Path("none")), 2).keeps_nothing


class Lives(_Worker):
    """A worker that ends as it is told, and at last stays."""

    def __init__(self, *lives: tuple[bool, int]) -> None:
        super().__init__(1, 2, 0, Path())
        self.left = list(lives)
        self.lived = 0

    async def _live(self) -> int:
        self.lived += 1
        if not self.left:
            await asyncio.Event().wait()
        ready, status = self.left.pop(0)
        self._was_ready = self._was_ready or ready
        return status


async def test_a_worker_that_dies_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed at any time, or ended by an error after it was ready once, it is started again each time."""
    monkeypatch.setattr(module, "_FIRST_PAUSE", 0.0)
    worker = Lives((False, -9), (True, -9), (True, 1), (False, 1))
    keeping = asyncio.create_task(worker.keep())
    for _ in range(100):
        await asyncio.sleep(0)
    keeping.cancel()

    assert worker.lived == 5


async def test_a_worker_that_cannot_start_ends_all() -> None:
    """One that ends by an error before it was ever ready would do so for ever: the others are ended with it."""
    other = Lives()
    with pytest.raises(ExceptionGroup) as caught:
        await _all([Lives((False, 1)), other])

    assert "worker 1 can't start; its own line above says why" in str(caught.value.exceptions[0])
    assert other.lived == 1


async def test_a_real_worker_says_when_it_is_ready_and_ends_with_its_parent(
    given: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A worker whose tier is away serves all the same, in a journal of its own, until its standard input ends."""
    given.setenv("HOLDFAST_TIERS", NOWHERE)
    ready, told = os.pipe()
    with listen("127.0.0.1", 0) as listener:
        process = await asyncio.create_subprocess_exec(
            *module.command(1, 2, tmp_path, listener.fileno(), told),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            pass_fds=(listener.fileno(), told),
        )
        os.close(told)
        word = await asyncio.to_thread(os.read, ready, len(READY))
        os.close(ready)
        reached = (tmp_path / "1.sock").exists()
        printed, _ = await process.communicate(b"")

    assert (word, reached, process.returncode, printed) == (READY, True, 0, b"")
    assert Path("data/local.1.db").exists()  # noqa: ASYNC240 - a test may wait for its files

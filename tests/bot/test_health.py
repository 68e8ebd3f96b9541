import asyncio
import json

import pytest

from holdfast.bot import health
from holdfast.bot.health import Health
from tests.bot.posting import App, Post


class Patient:
    """What is asked how it is: it says what it was told to say, or nothing ever."""

    def __init__(self, *, ready: bool = True, hangs: bool = False) -> None:
        self._ready = ready
        self._hangs = hangs

    async def readiness(self) -> dict[str, object]:
        await self._perhaps()
        return {"ready": self._ready, "journal": "written"}

    async def metrics(self) -> tuple[str, bytes]:
        await self._perhaps()
        return "text/plain; version=0.0.4", b"holdfast_turns 1\n"

    async def _perhaps(self) -> None:
        if self._hangs:
            await asyncio.Event().wait()


async def asked(patient: Patient, path: str, method: str = "GET") -> Post:
    post = Post(b"", method=method)
    post.scope["path"] = path
    return await App(Health(patient)).answers(post)


async def test_a_process_that_answers_is_alive() -> None:
    """/healthz is answered with 200 as long as the loop turns, however ill the bot is."""
    post = await asked(Patient(ready=False), "/healthz")

    assert (post.status, post.body) == (200, b"ok\n")


@pytest.mark.parametrize(("ready", "status"), [(True, 200), (False, 503)])
async def test_readiness_is_a_status_and_its_reasons(ready: bool, status: int) -> None:  # noqa: FBT001
    """/readyz says by its status whether people are served, and as JSON why."""
    post = await asked(Patient(ready=ready), "/readyz")

    assert post.status == status
    assert json.loads(post.body) == {"ready": ready, "journal": "written"}
    assert post.headers[b"content-type"] == b"application/json"
    assert post.headers[b"cache-control"] == b"no-store"


async def test_figures_come_in_the_form_they_name() -> None:
    """/metrics hands over the figures under their own content type."""
    post = await asked(Patient(), "/metrics")

    assert (post.status, post.body) == (200, b"holdfast_turns 1\n")
    assert post.headers[b"content-type"] == b"text/plain; version=0.0.4"


async def test_a_head_has_the_length_and_no_body() -> None:
    """HEAD is answered as GET is, without the body."""
    post = await asked(Patient(), "/healthz", "HEAD")

    assert (post.status, post.body, post.headers[b"content-length"]) == (200, b"", b"3")


@pytest.mark.parametrize(("path", "method", "status"), [("/", "GET", 404), ("/metrics", "POST", 405)])
async def test_nothing_else_is_answered(path: str, method: str, status: int) -> None:
    """There are three paths, and they are only read."""
    assert (await asked(Patient(), path, method)).status == status


@pytest.mark.parametrize("path", ["/readyz", "/metrics"])
async def test_what_takes_too_long_is_an_answer_too(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """Whoever asks is not kept waiting by what hangs: 503, after some seconds."""
    monkeypatch.setattr(health, "_PATIENCE", 0.01)

    assert (await asked(Patient(hangs=True), path)).status == 503

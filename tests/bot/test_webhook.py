import asyncio
from itertools import count

import pytest

from holdfast.bot import webhook as module
from holdfast.bot.webhook import MOST_BYTES, Webhook
from holdfast.domain.errors import LogUnavailable
from tests.bot.posting import SECRET, App, Post
from tests.engine.fakes import few_steps


class Taker:
    """Takes updates in, or fails as it is told, or waits to be let go."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.within: list[float] = []
        self.fault: Exception | None = None
        self.gate: asyncio.Event | None = None
        self.cancelled = 0

    async def take(self, raw: bytes, within: float) -> None:
        self.within.append(within)
        try:
            if self.gate:
                await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.fault:
            raise self.fault
        self.taken.append(raw)


@pytest.fixture
def taker() -> Taker:
    return Taker()


async def test_an_update_is_confirmed_once_it_is_durable(taker: Taker) -> None:
    """The status 200, without a body, follows the end of taking in, and does not come before it."""
    taker.gate = asyncio.Event()
    post = Post(b'{"update_id"', b": 1}")
    answering = asyncio.create_task(App(Webhook(taker.take, SECRET)).answers(post))
    await few_steps()
    before = list(post.sent)
    taker.gate.set()
    await answering

    assert before == []
    assert (post.status, post.body, taker.taken) == (200, b"", [b'{"update_id": 1}'])
    assert post.headers == {b"content-length": b"0"}


@pytest.mark.parametrize("secret", [None, "", SECRET[:-1], SECRET + "x", SECRET.upper(), "ä"])
async def test_who_does_not_know_the_secret_is_not_heard(taker: Taker, secret: str | None) -> None:
    """With another secret, or none, the answer is 401, and not a byte of the body is read."""
    post = await App(Webhook(taker.take, SECRET)).answers(Post(b"{}", secret=secret))

    assert (post.status, post.read, taker.taken) == (401, 0, [])


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
async def test_only_posts_are_heard(taker: Taker, method: str) -> None:
    """Another method is answered with 405 and the one that is right, whoever asks."""
    post = await App(Webhook(taker.take, SECRET)).answers(Post(b"{}", method=method))

    assert (post.status, post.headers[b"allow"], taker.taken) == (405, b"POST", [])


async def test_a_body_that_is_announced_too_large_is_not_read(taker: Taker) -> None:
    """A request that says it has more than a megabyte is refused before any of it comes."""
    post = await App(Webhook(taker.take, SECRET)).answers(Post(b"{}", length=MOST_BYTES + 1))

    assert (post.status, post.read, taker.taken) == (413, 0, [])


async def test_a_body_is_counted_while_it_comes(taker: Taker) -> None:
    """A body that grows beyond the limit is refused there and then; one that just fits is taken."""
    half = b"x" * (MOST_BYTES // 2)
    app = App(Webhook(taker.take, SECRET))
    large = await app.answers(Post(half, half, b"x", half))
    fits = await app.answers(Post(half, half))

    assert (large.status, large.read) == (413, 3)
    assert (fits.status, len(taker.taken)) == (200, 1)


async def test_a_body_that_stands_still_is_given_up(taker: Taker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who sends half a body and no more, or goes away in it, holds no place for ever, and nothing is taken in."""
    monkeypatch.setattr(module, "_READING", 0.01)
    app = App(Webhook(taker.take, SECRET, at_once=1))
    gone = Post(b"{")
    gone.goes_away = True
    still = Post()

    assert (await app.answers(gone)).status == 408
    assert (await app.answers(still)).status == 408
    assert (await app.answers(Post(b"{}"))).status == 200
    assert taker.taken == [b"{}"]


async def test_what_cannot_be_stored_comes_again(taker: Taker) -> None:
    """While nothing can be stored the answer is 503 with a time to come again; afterwards the same update is 200."""
    taker.fault = LogUnavailable("full")
    app = App(Webhook(taker.take, SECRET, within=3.0))
    refused = await app.answers(Post(b"{}"))
    taker.fault = None
    taken = await app.answers(Post(b"{}"))

    assert (refused.status, refused.headers[b"retry-after"]) == (503, b"1")
    assert (taken.status, taker.within) == (200, [3.0, 3.0])


async def test_an_error_nobody_expected_costs_no_update(taker: Taker, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever fails, the update is not confirmed, and no word of it stands in the log."""
    taker.fault = RuntimeError("what Ada said")
    post = await App(Webhook(taker.take, SECRET)).answers(Post(b"{}"))

    assert post.status == 503
    assert "RuntimeError" in caplog.text
    assert "Ada" not in caplog.text


async def test_too_many_at_once_are_sent_away(taker: Taker) -> None:
    """Beyond the bound an update is answered with 503 unread, and as soon as one is done the next is taken."""
    taker.gate = asyncio.Event()
    app = App(Webhook(taker.take, SECRET, at_once=2))
    waiting = [asyncio.create_task(app.answers(Post(b"%d" % number))) for number in range(2)]
    await few_steps()
    third = await app.answers(Post(b"third"))
    taker.gate.set()
    statuses = [(await one).status for one in waiting]
    again = await app.answers(Post(b"third"))

    assert (third.status, third.read) == (503, 0)
    assert statuses == [200, 200]
    assert (again.status, taker.taken) == (200, [b"0", b"1", b"third"])


async def test_a_turn_that_takes_too_long_is_not_broken_off(taker: Taker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its update is given back with 503, keeps its place among those under way, and ends on its own."""
    monkeypatch.setattr(module, "_SLACK", 0.0)
    taker.gate = asyncio.Event()
    app = App(Webhook(taker.take, SECRET, at_once=1, within=0.01))
    late = await app.answers(Post(b"late"))
    next_one = await app.answers(Post(b"next"))
    taker.gate.set()
    await few_steps()
    again = await app.answers(Post(b"late"))

    assert (late.status, next_one.status, again.status) == (503, 503, 200)
    assert (taker.cancelled, taker.taken) == (0, [b"late", b"late"])


async def test_the_end_waits_for_what_is_under_way(taker: Taker) -> None:
    """Closing lets a turn come to its end; one that does not is cut off after the time it was given."""
    taker.gate = asyncio.Event()
    webhook = Webhook(taker.take, SECRET)
    answering = asyncio.create_task(App(webhook).answers(Post(b"{}")))
    await few_steps()
    await webhook.close(0.01)
    status = (await answering).status

    assert (status, taker.cancelled, taker.taken) == (503, 1, [])


async def test_what_is_no_request_is_refused(taker: Taker) -> None:
    """A websocket is not served: whoever mounts the application there is told."""
    post = Post()
    post.scope["type"] = "websocket"

    with pytest.raises(ValueError, match="a webhook knows nothing of websocket"):
        await App(Webhook(taker.take, SECRET)).answers(post)


async def test_many_posts_leave_nothing_behind(taker: Taker) -> None:
    """However many are answered, and however, no place stays taken."""
    numbers = count()
    app = App(Webhook(taker.take, SECRET, at_once=3))
    for _ in range(50):
        await app.answers(Post(b"%d" % next(numbers)))
        await app.answers(Post(b"{}", secret=None))
        await app.answers(Post(b"{}", length=MOST_BYTES + 1))
        taker.fault = LogUnavailable("full") if taker.fault is None else None
    full = await asyncio.gather(*(app.answers(Post(b"{}")) for _ in range(3)))

    assert [post.status for post in full].count(503) in {0, 3}
    assert all(post.read for post in full)

"""The bot was away: people, the sandbox and the real bot, whose clock is turned together with the sandbox's."""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import pytest

from holdfast.domain.wording import WORDING
from holdfast.infrastructure.clock import SystemClock
from tests.bot.road import Road, buttons, shown, taps, tells

DAY = 86_400
Pass = Callable[[float], Awaitable[None]]


@pytest.fixture
def passes(road: Road, monkeypatch: pytest.MonkeyPatch) -> Pass:
    """Let time pass, for Telegram and for the bot."""
    ahead, real = [0.0], SystemClock.now
    monkeypatch.setattr(SystemClock, "now", lambda clock: real(clock) + round(ahead[0] * 1_000_000))

    async def turn(seconds: float) -> None:
        ahead[0] += seconds
        await road.control.advance(seconds)

    return turn


async def test_a_tap_lost_in_an_outage_is_made_on_fresh_buttons(road: Road, passes: Pass) -> None:
    """Back after 200 seconds, the bot asks its open question again; its new buttons work, and nobody else is asked."""
    ada, ben = await road.control.person("Ada"), await road.control.person("Ben")
    async with road.bot():
        await tells(ada, "/addmachine", "Press 4")
        await tells(ben, "/help")
        await road.control.all_confirmed()
    lost = await ada.taps("Skip")
    await passes(200)
    async with road.bot():
        again = await ada.sees(WORDING["repeated"], after=lost)
        skipped = await taps(ada, "Skip", "3 of 8")
        await road.until("SELECT count(*) FROM heads WHERE undelivered > 0", [(0,)])

    assert "2 of 8" in shown(again)
    assert "Skip" in buttons(again)
    assert "skipped" in shown(skipped)
    kinds = [kind for (kind,) in road.rows("SELECT kind FROM events ORDER BY pos")]
    assert kinds == ["conversation.started", "answer.given", "thread.noted", "question.repeated", "answer.skipped"]
    assert await road.differences() == []


async def _can_not_poll(road: Road) -> None:
    """Wait until a poll has failed."""
    for _ in range(1000):
        if (await road.control.calls("getUpdates"))[-1].status != HTTPStatus.OK:
            return
        await asyncio.sleep(0.01)


async def test_a_network_that_is_gone_for_long_is_an_outage_too(road: Road, passes: Pass) -> None:
    """The bot keeps running; when Telegram can be reached again, the open question is asked again, once."""
    ada, ben = await road.control.person("Ada"), await road.control.person("Ben")
    async with road.bot():
        await tells(ada, "/addmachine", "Press 4")
        await road.control.all_confirmed()
        await road.control.fault("error", "getUpdates", times=1000)
        await tells(ben, "/help")  # ends the poll that is under way
        await _can_not_poll(road)
        lost = await ada.taps("Skip")
        await passes(200)
        await road.control.clear_faults()
        await ada.sees(WORDING["repeated"], after=lost)
        await taps(ada, "Skip", "3 of 8")

    assert road.rows("SELECT count(*) FROM events WHERE kind = 'question.repeated'") == [(1,)]


async def test_who_answered_in_the_outage_is_answered_and_not_asked_again(road: Road, passes: Pass) -> None:
    """What waited with Telegram is taken in first: its reply has fresh buttons, and nothing is said twice."""
    ada = await road.control.person("Ada")
    async with road.bot():
        await tells(ada, "/addmachine")
        await road.control.all_confirmed()
    await passes(100)
    text = await ada.says("Press 4")
    await passes(100)
    async with road.bot():
        await ada.sees("2 of 8", after=text)
        await ada.sees("3 of 8", after=await ada.says("Bosch"))

    assert road.rows("SELECT count(*) FROM events WHERE kind = 'question.repeated'") == [(0,)]


async def test_after_two_days_people_are_told_of_the_gap_and_go_on(road: Road, passes: Pass) -> None:
    """Who had a question open, and who spoke lately, read from when to when the bot was away; doctor names the gap."""
    ada, ben = await road.control.person("Ada"), await road.control.person("Ben")
    async with road.bot():
        await tells(ada, "/addmachine", "Press 4")
        await tells(ben, "/help")
        await road.control.all_confirmed()
    lost = await ada.says("Bosch")
    silent = await ben.says("never heard")
    await passes(2 * DAY)
    async with road.bot():
        told = await ada.sees("I was away from", after=lost)
        await ben.sees("I was away from", after=silent)
        await ada.sees("3 of 8", after=await ada.says("Siemens"))

    assert "2 of 8" in shown(told)
    assert road.rows("SELECT count(*) FROM events WHERE kind = 'inputs.missing'") == [(2,)]
    assert road.rows("SELECT count(*) FROM tier_meta WHERE name LIKE 'gap:%'") == [(1,)]
    assert await road.differences() == []

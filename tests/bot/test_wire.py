import pytest

from tests.bot.road import Road, shown

FAULTS = ["drop", "reset", "error", "flood"]


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_reply_survives_the_wire(road: Road, fault: str) -> None:
    """Whatever goes wrong with sendMessage, the reply arrives, and the next one after it."""
    async with road.bot():
        ada = await road.control.person("Ada")
        await ada.sees("Hello", after=await ada.says("/start"))
        await road.control.fault(fault, "sendMessage", times=2, seconds=0.1, retry_after=1)
        first = await ada.says("/addmachine")
        await ada.sees("1 of 8", after=first)
        answer = await ada.sees("2 of 8", after=await ada.says("Press 4"))
    assert "Press 4" in shown(answer)


@pytest.mark.parametrize("fault", FAULTS)
async def test_polling_survives_the_wire(road: Road, fault: str) -> None:
    """Whatever goes wrong with getUpdates, every input is taken in exactly once."""
    async with road.bot():
        ada = await road.control.person("Ada")
        await ada.sees("Hello", after=await ada.says("/start"))
        await road.control.fault(fault, "getUpdates", times=2, seconds=0.1, retry_after=1)
        answer = await ada.sees("1 of 8", after=await ada.says("/addmachine"))
    assert "Nickname" in shown(answer)
    assert road.rows("SELECT count(*), count(DISTINCT dedup_key) FROM events") == [(2, 2)]


async def test_a_person_who_blocked_the_bot_is_an_outcome(road: Road) -> None:
    """A reply to somebody who has blocked the bot is recorded as blocked, and not tried again."""
    ada = await road.control.person("Ada")
    await ada.says("/start")
    await ada.blocks()
    async with road.bot():
        bob = await road.control.person("Bob")
        await bob.sees("Hello", after=await bob.says("/start"))
    outcomes = road.rows("SELECT kind FROM deliveries ORDER BY kind")
    assert outcomes == [("delivery.blocked",), ("delivery.sent",)]


async def test_a_redelivered_update_is_one_input(road: Road) -> None:
    """An update that Telegram delivers again is recognised: one event, one reply."""
    async with road.bot():
        ada = await road.control.person("Ada")
        first = await ada.says("/start")
        await ada.sees("Hello", after=first)
        assert first.update_ids[0] is not None
        await road.control.again(first.update_ids[0])
        await ada.sees("1 of 8", after=await ada.says("/addmachine"))
    assert road.rows("SELECT kind FROM events ORDER BY pos") == [("thread.noted",), ("conversation.started",)]
    assert len(await road.control.calls("sendMessage")) == 2

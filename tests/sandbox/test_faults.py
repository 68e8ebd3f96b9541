import httpx
import pytest

from holdfast.sandbox import SandboxServer
from holdfast.sandbox.client import Control, Person, Refused
from tests.sandbox.conftest import Door
from tests.sandbox.wire import Bot, until


@pytest.fixture
async def door(sandbox: SandboxServer) -> Door:
    """These tests need a real connection."""
    return Door(sandbox.url, sandbox.token)


async def test_a_dropped_answer_was_carried_out(ada: Person, bot: Bot, control: Control) -> None:
    """With drop the message is sent, and the bot never hears of it."""
    await control.fault("drop", "sendMessage")
    with pytest.raises(httpx.RemoteProtocolError):
        await bot("sendMessage", chat_id=ada.id, text="did it arrive?")

    assert (await ada.sees("did it arrive?")).from_.is_bot


async def test_a_reset_connection_did_nothing(ada: Person, bot: Bot, control: Control) -> None:
    """With reset nothing is sent."""
    await control.fault("reset", "sendMessage")
    with pytest.raises(httpx.ReadError):
        await bot("sendMessage", chat_id=ada.id, text="lost")

    assert await ada.screen() is None


async def test_a_dropped_poll_has_confirmed(ada: Person, bot: Bot, control: Control) -> None:
    """A poll whose answer is dropped confirms what is below its offset and loses nothing above it."""
    [first] = (await ada.says("one")).update_ids
    assert first is not None
    await ada.says("two")
    await control.fault("drop", "getUpdates")
    with pytest.raises(httpx.RemoteProtocolError):
        await bot("getUpdates", offset=first + 1)

    assert await bot.texts() == ["two"]


async def test_an_error_did_nothing(ada: Person, bot: Bot, control: Control) -> None:
    """With error the call is refused with the code that was asked for, 500 unless another is named."""
    await control.fault("error", "sendMessage")
    await control.fault("error", "sendMessage", code=502, description="Bad Gateway")

    assert (await bot("sendMessage", chat_id=ada.id, text="x")).refusal == (500, "Internal Server Error")
    assert (await bot("sendMessage", chat_id=ada.id, text="x")).refusal == (502, "Bad Gateway")
    assert await ada.screen() is None


async def test_a_flood_says_how_long_to_wait(ada: Person, bot: Bot, control: Control) -> None:
    """With flood the call gets 429 and the seconds to wait."""
    await control.fault("flood", "sendMessage", retry_after=7)
    answer = await bot("sendMessage", chat_id=ada.id, text="x")

    assert answer.refusal == (429, "Too Many Requests: retry after 7")
    assert answer.body["parameters"] == {"retry_after": 7}


async def test_a_slow_answer_comes_when_its_time_has_passed(ada: Person, bot: Bot, control: Control) -> None:
    """With slow the message is sent at once and the answer comes later."""
    await control.fault("slow", "sendMessage", seconds=30)
    with pytest.raises(httpx.ReadTimeout):
        await bot.http.post(f"/bot{bot.token}/sendMessage", json={"chat_id": ada.id, "text": "x"}, timeout=0.05)
    await ada.sees("x")
    assert await control.calls("sendMessage") == []

    await control.advance(30)
    calls = await until(lambda: control.calls("sendMessage"))
    assert (calls[0].status, calls[0].fault) == (200, "slow")


async def test_faults_are_used_up_in_order(ada: Person, bot: Bot, control: Control) -> None:
    """A fault hits as many calls of its method and chat as it was planned for, and no others."""
    eve = await control.person("Eve")
    await eve.starts()
    await control.fault("error", "sendMessage", times=2, chat_id=ada.id)

    statuses = [(await bot("sendMessage", chat_id=chat, text="x")).status for chat in (eve.id, ada.id, ada.id, ada.id)]

    assert statuses == [200, 500, 500, 200]
    assert (await bot("getMe")).status == 200


async def test_a_star_means_any_method(bot: Bot, control: Control) -> None:
    """A fault without a method hits the next call."""
    await control.fault("error")

    assert (await bot("getMe")).status == 500


async def test_faults_can_be_cleared(bot: Bot, control: Control) -> None:
    """Planned failures can be called off."""
    await control.fault("error", times=5)
    await control.clear_faults()

    assert (await bot("getMe")).status == 200


async def test_the_plan_of_faults_is_bounded(bot: Bot, control: Control) -> None:
    """No more than a thousand failures can wait."""
    for _ in range(1_000):
        await bot.http.post("/control/faults", json={"kind": "error", "method": "logOut"})

    with pytest.raises(Refused, match="more than 1000"):
        await control.fault("error")


async def test_an_unknown_fault_is_refused(control: Control) -> None:
    """A fault is one of five."""
    with pytest.raises(Refused):
        await control.fault("fire")


async def test_calls_are_recorded_as_they_went(ada: Person, bot: Bot, control: Control) -> None:
    """The record names method, parameters, status, what was said, and the fault."""
    await control.fault("reset", "sendMessage")
    with pytest.raises(httpx.ReadError):
        await bot("sendMessage", chat_id=ada.id, text="one")
    await bot("sendMessage", chat_id=ada.id, text="")
    await bot("sendMessage", chat_id=ada.id, text="two")

    calls = await control.calls("sendMessage", ada.id)

    assert [(call.params["text"], call.status, call.fault) for call in calls] == [
        ("one", None, "reset"),
        ("", 400, None),
        ("two", 200, None),
    ]
    assert calls[1].description == "Bad Request: message text is empty"

import asyncio

from holdfast.sandbox.client import Control, Person
from holdfast.sandbox.numbers import MESSAGES_SINCE, PER_SECOND, UPDATES_SINCE, beginning
from tests.sandbox.wire import Answer, Bot, polls, until

DAY = 24 * 3600


async def waiting(bot: Bot, **params: object) -> list[int]:
    return [update["update_id"] for update in (await bot("getUpdates", **params)).result]


async def polling(bot: Bot, control: Control) -> "asyncio.Task[Answer]":
    """Start a long poll, and return once the sandbox holds it."""
    task = asyncio.create_task(bot("getUpdates", timeout=50))
    await until(lambda: polls(control))
    return task


async def test_ids_grow_by_one(ada: Person, bot: Bot) -> None:
    """Updates come in the order in which they happened, numbered without a gap."""
    for text in ("one", "two", "three"):
        await ada.says(text)

    first, second, third = await waiting(bot)

    assert (second, third) == (first + 1, first + 2)


async def test_what_is_not_confirmed_comes_again(ada: Person, bot: Bot) -> None:
    """Reading without an offset confirms nothing."""
    await ada.says("one")

    assert await bot.texts() == ["one"]
    assert await bot.texts() == ["one"]


async def test_an_offset_forgets_what_is_below_it(ada: Person, bot: Bot) -> None:
    """A positive offset confirms everything below it, once and for all."""
    for text in ("one", "two", "three"):
        await ada.says(text)
    first, *_ = await waiting(bot)

    assert await bot.texts(offset=first + 2) == ["three"]
    assert await bot.texts(offset=first) == ["three"]


async def test_a_negative_offset_keeps_the_last(ada: Person, bot: Bot) -> None:
    """A negative offset forgets all but that many of the last updates."""
    for text in ("one", "two", "three"):
        await ada.says(text)

    assert await bot.texts(offset=-2) == ["two", "three"]
    assert await bot.texts() == ["two", "three"]


async def test_an_offset_far_in_the_future_confirms_nothing(ada: Person, bot: Bot) -> None:
    """An offset that no update can have reached is taken for a mistake."""
    await ada.says("one")

    assert await bot.texts(offset=(await waiting(bot))[0] + 1_000) == ["one"]


async def test_a_limit_is_kept(ada: Person, bot: Bot) -> None:
    """No more updates come than were asked for, and never more than a hundred."""
    for number in range(120):
        await ada.says(str(number))

    assert await bot.texts(limit=2) == ["0", "1"]
    assert len(await bot.texts(limit=1_000)) == 100
    assert len(await bot.texts()) == 100


async def test_a_long_poll_ends_with_the_next_input(ada: Person, bot: Bot, control: Control) -> None:
    """A poll that finds nothing waits for the next update."""
    poll = await polling(bot, control)
    await ada.says("here I am")

    [update] = (await poll).result
    assert update["message"]["text"] == "here I am"


async def test_a_poll_ends_empty(ada: Person, bot: Bot) -> None:
    """A poll during whose time nothing happens gives an empty list."""
    assert (await bot("getUpdates", timeout=1)).result == []


async def test_a_second_poller_ends_the_first(ada: Person, bot: Bot, control: Control) -> None:
    """Of two who poll at once the older hears of a conflict and the newer gets the updates."""
    older = await polling(bot, control)
    newer = asyncio.create_task(bot("getUpdates", timeout=50))
    conflict = await older
    await ada.says("for the newer")

    assert conflict.refusal == (
        409,
        "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
    )
    assert [update["message"]["text"] for update in (await newer).result] == ["for the newer"]


async def test_only_allowed_kinds_are_queued(ada: Person, bot: Bot, control: Control) -> None:
    """What allowed_updates leaves out is never queued, until another list is given."""
    await bot("getUpdates", allowed_updates=["message"])
    done = await ada.says("one")
    edited = await ada.edits(done, "two")

    assert edited.update_ids == (None,)
    assert len(await waiting(bot)) == 1
    await bot("getUpdates", allowed_updates=[])
    assert (await ada.edits(done, "three")).update_ids != (None,)


async def test_allowed_updates_come_as_text_too(ada: Person, bot: Bot) -> None:
    """A form carries the list of kinds as JSON in text."""
    await bot("getUpdates", allowed_updates='["edited_message"]')

    assert (await ada.says("one")).update_ids == (None,)


async def test_updates_wait_for_a_day(ada: Person, bot: Bot, control: Control) -> None:
    """A text is kept for 24 hours and then forgotten."""
    await ada.says("one")
    await control.advance(DAY - 1)
    assert await bot.texts() == ["one"]

    await control.advance(1)
    assert await bot.texts() == []


async def test_an_edit_does_not_change_what_waits(ada: Person, bot: Bot) -> None:
    """An update says what happened then; the edit is an update of its own about the same message."""
    done = await ada.says("tpyo")
    await ada.edits(done, "typo")

    first, second = (await bot("getUpdates")).result

    assert first["message"]["text"] == "tpyo"
    assert second["edited_message"]["text"] == "typo"
    assert second["edited_message"]["message_id"] == first["message"]["message_id"]
    assert "edit_date" in second["edited_message"]


def test_ids_are_not_used_again_after_a_restart() -> None:
    """A sandbox without a memory counts on from the time of day."""
    for since in (UPDATES_SINCE, MESSAGES_SINCE):
        assert beginning(1_800_000_010, since) == beginning(1_800_000_000, since) + 10 * PER_SECOND
        assert beginning(2_600_000_000, since) < 2**40


async def test_jumping_leaves_ids_out(ada: Person, bot: Bot, control: Control) -> None:
    """A test can make a gap in the update ids."""
    before = (await ada.says("one")).update_ids[0]
    await control.jump(40)
    after = (await ada.says("two")).update_ids[0]

    assert before is not None
    assert after == before + 41


async def test_an_update_can_come_twice(ada: Person, bot: Bot, control: Control) -> None:
    """A test can have a confirmed update delivered once more."""
    [number] = (await ada.says("one")).update_ids
    assert number is not None
    assert await bot.texts(offset=number + 1) == []

    await control.again(number)

    assert await bot.texts(offset=number + 1) == ["one"]
    assert await bot.texts(offset=number + 1) == []

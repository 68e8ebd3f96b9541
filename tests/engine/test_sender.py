import logging

import pytest
from msgspec.structs import replace

from holdfast.domain.errors import (
    Blocked,
    BrokenLog,
    LogUnavailable,
    TelegramError,
    TelegramRefused,
    TelegramUnreachable,
)
from holdfast.domain.ports import Delivery, Turn
from holdfast.domain.wording import WORDING
from holdfast.engine.reply import Reply
from tests.conformance.scribe import ADA, BEN, EMPTY, inbound, noted
from tests.engine.fakes import House, fails, few_steps, house, reply, soon


async def owed_replies(engine: House, count: int, person: int = ADA) -> list[Reply]:
    """Append inputs that owe replies, and give these."""
    head, replies = EMPTY, []
    for update in range(1, count + 1):
        given = inbound(update, f"Word {update}", person=person)
        minted = engine.event_log.mint(given, head, noted(given))
        turn = Turn(
            thread_id=given.thread_id,
            expected=head,
            minted=minted,
            rows=(),
            owes_reply=True,
            last_conversation_id=None,
        )
        head = (await engine.event_log.append(turn)).head
        replies.append(replace(reply(update, person), answers=minted.event.event_id))
    return replies


async def send(engine: House, *replies: Reply) -> list[Delivery]:
    for one in replies:
        await engine.sender.put(one)
    await engine.sender.settle()
    return engine.log.recorded


async def test_replies_of_a_thread_are_sent_in_order() -> None:
    """Each reply is sent, and its fate recorded, before the next of its thread is begun."""
    async with house() as engine:
        recorded = await send(engine, *await owed_replies(engine, 5))

        assert engine.messages.texts() == [f"reply {number}" for number in range(1, 6)]
        assert [one.message_ids for one in recorded] == [(101,), (102,), (103,), (104,), (105,)]
        assert [one.outcome for one in recorded] == ["sent"] * 5
        assert engine.messages.most_at_once == 1
        assert await engine.debts() == []


async def test_what_was_sent_since_it_was_found_owed_is_not_sent_again() -> None:
    """A reply that the log owed when it was read, and that its turn has sent since, is shown once."""
    async with house() as engine:
        [owed] = await owed_replies(engine, 1)
        await send(engine, owed)

        assert engine.sender.take_up(owed)
        await engine.sender.settle()

        assert engine.messages.texts() == ["reply 1"]
        assert len(engine.log.recorded) == 1


async def test_a_delivery_tells_what_was_shown() -> None:
    """The record of a reply has its screens, message ids, attempts and time."""
    async with house() as engine:
        [owed] = await owed_replies(engine, 1)
        [recorded] = await send(engine, replace(owed, screens=owed.screens * 2))

        assert recorded == Delivery(
            thread_id=owed.thread_id,
            answers=owed.answers,
            screens=owed.screens * 2,
            message_ids=(101, 102),
            outcome="sent",
            attempts=1,
            at=engine.clock.now(),
        )


async def test_a_reply_is_tried_until_telegram_is_reached() -> None:
    """An unreachable Telegram is asked again after growing pauses, and the attempts are counted."""
    async with house() as engine:
        replies = await owed_replies(engine, 2)
        engine.messages.faults = [TelegramUnreachable()] * 10
        recorded = await send(engine, *replies)

        assert engine.clock.slept == [0.25, 0.5, 1, 2, 4, 8, 16, 30, 30, 30]
        assert [one.attempts for one in recorded] == [11, 1]
        assert engine.messages.texts() == ["reply 1", "reply 2"]


async def test_telegrams_own_pause_is_kept() -> None:
    """When Telegram asks for a pause, the next attempt comes not before it is over."""
    async with house() as engine:
        replies = await owed_replies(engine, 1)
        engine.messages.faults = [TelegramUnreachable(retry_after=17), TelegramUnreachable(retry_after=0.1)]
        [recorded] = await send(engine, *replies)

        assert engine.clock.slept == [17, 0.5]
        assert (recorded.outcome, recorded.attempts) == ("sent", 3)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (Blocked("403"), "blocked"),
        (TelegramRefused("400"), "failed"),
        (TelegramError("something else"), "failed"),
        (RuntimeError("a bug in the messenger"), "failed"),
    ],
)
async def test_a_refused_reply_is_recorded_and_not_tried_again(error: Exception, outcome: str) -> None:
    """A reply that Telegram will never take meets its fate at once, and those behind it are sent."""
    async with house() as engine:
        replies = await owed_replies(engine, 3)
        engine.messages.faults = [error]
        recorded = await send(engine, *replies)

        assert [(one.outcome, one.attempts) for one in recorded] == [(outcome, 1), ("sent", 1), ("sent", 1)]
        assert recorded[0].message_ids == ()
        assert engine.clock.slept == []
        assert engine.messages.texts() == ["reply 2", "reply 3"]
        assert await engine.debts() == []


async def test_an_unforeseen_error_is_named_without_its_words(caplog: pytest.LogCaptureFixture) -> None:
    """The operator reads the type and the place of a failure, never its message."""
    async with house() as engine:
        replies = await owed_replies(engine, 1)
        engine.messages.faults = [RuntimeError("Ada's own words")]
        await send(engine, *replies)

    assert "RuntimeError" in caplog.text
    assert "Ada's own words" not in caplog.text


async def test_a_reply_in_parts_goes_on_where_it_stopped() -> None:
    """When one of several screens was not shown, it and those behind it are tried again, and none is shown twice."""
    async with house() as engine:
        [owed] = await owed_replies(engine, 1)
        engine.messages.fails_after = 1
        engine.messages.faults = [TelegramUnreachable()]
        [recorded] = await send(engine, replace(owed, screens=reply(1, ADA, "one", "two").screens))

        assert engine.messages.texts() == ["one", "two"]
        assert (recorded.message_ids, recorded.attempts) == ((101, 102), 2)


async def test_a_long_screen_is_sent_and_recorded_in_its_parts() -> None:
    """What the edge divides goes out part by part, and the delivery has each part with its message."""
    async with house() as engine:
        [owed] = await owed_replies(engine, 1)
        halves = reply(1, ADA, "first half", "second half").screens
        engine.messages.divided = {"reply 1": halves}
        [recorded] = await send(engine, owed)

        assert engine.messages.texts() == ["first half", "second half"]
        assert (recorded.screens, recorded.message_ids) == (halves, (101, 102))


async def test_a_tap_is_acknowledged_once() -> None:
    """However often a reply is tried, the tap it answers is acknowledged the first time alone."""
    async with house() as engine:
        [owed] = await owed_replies(engine, 1)
        engine.messages.faults = [TelegramUnreachable(), TelegramUnreachable()]
        await send(engine, replace(owed, callback_id="9"))

        assert engine.messages.acknowledged == ["9"]


async def test_one_chat_holds_up_no_other() -> None:
    """Replies of other threads are sent while one thread's reply is stuck or waits for Telegram."""
    async with house() as engine:
        adas, bens = await owed_replies(engine, 2, ADA), await owed_replies(engine, 2, BEN)
        gate = engine.messages.hold(ADA)
        for one in (*adas, *bens):
            await engine.sender.put(one)
        await soon(lambda: len(engine.messages.texts(BEN)) == len(bens))
        before = engine.messages.texts(ADA)
        gate.set()
        await engine.sender.settle()

        assert before == []
        assert engine.messages.texts(BEN) == ["reply 1", "reply 2"]
        assert engine.messages.texts(ADA) == ["reply 1", "reply 2"]


async def test_so_many_chats_are_served_at_once() -> None:
    """No more messages are under way than the sender was told, and no fewer when there is work."""
    async with house(at_once=3) as engine:
        replies = [one for person in range(1, 21) for one in await owed_replies(engine, 2, person)]
        engine.messages.most_at_once = 0
        await send(engine, *replies)

        assert engine.messages.most_at_once == 3
        assert len(engine.messages.shown) == 40


async def test_a_pause_takes_no_place() -> None:
    """A reply that waits for Telegram leaves its place to the others."""
    async with house(at_once=1) as engine:
        [adas], [bens] = await owed_replies(engine, 1, ADA), await owed_replies(engine, 1, BEN)
        engine.messages.faults_of[ADA] = TelegramUnreachable()
        await engine.sender.put(adas)
        await engine.sender.put(bens)
        await few_steps(40)
        bens_texts = engine.messages.texts(BEN)
        engine.messages.faults_of.clear()
        await engine.sender.settle()

        assert bens_texts == ["reply 1"]
        assert engine.messages.texts(ADA) == ["reply 1"]


async def test_nobody_waits_for_room() -> None:
    """The sender holds no more replies than it was told: what is too much is left to the log, and sent later."""
    async with house(waiting=3) as engine, engine.taking_up():
        replies = await owed_replies(engine, 3)
        replies += await owed_replies(engine, 2, BEN)
        gate = engine.messages.hold(ADA)
        for one in replies:
            await engine.sender.put(one)
        held = [engine.sender.has(one.answers) for one in replies]
        gate.set()
        await soon(lambda: len(engine.log.recorded) == 5)

        assert held == [True, True, True, False, False]
        assert engine.messages.texts(BEN) == [WORDING["noted.talk"]] * 2
        assert await engine.debts() == []


async def test_nothing_overtakes_what_was_left() -> None:
    """A reply of a thread that was left to the log waits there too: the thread's replies go out in their order."""
    async with house(waiting=1) as engine:
        replies = [*await owed_replies(engine, 1), *await owed_replies(engine, 3, BEN)]
        gate = engine.messages.hold(ADA)
        for one in replies[:2]:
            await engine.sender.put(one)
        gate.set()
        await engine.sender.settle()
        await engine.sender.put(replies[2])
        before = engine.messages.texts(BEN)
        async with engine.taking_up():
            await soon(lambda: len(engine.log.recorded) == 4)

        assert before == []
        assert [one.answers for one in engine.log.recorded] == [one.answers for one in replies]


async def test_what_nobody_waits_for_leaves_room_to_the_others() -> None:
    """Replies to timers take a few places; beyond these only replies to people are taken at once."""
    async with house(at_once=1, waiting=10) as engine:
        [first, second, third, fourth] = [
            one for person in range(1, 5) for one in await owed_replies(engine, 1, person)
        ]
        engine.messages.hold(1)
        for one in (first, second, third):
            await engine.sender.put(replace(one, awaited=False))
        await engine.sender.put(fourth)

        assert [engine.sender.has(one.answers) for one in (first, second, third, fourth)] == [True, True, False, True]


async def test_a_reply_is_held_once() -> None:
    """A reply that is brought again while it is under way is sent once, and is not under way any more after."""
    async with house() as engine:
        [owed] = await owed_replies(engine, 1)
        await engine.sender.put(owed)
        await engine.sender.put(owed)
        held = engine.sender.has(owed.answers)
        await engine.sender.settle()

        assert (held, engine.sender.has(owed.answers)) == (True, False)
        assert engine.messages.texts() == ["reply 1"]


async def test_a_delivery_is_recorded_as_soon_as_it_can_be() -> None:
    """While nothing can be stored, the record of a sent reply is tried again, and the reply is not sent again."""
    async with house() as engine:
        replies = await owed_replies(engine, 2)
        engine.log.before_record = fails(LogUnavailable("full"), LogUnavailable("full"))
        recorded = await send(engine, *replies)

        assert engine.clock.slept == [0.25, 0.5]
        assert engine.messages.texts() == ["reply 1", "reply 2"]
        assert [one.outcome for one in recorded] == ["sent", "sent"]


async def test_a_delivery_that_can_never_be_recorded_holds_up_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """When the record of a reply is refused for good, the operator is told, and the next reply is sent."""
    async with house() as engine:
        replies = await owed_replies(engine, 2)
        engine.log.before_record = fails(BrokenLog("no such event"))
        recorded = await send(engine, *replies)

        assert engine.messages.texts() == ["reply 1", "reply 2"]
        assert [one.answers for one in recorded] == [replies[1].answers]
        assert "BrokenLog" in caplog.text


async def test_closing_leaves_the_rest_owed() -> None:
    """What was not sent when the sender closes is not under way any more, and the log still owes it."""
    async with house() as engine:
        replies = await owed_replies(engine, 3)
        engine.messages.hold()
        for one in replies:
            await engine.sender.put(one)
        await few_steps()

        await engine.sender.close(0)

        assert [engine.sender.has(one.answers) for one in replies] == [False] * 3
        assert await engine.debts() == [one.answers for one in replies]
        assert engine.messages.shown == []


async def test_closing_lets_what_is_under_way_finish() -> None:
    """Replies that can be sent in the time given are sent and recorded before the sender is closed."""
    async with house() as engine:
        for one in await owed_replies(engine, 3):
            await engine.sender.put(one)

        await engine.sender.close(60)

        assert len(engine.log.recorded) == 3
        assert await engine.debts() == []


async def test_closing_an_idle_sender_is_nothing() -> None:
    """A sender with nothing to send closes and settles at once."""
    async with house() as engine:
        await engine.sender.settle()
        await engine.sender.close(60)

        assert engine.clock.slept == []


async def test_nothing_personal_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """What a person was told does not stand in the operator's log, sent or not."""
    async with house() as engine:
        replies = await owed_replies(engine, 2)
        engine.messages.faults = [TelegramRefused("sendMessage: 400 Bad Request"), TelegramUnreachable("down")]
        with caplog.at_level(logging.DEBUG):
            await send(engine, *replies)

    assert "400 Bad Request" in caplog.text
    assert "reply 1" not in caplog.text
    assert "Word 1" not in caplog.text

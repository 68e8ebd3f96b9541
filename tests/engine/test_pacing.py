import asyncio
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.engine.pacing import CHAT, GROUP, OVERALL, Pacing, Rate
from tests.engine.virtual import VirtualClock, run

CROWD = -100
_TICK, _NEARLY = 1e-5, 0.01


def passed(pacing: Pacing, clock: VirtualClock, chats: list[int]) -> list[tuple[float, int]]:
    """Let each chat's messages pass one after the other, all chats at once; give when each passed, in its order."""
    times: list[tuple[float, int]] = []

    async def talk(chat: int, messages: int) -> None:
        for _ in range(messages):
            await pacing.turn(chat)
            times.append((clock.seconds, chat))

    async def all_at_once() -> None:
        await asyncio.gather(*(talk(chat, messages) for chat, messages in Counter(chats).items()))

    run(clock, all_at_once())
    return times


def test_one_chat_has_a_short_burst_and_then_one_a_second() -> None:
    """The first messages to a chat pass at once, the next a second apart, and after a rest there is a burst again."""
    clock = VirtualClock()
    pacing = Pacing(clock)
    first = [at for at, _ in passed(pacing, clock, [1] * 6)]
    clock.advance(10)
    again = [at - clock.started for at, _ in passed(pacing, clock, [1] * 4)]

    assert first == [0, 0, 0, 1, 2, 3]
    assert [round(at - again[0], 6) for at in again] == [0, 0, 0, 1]


def test_a_group_has_twenty_a_minute() -> None:
    """In a group, which has a negative number, messages behind the burst pass three seconds apart."""
    clock = VirtualClock()

    assert [round(at, 6) for at, _ in passed(Pacing(clock), clock, [CROWD] * 5)] == [0, 0, 0, 3, 6]


def test_all_chats_together_have_thirty_a_second() -> None:
    """Many chats at once pass in a burst and then thirty a second, each in the order they came."""
    clock = VirtualClock()
    times = passed(Pacing(clock), clock, list(range(1, 126)))

    assert [chat for _, chat in times] == list(range(1, 126))
    assert times[OVERALL.burst - 1][0] == 0
    assert round(times[-1][0] * OVERALL.per_second) == 125 - OVERALL.burst


def test_several_workers_share_the_pace() -> None:
    """Each of three workers sends a third of what one alone may, and all of it when it is alone again."""
    last = []
    for workers in ((3,), (3, 1)):
        clock = VirtualClock()
        pacing = Pacing(clock)
        for count in workers:
            pacing.share(count)
        last.append(passed(pacing, clock, list(range(1, 24)))[-1][0])

    assert last == [pytest.approx(20 / 10, abs=_TICK * 30), pytest.approx(13 / 30, abs=_TICK * 30)]


def test_one_who_gets_much_holds_up_nobody() -> None:
    """A chat with a hundred messages waits by itself: another one's message passes at once."""
    clock = VirtualClock()
    times = passed(Pacing(clock), clock, [1] * 100 + [2])

    assert [at for at, chat in times if chat == 2] == [0]


@given(st.lists(st.integers(1, 40), min_size=1, max_size=300))
def test_no_window_has_more_than_telegram_takes(chats: list[int]) -> None:
    """Whatever is sent to whom, no time has more messages than burst and rate allow, and all of them pass."""
    clock = VirtualClock()
    times = passed(Pacing(clock), clock, chats)

    assert Counter(chat for _, chat in times) == Counter(chats)
    assert fullest([at for at, _ in times], OVERALL) <= OVERALL.burst + _NEARLY
    for chat in set(chats):
        assert fullest([at for at, one in times if one == chat], CHAT) <= CHAT.burst + _NEARLY


def fullest(times: list[float], rate: Rate) -> float:
    """Say how full a bucket got that leaks at this rate."""
    level, most, before = 0.0, 0.0, 0.0
    for at in times:
        level = max(level - (at - before) * rate.per_second, 0.0) + 1
        most, before = max(most, level), at
    return most


def test_several_chats_told_to_wait_pause_the_whole_bot() -> None:
    """One chat that is told to wait stops no other; three within a second stop all for so long, also who waits."""
    clock = VirtualClock()
    pacing = Pacing(clock)
    pacing.refused(1, 20)
    pacing.refused(2, 20)
    before = passed(pacing, clock, [3])
    pacing.refused(3, 20)
    after = [at for at, _ in passed(pacing, clock, [4, 5, 6])]

    assert [at for at, _ in before] == [0]
    assert after[0] == 20
    assert [late - early for early, late in pairwise(after)] == pytest.approx([1 / 30] * 2, abs=_TICK)


def test_refusals_far_apart_pause_nobody() -> None:
    """Three chats that were told to wait, each some seconds after the other, are no sign that all must wait."""
    clock = VirtualClock()
    pacing = Pacing(clock)
    for chat in (1, 2, 3):
        pacing.refused(chat, 20)
        clock.advance(2)

    assert [at - 6 for at, _ in passed(pacing, clock, [4])] == [0]


def test_a_chat_is_forgotten_when_it_may_have_a_burst_again() -> None:
    """However many chats are written to, only those of the last seconds are known."""
    clock = VirtualClock()
    pacing = Pacing(clock)
    passed(pacing, clock, [*range(1, 3000), *[-chat for chat in range(1, 30)]])
    passed(pacing, clock, [5])
    soon = pacing.chats
    clock.advance(10)
    passed(pacing, clock, [6])

    assert (soon <= 1 + 1 / GROUP.per_second * OVERALL.per_second, pacing.chats) == (True, 1)


def test_a_clock_that_is_set_back_makes_nobody_wait() -> None:
    """Time that runs backwards counts as no time: the wait is as long as if the clock had stood."""
    clock = VirtualClock()
    pacing = Pacing(clock)
    passed(pacing, clock, [1] * 3)
    clock.set_back(3600)
    [at] = [at for at, _ in passed(pacing, clock, [1])]

    assert round(at + 3600, 6) == 1

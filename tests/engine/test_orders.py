import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain.errors import LogUnavailable
from holdfast.domain.inbound import update_order
from holdfast.engine.orders import Orders
from tests.conformance.clocks import NOON
from tests.engine.fakes import House, house

DAY = 24 * 3600 * 1_000_000
WEEK = 7 * DAY


def orders(engine: House, epoch: int = 0, last_ots: int = -1, last_at: int = 0) -> Orders:
    return Orders(engine.log, epoch, last_ots, last_at)


async def test_the_order_is_the_updates_number() -> None:
    """In the first epoch an update's order is its number, also when an earlier one comes late."""
    async with house() as engine:
        placing = orders(engine)

        assert [await placing.of(update, NOON + update) for update in (5, 9, 7)] == [5, 9, 7]
        assert engine.log.facts == {}


async def test_a_lower_number_after_seven_silent_days_opens_an_epoch() -> None:
    """When Telegram counts anew after a long silence, what follows is placed behind all that was."""
    async with house() as engine:
        placing = orders(engine)
        before = await placing.of(900, NOON)
        after = [await placing.of(update, NOON + WEEK + update) for update in (3, 4)]

        assert before < after[0] < after[1]
        assert after == [update_order(1, 3), update_order(1, 4)]
        assert engine.log.facts == {"update_epoch": "1"}


async def test_an_update_that_came_late_is_not_the_last_number() -> None:
    """Whether Telegram counts anew is judged by the greatest number so far, not by the one that came last."""
    async with house() as engine:
        placing = orders(engine)
        for update in (900, 5):
            await placing.of(update, NOON)

        assert await placing.of(7, NOON + 2 * WEEK) == update_order(1, 7)


@pytest.mark.parametrize(
    ("update", "silence"),
    [(3, WEEK), (3, WEEK - 1), (3, DAY), (3, -DAY), (900, 2 * WEEK), (901, 2 * WEEK)],
)
async def test_nothing_else_opens_an_epoch(update: int, silence: int) -> None:
    """A lower number within seven days, and a number that is not lower after any silence, stay in the epoch."""
    async with house() as engine:
        placing = orders(engine)
        await placing.of(900, NOON)

        assert await placing.of(update, NOON + silence) == update
        assert engine.log.facts == {}


async def test_what_the_log_knows_counts() -> None:
    """After a restart the last order and its time come from the log, with the epoch it was in."""
    async with house() as engine:
        going_on = orders(engine, 2, update_order(2, 900), NOON)
        anew = orders(engine, 2, update_order(2, 900), NOON)

        assert await going_on.of(901, NOON + DAY) == update_order(2, 901)
        assert await anew.of(1, NOON + 2 * WEEK) == update_order(3, 1)
        assert engine.log.facts == {"update_epoch": "3"}


async def test_the_first_update_ever_opens_no_epoch() -> None:
    """In an empty log there is nothing that a number could fall below."""
    async with house() as engine:
        assert await orders(engine).of(1, NOON) == 1
        assert engine.log.facts == {}


async def test_an_epoch_that_cannot_be_remembered_is_not_used() -> None:
    """When the log cannot keep the new epoch, the update is not placed in it, and can come again."""
    async with house() as engine:
        placing = orders(engine, 0, 900, NOON)
        await engine.event_log.close()
        with pytest.raises(LogUnavailable):
            await placing.of(3, NOON + 2 * WEEK)

        assert engine.log.facts == {"update_epoch": "1"}


@given(st.lists(st.tuples(st.integers(1, 1 << 31), st.integers(0, 2 * WEEK)), max_size=20))
async def test_an_epoch_never_ends_early(updates: list[tuple[int, int]]) -> None:
    """Whatever comes, an epoch only follows a silence of seven days, and orders keep the number in them."""
    async with house() as engine:
        placing, now, epoch = orders(engine), NOON, 0
        for update, pause in updates:
            now += pause
            order = await placing.of(update, now)
            assert order & ((1 << 40) - 1) == update
            assert order >> 40 in {epoch, epoch + (pause > WEEK)}
            epoch = order >> 40

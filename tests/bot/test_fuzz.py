import json
import os
from pathlib import Path
from random import SystemRandom

import pytest

from holdfast.domain.ids import as_token, thread_of
from holdfast.infrastructure.log.journal import SqliteJournal
from holdfast.infrastructure.log.memory import MemoryJournal
from holdfast.infrastructure.log.stores import JournalStore
from tests.bot.fuzz import Made
from tests.bot.world import BOT, World
from tests.conformance.clocks import NOON, Dice, StandingClock

SEED = os.environ.get("HOLDFAST_SEED")
MANY = int(os.environ.get("HOLDFAST_FUZZ", "100000"))
ONE_LIFE = 2000
"""Updates one bot gets before it is looked at; each life has the next seed."""


async def faults_of(journal: JournalStore, seed: int, inputs: int) -> list[str]:
    world = World(journal, seed)
    await world.open()
    try:
        await world.live(inputs)
        return await world.faults()
    except BaseException:
        print(f"HOLDFAST_SEED={seed}")  # noqa: T201 - pytest shows it beside a failure
        raise
    finally:
        await world.close()


async def test_whatever_comes_is_kept_and_answered() -> None:
    """Two thousand updates of every kind, whole and broken, become one event each or stand raw in quarantine."""
    seed = int(SEED or 1)
    assert await faults_of(MemoryJournal(), seed, ONE_LIFE) == [], f"HOLDFAST_SEED={seed}"


async def test_a_file_keeps_whatever_comes(tmp_path: Path) -> None:
    """The same holds over a journal whose columns cannot hold every value."""
    seed = int(SEED or 2)
    journal = SqliteJournal(tmp_path / "journal.db", StandingClock(), Dice(seed))
    assert await faults_of(journal, seed, ONE_LIFE // 2) == [], f"HOLDFAST_SEED={seed}"


def text(number: int, person: int, words: str = "/library") -> Made:
    chat = {"id": person, "type": "private"}
    message = {
        "message_id": number,
        "date": NOON // 1_000_000,
        "chat": chat,
        "from": {"id": person, "first_name": "A"},
        "text": words,
    }
    return Made(json.dumps({"update_id": number, "message": message}).encode(), sound=True)


async def test_a_new_numbering_begins_once_for_many_people() -> None:
    """When many people write at once after a silent week, one epoch begins, and copies are still known as such."""
    world = World(MemoryJournal(), 1)
    await world.open()
    await world.take([text(5000, 1)])
    world.clock.turn(8 * 24 * 3600)
    await world.take([text(number, person) for person in (1, 2, 3) for number in (10 * person, 10 * person)])
    epochs = [event.ots >> 40 for thread in (await world.events()).values() for event in thread]
    assert sorted(epochs) == [0, 1, 1, 1]
    assert await world.faults() == []
    await world.close()


async def test_two_unreadable_updates_of_one_number_both_stand_raw() -> None:
    """A number that comes again with other bytes takes nobody's place in quarantine."""
    world = World(MemoryJournal(), 1)
    await world.open()
    raws = [b'{"update_id": 3, "message": 1}', b'{"update_id": 3, "message": 2}']
    await world.take([Made(raw, sound=False) for raw in (*raws, *raws)])
    assert [one.raw for one in await world.log.set_aside()] == raws
    await world.close()


async def test_another_person_s_buttons_do_nothing_to_them() -> None:
    """Whoever taps all of somebody's buttons reads none of their words and changes none of their rows."""
    journal = MemoryJournal()
    world = World(journal, 1)
    await world.open()
    told = ("/addmachine", "Press ~P1~", *("/skip",) * 6, "/library", "/addmachine", "Lathe ~P1~")
    await world.take([text(number, 1, words) for number, words in enumerate(told, 1)])
    rows = await journal.rows("conversation_states")
    buttons = {data for _, _, data in world.maker.seen}
    await world.take([_tap(100 + number, 2, data) for number, data in enumerate(sorted(buttons))])
    assert len(buttons) > 10
    assert [row for row in await journal.rows("conversation_states") if row.key[0] == 1] == rows
    assert await world.faults() == []
    await world.close()


async def test_a_long_history_still_fits_into_a_message() -> None:
    """A machine that was changed hundreds of times has a history that can be shown, its latest line last."""
    world = World(MemoryJournal(), 1)
    await world.open()
    await world.take(
        [text(number, 1, words) for number, words in enumerate(("/addmachine", "Press", *("/skip",) * 6), 1)]
    )
    await world.take([_tap(20, 1, _button(world, ":ok"))])
    machine = as_token((await world.log.history(thread_of("telegram", BOT, 1)))[0].conversation_id or b"")
    for number in range(100, 2100, 10):
        await world.take([_tap(number, 1, f"me:{machine}:1"), text(number + 1, 1, f"Maker {number}")])
        await world.take([_tap(number + 2, 1, _button(world, ":ok"))])
    await world.take([_tap(5000, 1, f"mh:{machine}")])
    told = world.screens.shown[-1][1].text
    assert told.count("changed") > 20
    assert told.endswith("changed")
    assert await world.faults() == []
    await world.close()


def _button(world: World, end: str) -> str:
    return next(data for _, _, data in reversed(world.maker.seen) if data.endswith(end))


def _tap(number: int, person: int, data: str) -> Made:
    message = {"message_id": 7, "date": 0, "chat": {"id": person, "type": "private"}}
    tap = {"id": str(number), "from": {"id": person, "first_name": "B"}, "message": message, "data": data}
    return Made(json.dumps({"update_id": number, "callback_query": tap}).encode(), sound=True)


@pytest.mark.torture
async def test_a_flood_of_anything_is_kept_and_answered() -> None:
    """A hundred thousand updates, or HOLDFAST_FUZZ of them, over many lives of the bot, change none of this."""
    first = int(SEED) if SEED else SystemRandom().randrange(10**6)
    for seed in range(first, first + -(-MANY // ONE_LIFE)):
        assert await faults_of(MemoryJournal(), seed, ONE_LIFE) == [], f"HOLDFAST_SEED={seed} HOLDFAST_FUZZ={ONE_LIFE}"

import asyncio
import logging
import re
from collections.abc import Sequence
from hashlib import sha256

import pytest
from msgspec.structs import replace

from holdfast.domain.errors import LogUnavailable, TelegramRefused, TelegramUnreachable
from holdfast.domain.ids import as_text
from holdfast.domain.inbound import Inbound
from holdfast.domain.kinds import Kind
from holdfast.domain.wording import WORDING
from holdfast.engine.photos import MOST_BYTES, Photos
from holdfast.engine.work import OutsideWork
from holdfast.infrastructure.log.memory import MemoryJournal
from holdfast.infrastructure.log.stores import AppendWrite, Outcome, Write
from tests.conformance.scribe import ADA, BEN, inbound, thread
from tests.engine.fakes import House, few_steps, house, said_as

BYTES = b"a picture of a nameplate"


class Shelf:
    """Where photos are fetched from; it fails as it is told."""

    def __init__(self) -> None:
        self.fetched: list[str] = []
        self.faults: list[Exception] = []

    async def fetch(self, file_id: str) -> bytes:
        self.fetched.append(file_id)
        if self.faults:
            raise self.faults.pop(0)
        return BYTES + file_id.encode()


def photo(update: int, *, person: int = ADA, **more: object) -> Inbound:
    fields: dict[str, object] = {"type": "photo", "text": "", "file_id": f"file-{update}", "file_size": 24, **more}
    return said_as(inbound(update, "", person=person), **fields)


def keeper_of(engine: House, shelf: Shelf) -> OutsideWork:
    return OutsideWork(
        [Photos(engine.log, engine.turns, shelf, engine.event_log.leases, engine.clock)], engine.log, engine.clock, {}
    )


async def keep(keeper: OutsideWork) -> None:
    """Let all be done that is due at this moment."""
    while await keeper.look():
        await keeper.settle()


def digest(file_id: str) -> bytes:
    return sha256(BYTES + file_id.encode()).digest()


async def stored(engine: House, person: int = ADA) -> list[tuple[str, str, str]]:
    """What photo.stored tells: the event it is about, its rule, its digest."""
    return [
        (event.facts.subject, event.facts.rule, event.words.value if event.words else "")
        for event in await engine.history(person)
        if event.kind == Kind.PHOTO_STORED
    ]


async def test_a_photos_bytes_are_kept_under_their_digest() -> None:
    """The bytes are there under their SHA-256, one photo.stored names it, and nobody is told."""
    journal, shelf = MemoryJournal(), Shelf()
    async with house(journal) as engine:
        await engine.hear(photo(1))
        await keep(keeper_of(engine, shelf))
        await engine.sender.settle()
        [sent, _] = await engine.history()

        assert await journal.blob(thread(), digest("file-1")) == b"\0" + BYTES + b"file-1"
        assert await stored(engine) == [(as_text(sent.event_id), "", digest("file-1").hex())]
        assert await engine.log.photos_wanted() == []
        assert len(engine.messages.shown) == 1
        assert await engine.debts() == []


async def test_a_photo_is_fetched_once() -> None:
    """What is kept is not wanted any more."""
    shelf = Shelf()
    async with house() as engine:
        await engine.hear(photo(1), photo(2))
        keeper = keeper_of(engine, shelf)
        await keep(keeper)
        await keep(keeper)

        assert sorted(shelf.fetched) == ["file-1", "file-2"]
        assert len(await stored(engine)) == 2


async def test_a_photo_in_a_conversation_is_kept_in_its_history() -> None:
    """The event that tells of the bytes belongs to the photo's conversation, and does not move it on."""
    async with house() as engine:
        await engine.say("/addmachine")
        await engine.hear(photo(2))
        await keep(keeper_of(engine, Shelf()))
        await engine.say("Press 4", update=3)

        history = await engine.history()
        assert [event.kind for event in history] == [Kind.STARTED, Kind.PHOTO_ADDED, Kind.PHOTO_STORED, Kind.ANSWERED]
        assert len({event.conversation_id for event in history}) == 1
        assert [event.version for event in history] == [1, 2, 3, 4]


async def test_a_photo_exchanged_in_its_message_is_kept_too() -> None:
    """A picture that takes another's place by an edit is one whose bytes are wanted."""
    shelf = Shelf()
    async with house() as engine:
        await engine.say("/addmachine")
        await engine.hear(photo(2))
        other = said_as(photo(3), type="edit", message_id=photo(2).said.message_id, file_id="file-other")
        await engine.hear(other)
        await keep(keeper_of(engine, shelf))

        assert sorted(shelf.fetched) == ["file-2", "file-other"]


async def test_a_kill_between_bytes_and_event_repeats_harmlessly() -> None:
    """When the bytes were written and the event was not, the next process keeps them once and tells once."""
    journal, shelf = MemoryJournal(), Shelf()
    async with house(journal) as before:
        await before.hear(photo(1))
        await before.event_log.keep(thread(), digest("file-1"), BYTES + b"file-1")
    async with house(journal, seed=2) as after:
        await keep(keeper_of(after, shelf))
        await keep(keeper_of(after, shelf))

        assert shelf.fetched == ["file-1"]
        assert await journal.blob(thread(), digest("file-1")) == b"\0" + BYTES + b"file-1"
        assert len(await stored(after)) == 1


async def test_two_workers_that_keep_a_photo_tell_it_once() -> None:
    """Whoever is second finds the event there."""
    journal = MemoryJournal()
    async with house(journal) as one, house(journal, seed=2) as other:
        await one.hear(photo(1))
        shelves = Shelf(), Shelf()
        await asyncio.gather(keep(keeper_of(one, shelves[0])), keep(keeper_of(other, shelves[1])))

        assert [shelf.fetched for shelf in shelves] == [["file-1"], ["file-1"]]
        assert len(await stored(other)) == 1


async def test_a_photo_that_is_too_large_is_told() -> None:
    """More than 20 MB are not even asked for; the person hears of it with the question that stands."""
    shelf = Shelf()
    async with house() as engine:
        await engine.say("/addmachine")
        await engine.hear(photo(2, file_size=MOST_BYTES + 1))
        await keep(keeper_of(engine, shelf))
        await engine.sender.settle()

        assert shelf.fetched == []
        assert [rule for _, rule, _ in await stored(engine)] == ["photo_too_large"]
        assert engine.messages.texts()[-1].startswith(WORDING["rule.photo_too_large"])
        assert WORDING["machine.nickname"] in engine.messages.texts()[-1]
        assert await engine.debts() == []


async def test_a_photo_refused_three_times_is_told() -> None:
    """Telegram's refusal is tried again twice; then the person is asked to send the photo again."""
    shelf = Shelf()
    shelf.faults = [TelegramRefused("wrong file_id")] * 3
    async with house() as engine:
        await engine.hear(photo(1))
        keeper = keeper_of(engine, shelf)
        for seconds in (2, 16):
            await keep(keeper)
            engine.clock.turn(seconds - 0.1)
            await keep(keeper)
            engine.clock.turn(0.1)
        waiting = len(await engine.log.photos_wanted())
        await keep(keeper)
        await keep(keeper)
        await engine.sender.settle()

        assert (waiting, len(shelf.fetched)) == (1, 3)
        assert [rule for _, rule, _ in await stored(engine)] == ["photo_gone"]
        assert engine.messages.texts()[-1].startswith(WORDING["rule.photo_gone"])


async def test_a_refused_photo_does_not_hold_up_the_others() -> None:
    """While one photo is refused, the next is kept."""
    shelf = Shelf()
    shelf.faults = [TelegramRefused("wrong file_id")]
    async with house() as engine:
        await engine.hear(photo(1), photo(1, person=BEN))
        await keep(keeper_of(engine, shelf))

        assert len(await stored(engine)) + len(await stored(engine, BEN)) == 1


@pytest.mark.parametrize("fault", [TelegramUnreachable("no route"), LogUnavailable("the disk is full")])
async def test_an_unreachable_telegram_makes_photos_wait(fault: Exception, caplog: pytest.LogCaptureFixture) -> None:
    """All photos pause, longer each time, and then they are kept; nobody but the operator is told."""
    shelf = Shelf()
    shelf.faults = [fault] * 3
    async with house() as engine:
        await engine.hear(photo(1))
        with caplog.at_level(logging.INFO):
            task = asyncio.create_task(keeper_of(engine, shelf).run())
            while not await stored(engine):
                await few_steps(1)
            task.cancel()
        await asyncio.gather(task, return_exceptions=True)

        assert re.findall(r"photo work waits for (\d+) s", caplog.text) == ["1", "2", "4"]
        assert engine.log.facts == {}
        assert len(await stored(engine)) == 1
        assert len(engine.messages.shown) == 1


class FullOnce(MemoryJournal):
    """A journal that has no room for one turn."""

    refuses = False

    async def commit(self, batch: Sequence[Write]) -> Sequence[Outcome]:
        if self.refuses and any(isinstance(write, AppendWrite) for write in batch):
            self.refuses = False
            raise LogUnavailable("full")
        return await super().commit(batch)


async def test_a_full_disk_after_the_bytes_leaves_the_photo_wanted() -> None:
    """When the event can't be stored, the photo stays wanted, and the next look completes it."""
    journal = FullOnce()
    async with house(journal) as engine:
        await engine.hear(photo(1))
        keeper = keeper_of(engine, Shelf())
        journal.refuses = True
        await keep(keeper)
        wanted = len(await engine.log.photos_wanted())
        engine.clock.turn(1)
        await keep(keeper)

        assert wanted == 1
        assert len(await stored(engine)) == 1


async def test_a_fact_from_outside_keeps_the_order_of_replies() -> None:
    """What is told of a photo comes behind the replies that were owed before it, and before those after."""
    async with house() as engine:
        gate = engine.messages.hold()
        await engine.turns.take(inbound(1, "/addmachine"))
        await engine.turns.take(photo(2, file_size=MOST_BYTES + 1))
        await keep(keeper_of(engine, Shelf()))
        await engine.turns.take(inbound(3, "Press 4"))
        gate.set()
        await engine.sender.settle()

        openings = [text.splitlines()[0] for text in engine.messages.texts()]
        assert openings[1:] == [
            WORDING["answered.photo"],
            WORDING["rule.photo_too_large"],
            "✓ Nickname: Press 4",
        ]


async def test_the_photos_of_those_kept_out_are_not_fetched() -> None:
    """Who may not use the bot can't fill its disk: the input is kept, its picture is not."""
    shelf = Shelf()
    async with house() as engine:
        await engine.hear(replace(photo(1), barred="not_allowed"), replace(photo(2), barred="flood"))
        await keep(keeper_of(engine, shelf))

        assert shelf.fetched == []

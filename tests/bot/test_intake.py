import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from holdfast.bot.intake import Intake
from holdfast.domain.errors import LogUnavailable
from holdfast.domain.flow import Flows
from holdfast.domain.machine_flows import MACHINE_FLOWS
from holdfast.domain.screen import Screen
from holdfast.engine.gate import Gate
from holdfast.engine.orders import Orders
from holdfast.engine.sender import Sender
from holdfast.engine.turns import Turns
from holdfast.infrastructure.log.codec import Codec
from holdfast.infrastructure.log.event_log import EventLog
from holdfast.infrastructure.log.keys import Keyring
from holdfast.infrastructure.log.memory import MemoryJournal
from holdfast.infrastructure.log.stores import AppendWrite, Outcome, QuarantineWrite, Write
from holdfast.projections.fold import fold_of


class Counter:
    """A clock in which a second passes at each look, and sleeping takes no time."""

    def __init__(self) -> None:
        self.microseconds = 0
        self.slept = 0.0

    def now(self) -> int:
        self.microseconds += 1_000_000
        return self.microseconds

    async def sleep(self, seconds: float) -> None:
        self.slept += seconds


class Silent:
    """A messenger that shows nothing."""

    async def send(self, chat_id: int, screen: Screen, replaces: int = 0) -> int:
        return 1

    def parts(self, screen: Screen) -> tuple[Screen, ...]:
        return (screen,)

    async def acknowledge(self, callback_id: str) -> None:
        return None


class Stubborn(MemoryJournal):
    """A journal that refuses its first commits of turns, as a full disk would."""

    def __init__(self) -> None:
        super().__init__()
        self.refusals = 0
        self.texts: list[str] = []
        self.facts: list[str] = []
        self.quarantined: list[bytes] = []

    async def commit(self, batch: Sequence[Write]) -> Sequence[Outcome]:
        if self.refusals and any(isinstance(write, AppendWrite) for write in batch):
            self.refusals -= 1
            raise LogUnavailable("full")
        for write in batch:
            if isinstance(write, AppendWrite):
                self.texts.append(write.record.dedup_key)
                self.facts.append(write.record.facts)
            if isinstance(write, QuarantineWrite):
                self.quarantined.append(write.item.raw or b"")
        return await super().commit(batch)


class Told(Gate):
    """A gate that bars as it is told, and lets all others in."""

    def __init__(self) -> None:
        super().__init__(frozenset(), frozenset())
        self.bars: list[str] = []

    def bar(self, user_id: int, now: int) -> str:
        return self.bars.pop(0) if self.bars else super().bar(user_id, now)


@dataclass(frozen=True)
class Edge:
    intake: Intake
    gate: Told
    journal: Stubborn
    clock: Counter
    sender: Sender


@pytest.fixture
async def edge() -> AsyncIterator[Edge]:
    journal, clock = Stubborn(), Counter()
    log = EventLog(journal, Codec(Keyring(None, bytes)), clock, _random())
    await log.open(7)
    flows = Flows(MACHINE_FLOWS)
    sender = Sender(log, Silent(), clock)
    turns = Turns(flows, fold_of(flows), log, sender)
    gate = Told()
    yield Edge(
        Intake(7, turns, log, orders=Orders(log, 0, -1, 0), gate=gate, clock=clock),
        gate,
        journal,
        clock,
        sender,
    )
    await sender.settle()
    await log.close()


def _random() -> Any:  # noqa: ANN401 - a stream of bytes that never repeats
    numbers = iter(range(1 << 30))
    return lambda count: next(numbers).to_bytes(count, "big")


def update(number: int, text: str, person: int = 5) -> bytes:
    chat = {"id": person, "type": "private"}
    message = {"message_id": number, "date": 1, "chat": chat, "from": {"id": person, "first_name": "A"}, "text": text}
    return json.dumps({"update_id": number, "message": message}).encode()


NOT_UPDATES = [
    b"{",
    b"[]",
    b'{"update_id": 3}',
    b'{"update_id": "x"}',
    b'{"update_id": 3, "message": {"message_id": "x"}}',
    b'{"update_id": 3, "message": {"message_id": 1, "chat": {"id": 1}}}',
    b'{"update_id": 3, "callback_query": {"id": "1", "from": {"id": 1}}}',
    b'{"update_id": 3, "inline_query": {"id": "1"}}',
    b"[" * 100_000,
    b'{"update_id": 3, "message": ' + b'{"a":' * 100_000,
    b"\xff\xfe",
]


@pytest.mark.parametrize("raw", NOT_UPDATES)
async def test_what_cannot_be_read_is_kept_raw(edge: Edge, raw: bytes) -> None:
    """An update that cannot be read stands in quarantine byte for byte, and its neighbours are taken in."""
    await edge.intake.take([update(1, "/start"), raw, update(4, "hello")])
    assert edge.journal.quarantined == [raw]
    assert edge.journal.texts == ["tg:7:1:5:1", "tg:7:4:5:4"]


async def test_a_full_disk_keeps_the_update_waiting(edge: Edge) -> None:
    """While nothing can be stored `take` does not return, and one person's inputs keep their order."""
    edge.journal.refusals = 3
    await edge.intake.take([update(number, f"text {number}") for number in range(1, 5)])
    assert edge.journal.texts == [f"tg:7:{number}:5:{number}" for number in range(1, 5)]
    assert edge.clock.slept > 0


async def test_who_waited_is_told_once(edge: Edge) -> None:
    """Of a person's inputs that waited for room, exactly the first that is answered carries the fact."""
    edge.journal.refusals = 3
    await edge.intake.take([update(number, f"text {number}") for number in range(1, 5)])
    await edge.intake.take([update(5, "text 5")])

    assert ['"delayed":true' in facts for facts in edge.journal.facts] == [True, False, False, False, False]


async def test_the_word_waits_for_a_reply(edge: Edge) -> None:
    """An input that gets no reply tells of no outage; the next one does."""
    edge.journal.refusals = 3
    edge.gate.bars += ["flood"]
    await edge.intake.take([update(1, "text 1"), update(2, "text 2"), update(3, "text 3")])

    assert ['"delayed":true' in facts for facts in edge.journal.facts] == [True, True, False]


async def test_an_input_meets_its_limit_once(edge: Edge) -> None:
    """However often it was tried to store an input, it is held against the limit of its person once."""
    edge.journal.refusals = 3
    edge.gate.bars += ["too_fast", "flood"]
    await edge.intake.take([update(1, "text 1")])

    assert ['"rule":"too_fast"' in facts for facts in edge.journal.facts] == [True]


@pytest.mark.parametrize("text", ["\ud800", "a\0b", "\u202eabc", "🏭" * 50, "x" * 10_000, "", " "])
async def test_whatever_is_typed_is_an_input(edge: Edge, text: str) -> None:
    """Every text is one event, however odd it is."""
    await edge.intake.take([update(1, "/addmachine"), update(2, text)])
    assert len(edge.journal.texts) == 2
    assert edge.journal.quarantined == []


async def test_a_redelivered_batch_changes_nothing(edge: Edge) -> None:
    """A batch that comes twice is stored once."""
    batch = [update(1, "/addmachine"), update(2, "Press 4"), update(3, "/start", person=6)]
    await edge.intake.take(batch)
    await edge.intake.take(batch)
    assert sorted(edge.journal.texts) == ["tg:7:1:5:1", "tg:7:2:5:2", "tg:7:3:6:3"]


async def test_an_update_by_itself_is_given_back_in_time(edge: Edge) -> None:
    """While nothing can be stored, one update is tried for as long as was asked, and then given back."""
    edge.journal.refusals = 1_000_000
    with pytest.raises(LogUnavailable):
        await edge.intake.take_one(update(1, "text 1"), 30.0)
    spent = edge.clock.microseconds

    assert edge.journal.texts == []
    assert 0 < edge.clock.slept < 30
    assert spent < 60_000_000


async def test_who_was_given_back_is_told_when_it_comes_again(edge: Edge) -> None:
    """An update that was given back and came again is stored once, ends the outage, and its reply tells of it."""
    edge.journal.refusals = 2
    for _ in range(2):
        with pytest.raises(LogUnavailable):
            await edge.intake.take_one(update(1, "text 1"), 0.0)
    await edge.intake.take_one(update(1, "text 1"), 0.0)
    await edge.intake.take_one(update(2, "text 2"), 0.0)
    await edge.intake.take_one(update(1, "text 1"), 0.0)

    assert edge.journal.texts == ["tg:7:1:5:1", "tg:7:2:5:2"]
    assert ['"delayed":true' in facts for facts in edge.journal.facts] == [True, False]


@pytest.mark.parametrize("raw", NOT_UPDATES)
async def test_one_that_cannot_be_read_is_kept_raw(edge: Edge, raw: bytes) -> None:
    """An update that comes by itself and cannot be read is taken in all the same: it stands in quarantine."""
    await edge.intake.take_one(raw, 0.0)

    assert edge.journal.quarantined == [raw]

import asyncio
import logging

import pytest

from holdfast.domain.errors import BrokenLog, Conflict, LogUnavailable, RowRefused
from holdfast.domain.flow import Flow, Flows
from holdfast.domain.kinds import Kind
from holdfast.domain.machine_flows import add_machine
from holdfast.domain.state import ThreadState
from holdfast.domain.wording import WORDING
from holdfast.engine.reply import reply_to
from holdfast.infrastructure.log.memory import MemoryJournal
from tests.conformance.scribe import ADA, BEN, inbound, thread
from tests.engine.fakes import SLIP, House, fails, few_steps, house, said_as, soon

APOLOGY = WORDING["rule.failed"]


async def test_every_input_becomes_one_event() -> None:
    """Whatever a person sends, sensible or not, is one event of the thread and has one reply."""
    odd = [said_as(inbound(8, ""), type="other", content="sticker"), said_as(inbound(9, "nonsense"), type="tap")]
    texts = ["hello", "/addmachine", "x", "Press 4", "\0\ud800", "/dance", "/cancel"]
    async with house() as engine:
        await engine.say(*texts)
        await engine.hear(*odd)

        history = await engine.history()

        assert [event.dedup_key for event in history] == [inbound(update).dedup_key for update in range(1, 10)]
        assert [event.version for event in history] == list(range(1, 10))
        assert [event.words.said.text for event in history if event.words and event.words.said][:7] == texts
        assert len(engine.messages.shown) == 9
        assert await engine.debts() == []


async def test_an_input_is_durable_when_it_is_taken() -> None:
    """After taking an input in, its event is in the log, also while the reply cannot be sent."""
    async with house() as engine:
        engine.messages.hold()
        await engine.turns.take(inbound(1, "/addmachine"))

        [event] = await engine.history()

        assert event.kind == Kind.STARTED
        assert await engine.debts() == [event.event_id]
        assert engine.messages.shown == []


async def test_a_redelivered_input_is_not_decided_again() -> None:
    """An input that comes again makes no second event, no second append and no second reply."""
    async with house() as engine:
        await engine.say("/addmachine", "Press 4")
        await engine.hear(inbound(2, "Press 4"), inbound(1, "/addmachine"), inbound(2, "Press 4"))

        assert await engine.kinds() == [Kind.STARTED, Kind.ANSWERED]
        assert len(engine.log.appends) == 2
        assert len(engine.messages.shown) == 2


async def test_a_redelivered_input_is_known_after_a_restart() -> None:
    """The next process finds in the log what this one had taken in."""
    journal = MemoryJournal()
    async with house(journal) as before:
        await before.say("/addmachine", "Press 4")
    async with house(journal, seed=2) as after:
        await after.hear(inbound(2, "Press 4"), inbound(1, "/addmachine"), inbound(3, "ACME"))

        assert await after.kinds() == [Kind.STARTED, Kind.ANSWERED, Kind.ANSWERED]
        assert len(after.messages.shown) == 1


async def test_a_redelivered_input_brings_the_reply_that_is_still_owed() -> None:
    """When the reply to an input was never sent, its redelivery sends the very reply it was owed, once."""
    journal = MemoryJournal()
    async with house() as twin:
        await twin.say("/addmachine", "Press 4", "ACME")
        texts = twin.messages.texts()
    async with house(journal) as before:
        before.messages.hold()
        for update, text in enumerate(("/addmachine", "Press 4", "ACME"), start=1):
            await before.turns.take(inbound(update, text))
    async with house(journal, seed=2) as after:
        await after.hear(inbound(2, "Press 4"))
        await after.hear(inbound(2, "Press 4"))

        assert after.messages.texts() == [texts[1]]
        assert len(await after.debts()) == 2


async def test_a_reply_under_way_is_not_queued_twice() -> None:
    """An input that comes again while its reply is being sent adds no second reply."""
    async with house() as engine:
        gate = engine.messages.hold()
        await engine.turns.take(inbound(1, "/addmachine"))
        await engine.turns.take(inbound(1, "/addmachine"))
        gate.set()
        await engine.sender.settle()

        assert len(engine.messages.shown) == 1


async def test_a_silent_input_that_comes_again_settles_nothing() -> None:
    """An event that owes no reply gets none by redelivery either, and another's debt is not settled by it."""
    group = [said_as(inbound(update, "hey"), type="group") for update in (1, 2, 3)]
    async with house() as engine:
        gate = engine.messages.hold()
        for one in (*group, group[1], group[2]):
            await engine.turns.take(one)
        first, *_ = await engine.history()
        owed = await engine.debts()
        gate.set()
        await engine.sender.settle()

        assert first.event_id in owed
        assert [one.answers for one in engine.log.recorded] == [first.event_id]
        assert engine.messages.texts() == [WORDING["noted.group"]]


async def test_a_known_thread_is_not_read_again() -> None:
    """A warm turn reads nothing: the thread is loaded once for all its inputs."""
    async with house() as engine:
        await engine.say("/addmachine", "Press 4", "ACME", "/skip")

        assert engine.log.loads == 1


async def test_a_conflict_is_decided_again_on_what_came_first() -> None:
    """When another worker was faster, the input is decided anew on the state that worker left."""
    journal = MemoryJournal()
    async with house(journal) as one, house(journal, seed=2) as other:
        await one.say("/addmachine")
        await other.say("Press 4", update=2)
        await one.say("ACME", update=3)

        history = await one.history()

        assert [event.facts.field for event in history] == ["", "nickname", "manufacturer"]
        assert [event.version for event in history] == [1, 2, 3]
        assert one.log.loads == 2


async def test_an_input_that_two_workers_take_becomes_one_event() -> None:
    """The slower of two workers finds the other's event, and does not decide the input a second time."""
    journal = MemoryJournal()
    async with house(journal) as one, house(journal, seed=2) as other:
        await one.say("/addmachine")
        await other.say("Press 4", update=2)
        await one.say("Press 4", update=2)

        assert await one.kinds() == [Kind.STARTED, Kind.ANSWERED]
        assert len(one.messages.shown) + len(other.messages.shown) == 2


@pytest.mark.parametrize("conflicts", [1, 2])
async def test_a_conflict_is_tried_again(conflicts: int) -> None:
    """One or two conflicts are overcome, and the input is one event."""
    async with house() as engine:
        engine.log.before_append = fails(*[Conflict()] * conflicts)
        await engine.say("/addmachine")

        assert await engine.kinds() == [Kind.STARTED]
        assert len(engine.log.appends) == conflicts + 1
        assert len(engine.messages.shown) == 1


async def test_three_conflicts_are_enough() -> None:
    """After three conflicts in a row the input is refused as unavailable, and comes again like any other."""
    async with house() as engine:
        engine.log.before_append = fails(*[Conflict()] * 3)
        with pytest.raises(LogUnavailable, match="three times in a row"):
            await engine.turns.take(inbound(1, "/addmachine"))
        tried = len(engine.log.appends)
        empty = await engine.history()
        await engine.hear(inbound(1, "/addmachine"))

        assert (tried, empty) == (3, ())
        assert await engine.kinds() == [Kind.STARTED]


async def test_an_unavailable_log_is_told_to_the_edge() -> None:
    """What could not be stored is not answered, is not tried again by the engine, and can come again."""
    async with house() as engine:
        engine.log.before_append = fails(LogUnavailable("the disk is full"))
        with pytest.raises(LogUnavailable, match="the disk is full"):
            await engine.turns.take(inbound(1, "/addmachine"))
        silent = engine.messages.shown[:]
        await engine.hear(inbound(1, "/addmachine"), inbound(2, "Press 4"))

        assert silent == []
        assert await engine.kinds() == [Kind.STARTED, Kind.ANSWERED]


async def test_a_flow_that_fails_keeps_the_input(caplog: pytest.LogCaptureFixture) -> None:
    """When a flow's own code fails, the input is an event, and the person reads an apology and the question."""
    async with house() as engine:
        with caplog.at_level(logging.INFO):
            await engine.say("/survey", "slip")
        event = (await engine.history())[-1]
        reply = engine.messages.texts()[-1]

        assert (event.kind, event.facts.rule) == (Kind.UNEXPECTED, "failed")
        assert event.words is not None
        assert event.words.said == inbound(2, "slip").said
        assert APOLOGY in reply
        assert "How are you?" in reply
        assert SLIP not in reply + caplog.text + repr(event)
        assert "RuntimeError" in caplog.text


async def test_a_conversation_goes_on_after_a_failure() -> None:
    """The input after a failed one is an answer like any other."""
    async with house() as engine:
        await engine.say("/survey", "slip", "well")

        assert (await engine.history())[-1].facts.field == "mood"


async def test_a_row_that_is_refused_keeps_the_input() -> None:
    """When a table's rule refuses the turn, the input is kept as one that failed."""
    async with house() as engine:
        await engine.say("/addmachine")
        engine.log.before_append = fails(RowRefused())
        await engine.say("Press 4")

        assert (await engine.history())[-1].facts.rule == "failed"
        assert APOLOGY in engine.messages.texts()[-1]


async def test_an_input_that_cannot_even_be_kept_is_told_to_the_edge() -> None:
    """When also the event of a failed input is refused, the edge hears of it and nothing was written."""
    async with house() as engine:
        engine.log.before_append = fails(RowRefused(), BrokenLog("no"))
        with pytest.raises(BrokenLog):
            await engine.turns.take(inbound(1, "/addmachine"))

        assert await engine.history() == ()


async def test_an_input_is_kept_when_its_flow_is_not_loaded() -> None:
    """A conversation whose flow is missing keeps what is said to it, and goes on when the flow is back."""
    journal = MemoryJournal()
    async with house(journal) as before:
        await before.say("/survey")
    async with house(journal, seed=2, flows=Flows([add_machine])) as without:
        await without.say("well")
        kept = (await without.history())[-1]
        assert (kept.kind, kept.facts.rule) == (Kind.UNEXPECTED, "flow_missing")
        assert without.messages.texts()[-1].startswith(WORDING["rule.flow_missing"])
    async with house(journal, seed=3) as back:
        await back.say("well")

        assert (await back.history())[-1].facts.field == "mood"


class BrokenFlows(Flows):
    def get(self, name: str, version: int) -> Flow:
        raise RuntimeError(SLIP)


async def test_a_reply_that_cannot_be_rendered_is_an_apology(caplog: pytest.LogCaptureFixture) -> None:
    """A renderer that fails costs the person no more than the reply: an apology is owed in its place."""
    async with house() as engine:
        await engine.say("/survey")
        [event] = await engine.history()

    reply = reply_to(BrokenFlows([]), thread(), ThreadState(user_id=ADA, chat_id=ADA), event)

    assert [screen.text for screen in reply.screens] == [APOLOGY]
    assert SLIP not in caplog.text


async def test_a_cancelled_turn_is_taken_once() -> None:
    """A turn that was given up while it was being stored may be durable, and its redelivery finds it."""
    async with house() as engine:
        await engine.say("/addmachine")
        task = asyncio.create_task(engine.turns.take(inbound(2, "Press 4")))
        await few_steps(2)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await few_steps()
        stored = await engine.kinds()
        await engine.hear(inbound(2, "Press 4"), inbound(3, "ACME"))

        assert stored == [Kind.STARTED, Kind.ANSWERED]
        assert [event.facts.field for event in await engine.history()] == ["", "nickname", "manufacturer"]
        assert len(engine.messages.shown) == 3


async def test_each_person_is_answered_in_order() -> None:
    """Turns that come at once are taken and answered in order per person, whatever the others do."""
    people = range(1, 21)
    talk = ["/addmachine", *(f"Word {number}" for number in range(5)), "/cancel"]
    async with house() as engine:
        for person in (3, 4, 5):
            engine.messages.hold(person)
        tasks = [
            asyncio.create_task(engine.turns.take(inbound(update, text, person=person)))
            for update, text in enumerate(talk, start=1)
            for person in people
        ]
        await asyncio.gather(*tasks)
        for gate in engine.messages.gates.values():
            gate.set()
        await engine.sender.settle()

        for person in people:
            history = await engine.history(person)
            said = [event.words.said.text for event in history if event.words and event.words.said]
            assert said == talk
            assert engine.messages.texts(person) == engine.messages.texts(1)
        assert len(engine.messages.texts(1)) == len(talk)


async def test_one_persons_slow_chat_holds_up_nobody() -> None:
    """While one person's reply is stuck, another's turn is taken and answered."""
    async with house() as engine:
        engine.messages.hold(ADA)
        await engine.turns.take(inbound(1, "/addmachine", person=ADA))
        await engine.turns.take(inbound(1, "/addmachine", person=BEN))
        await few_steps()

        assert len(engine.messages.texts(BEN)) == 1
        assert engine.messages.texts(ADA) == []


async def test_no_turn_waits_for_sending() -> None:
    """When too many replies are held, turns come to their end all the same, and what they owe is sent later."""
    async with house(waiting=2) as engine:
        gate = engine.messages.hold()
        tasks = [asyncio.create_task(engine.turns.take(inbound(update))) for update in (1, 2, 3)]
        await asyncio.wait(tasks, timeout=5)
        done, before = [task.done() for task in tasks], engine.messages.texts()
        gate.set()
        async with engine.taking_up():
            await soon(lambda: len(engine.log.recorded) == 3)

        assert (done, before) == ([True] * 3, [])
        assert await engine.debts() == []


async def test_a_tap_is_acknowledged_with_its_reply() -> None:
    """The callback of a tapped button reaches the messenger."""
    async with house() as engine:
        await engine.hear(said_as(inbound(1, "nonsense"), type="tap", callback_id="77"))

        assert engine.messages.acknowledged == ["77"]


async def register(engine: House, nickname: str) -> None:
    """Take a person through the registration of a machine."""
    await engine.say("/addmachine", nickname, *["/skip"] * 6)
    _, screen = engine.messages.shown[-1]
    [save] = [one.data for row in screen.keyboard for one in row if one.label == WORDING["button.confirm"]]
    update = len(await engine.history()) + 1
    await engine.hear(said_as(inbound(update, save), type="tap", callback_id="1"))


async def test_what_a_machine_was_named_is_there_at_once() -> None:
    """A confirmed registration is a row of the person's machines in the transaction of its event."""
    journal = MemoryJournal()
    async with house(journal) as engine:
        await register(engine, "Press 4")

        [row] = await journal.rows("user_machines")
        assert row.values is not None
        assert row.values[:2] == (ADA, "Press 4")
        assert await journal.rows("conversation_states") == []


async def test_a_nickname_is_refused_also_after_a_restart() -> None:
    """A cold thread knows the person's machines, also those of conversations that are not loaded."""
    journal = MemoryJournal()
    async with house(journal) as before:
        await register(before, "Press 4")
        await before.say("/survey", "well")
    async with house(journal, seed=2) as after:
        await after.say("/cancel", "/addmachine", "Press 4")
        last = (await after.history())[-1]

        assert (last.kind, last.facts.rule) == (Kind.REJECTED, "taken")

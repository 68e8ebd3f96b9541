"""A worker sends for one that is silent, and nothing overtakes what another one owes."""

import asyncio

from holdfast.domain.ids import EventId, OriginId
from holdfast.domain.ports import Delivery, Held
from holdfast.engine.owed import OwedReplies
from holdfast.engine.recovery import Recovery
from holdfast.engine.takeover import Takeover
from tests.conformance.scribe import ADA, inbound, thread
from tests.engine.fakes import House, few_steps, house, soon

ANN = OriginId(b"a" * 16)


class Counting(OwedReplies):
    """Counts how often it is asked, and takes nothing up."""

    def __init__(self) -> None:
        self.asked = 0

    async def resume(self) -> int:
        self.asked += 1
        return 0


async def talk(
    engine: House, *texts: str, written_by_ann: tuple[int, ...], cut_off: bool = False
) -> tuple[EventId, ...]:
    """Take texts in that nobody answers for now; say of some that another worker wrote them. Then time stands."""
    engine.clock.stands = True
    engine.leases.seconds, engine.leases.are_sure = 10.0, not cut_off
    engine.sender.left.hold(thread(ADA))
    for update, text in enumerate(texts, start=1):
        await engine.turns.take(inbound(update, text))
    ids = tuple(event.event_id for event in await engine.history())
    engine.log.others = {ids[number - 1]: ANN for number in written_by_ann}
    engine.log.debtors.add(thread(ADA))
    return ids


async def ann_answers(engine: House, event_id: EventId) -> None:
    """Let the other worker's reply be known."""
    fate = Delivery(
        thread_id=thread(ADA),
        answers=event_id,
        screens=(),
        message_ids=(1,),
        outcome="sent",
        attempts=1,
        at=engine.clock.now(),
    )
    await engine.event_log.record(fate)


async def test_a_reply_waits_for_an_earlier_one_of_another_worker() -> None:
    """While another worker owes an earlier reply, the later one is not sent, and as soon as that is answered it is."""
    async with house() as engine:
        first, second = await talk(engine, "/addmachine", "Press 4", written_by_ann=(1,))
        async with engine.taking_up():
            await few_steps(400)
            before = engine.messages.texts()
            await ann_answers(engine, first)
            await soon(lambda: bool(engine.log.recorded))

        assert before == []
        assert [one.answers for one in engine.log.recorded] == [second]


async def test_what_stands_before_it_is_sent() -> None:
    """Replies of one's own that stand before the one that another worker owes do not wait for it."""
    async with house() as engine:
        first, _, _ = await talk(engine, "/addmachine", "Press 4", "ACME", written_by_ann=(2,))
        async with engine.taking_up():
            await soon(lambda: bool(engine.log.recorded))
            await few_steps(200)

        assert [one.answers for one in engine.log.recorded] == [first]


async def test_who_holds_the_lease_sends_all_in_order() -> None:
    """A worker that answers for the other sends what both owe, each once, in the thread's order."""
    async with house() as engine:
        engine.leases.origins = {ANN}
        ids = await talk(engine, "/addmachine", "Press 4", "ACME", written_by_ann=(1, 3))
        async with engine.taking_up():
            await soon(lambda: len(engine.log.recorded) == 3)

        assert tuple(one.answers for one in engine.log.recorded) == ids


async def test_nobody_waits_for_ever() -> None:
    """When neither the other worker nor who takes over from it has sent in time, its reply is sent before one's own."""
    async with house() as engine:
        ids = await talk(engine, "/addmachine", "Press 4", written_by_ann=(1,))
        async with engine.taking_up():
            await few_steps(100)
            before = list(engine.log.recorded)
            engine.clock.turn(60)
            await soon(lambda: len(engine.log.recorded) == 2)

        assert before == []
        assert tuple(one.answers for one in engine.log.recorded) == ids


async def test_cut_off_a_worker_sends_its_own_after_a_moment() -> None:
    """While no tier can be had a reply waits three seconds for an earlier one, and then goes out without it."""
    async with house() as engine:
        _, own = await talk(engine, "/addmachine", "Press 4", written_by_ann=(1,), cut_off=True)
        async with engine.taking_up():
            await few_steps(100)
            engine.clock.turn(3)
            await soon(lambda: bool(engine.log.recorded))

        assert [one.answers for one in engine.log.recorded] == [own]


async def test_a_reply_that_comes_late_ends_with_the_newest_card() -> None:
    """What is answered only after a newer input was ends with that one's card: nobody goes on from an old one."""
    async with house() as engine:
        first, second = await talk(engine, "/addmachine", "Press 4", written_by_ann=())
        await ann_answers(engine, second)
        async with engine.taking_up():
            await soon(lambda: bool(engine.log.recorded))

        assert [one.answers for one in engine.log.recorded] == [first]
        assert ["1 of" in text for text in engine.messages.texts()] == [True, False]
        assert "2 of" in engine.messages.texts()[-1]


async def test_a_lease_that_is_lost_stops_the_sending() -> None:
    """What was taken over and not sent yet when the other worker came back is left to that one."""
    async with house() as engine:
        engine.leases.origins = {ANN}
        gate = engine.messages.hold()
        first, second = await talk(engine, "/addmachine", "Press 4", written_by_ann=(1, 2))
        async with engine.taking_up():
            await soon(lambda: engine.sender.has(second))
            engine.leases.origins = set()
            gate.set()
            await engine.sender.settle()

        assert [one.answers for one in engine.log.recorded] == [first]


async def test_leases_are_held_again_and_again() -> None:
    """Each time some are gained what they owe is taken up; at a start with one's own in other hands, after a pause."""
    async with house() as engine:
        engine.leases.held = [Held(was_away=True), Held(), Held(gained=frozenset((ANN,))), Held(lost=frozenset((ANN,)))]
        duty = Counting()
        takeover = Takeover(engine.leases, Recovery(engine.clock), [duty], engine.clock, every=2.0)
        await takeover.begin()
        slept = list(engine.clock.slept)
        task = asyncio.create_task(takeover.run())
        await soon(lambda: not engine.leases.held)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

        assert slept == [2.0]
        assert duty.asked == 1

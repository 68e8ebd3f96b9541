from msgspec.structs import replace

from holdfast.domain.errors import Conflict, LogUnavailable
from holdfast.domain.event import Event
from holdfast.domain.inbound import Inbound
from holdfast.domain.kinds import Kind
from holdfast.domain.wording import WORDING
from holdfast.infrastructure.log.memory import MemoryJournal
from tests.conformance.scribe import inbound
from tests.engine.fakes import fails, house

DAY = 24 * 3600 * 1_000_000


def late(update: int, text: str = "ACME", days: float = 1.1) -> Inbound:
    given = inbound(update, text)
    return replace(given, occurred_at=given.occurred_at + round(days * DAY), received_at=given.received_at + DAY * 9)


def expired_in(history: tuple[Event, ...]) -> list[str]:
    return [event.facts.flow for event in history if event.kind == Kind.EXPIRED]


async def test_a_thread_read_cold_ends_what_was_left_alone() -> None:
    """The next process ends each open conversation, the parked one too, before it decides the input."""
    journal = MemoryJournal()
    async with house(journal) as before:
        await before.say("/addmachine", "Press 4", "/survey")
    async with house(journal, seed=2) as after:
        await after.hear(late(4, "well"))
        history = await after.history()

        assert expired_in(history) == ["add_machine", "survey"]
        assert history[-1].facts.rule == "lapsed"
        assert await journal.rows("conversation_states") == []
        assert len(after.messages.shown) == 1
        assert await after.debts() == []


async def test_a_redelivery_ends_nothing_a_second_time() -> None:
    """The late input that comes again finds its event, and there is one expiry."""
    async with house() as engine:
        await engine.say("/addmachine")
        await engine.hear(late(2), late(2))

        assert await engine.kinds() == [Kind.STARTED, Kind.EXPIRED, Kind.NOTED]


async def test_a_crash_between_expiry_and_input_is_overcome() -> None:
    """When the expiry was stored and the input was not, the redelivered input is decided on what the expiry left."""
    async with house() as engine:
        await engine.say("/addmachine")
        refused = fails(LogUnavailable("full"))
        engine.log.before_append = lambda turn: refused(turn) if turn.minted.event.kind == Kind.NOTED else None
        failure = None
        try:
            await engine.turns.take(late(2))
        except LogUnavailable as error:
            failure = error
        await engine.hear(late(2))

        assert failure is not None
        assert await engine.kinds() == [Kind.STARTED, Kind.EXPIRED, Kind.NOTED]
        assert engine.messages.texts()[-1].startswith(WORDING["noted.lapsed"])


async def test_a_conflict_at_the_expiry_is_decided_again() -> None:
    """When another worker was faster, the expiry is decided anew, and is one."""
    async with house() as engine:
        await engine.say("/addmachine")
        engine.log.before_append = fails(Conflict())
        await engine.hear(late(2))

        assert await engine.kinds() == [Kind.STARTED, Kind.EXPIRED, Kind.NOTED]


async def test_another_worker_that_went_on_keeps_the_conversation_open() -> None:
    """A worker whose knowledge is old does not end what was answered elsewhere in the meantime."""
    journal = MemoryJournal()
    async with house(journal) as one, house(journal, seed=2) as other:
        await one.say("/addmachine")
        await other.hear(late(2, "Press 4", days=0.9))
        await one.hear(late(3, "ACME", days=1.5))

        assert await one.kinds() == [Kind.STARTED, Kind.ANSWERED, Kind.ANSWERED]


async def test_what_ended_is_taken_up_by_a_process_that_never_knew_it() -> None:
    """The offer's button finds the ended conversation in the log, with all its answers."""
    journal = MemoryJournal()
    async with house(journal) as before:
        await before.say("/addmachine", "Press 4")
        await before.hear(late(3))
        [button] = [one for _, screen in before.messages.shown[-1:] for one in screen.keyboard[0]]
    async with house(journal, seed=2) as after:
        tap = late(4, button.data)
        await after.hear(replace(tap, said=replace(tap.said, type="tap", callback_id="1")))
        [row] = await journal.rows("conversation_states")

        assert (await after.kinds())[-1] == Kind.STARTED
        assert row.values is not None
        assert row.values[0] == "manufacturer"
        assert "Press 4" in row.values[1]

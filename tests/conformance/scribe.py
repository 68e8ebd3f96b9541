"""Things to put into a log: inputs, drafts, and the writes a store is handed."""

from collections.abc import Sequence

from msgspec.structs import replace

from holdfast.domain.event import Draft, Facts, Said, Words
from holdfast.domain.ids import ConversationId, EventId, OriginId, ThreadId, as_text, conversation_of, thread_of
from holdfast.domain.inbound import Inbound
from holdfast.domain.kinds import Kind
from holdfast.domain.ports import Delivery, Head, Quarantined, RowChange
from holdfast.domain.screen import Button, Screen
from holdfast.infrastructure.log.codec import Codec
from holdfast.infrastructure.log.envelope import Record
from holdfast.infrastructure.log.keys import Keyring
from holdfast.infrastructure.log.mint import Mint
from holdfast.infrastructure.log.stores import AppendWrite, DeliveryWrite, JournalStore, Outcome, QuarantineWrite, Write
from tests.conformance.clocks import NOON, Dice, StandingClock

BOT = 42
ADA, BEN = 7, 8
EMPTY = Head()
ORIGIN = OriginId(b"the origin here.")


def codec(master: bytes | None = None) -> Codec:
    return Codec(Keyring(master, Dice(2)))


def thread(person: int = ADA) -> ThreadId:
    return thread_of("telegram", BOT, person)


def inbound(update: int, text: str = "Press 4", person: int = ADA, kind: str = "text") -> Inbound:
    """What a person sent as the update of this number; the same number is the same input."""
    said = Said(type=kind, user_id=person, chat_id=person, update_id=update, message_id=update + 1000, text=text)
    return Inbound(
        thread_id=thread(person),
        dedup_key=f"tg:{BOT}:{update}:{person}:{update + 1000}",
        order=update,
        occurred_at=NOON + update,
        received_at=NOON + update + 1,
        said=said,
    )


def noted(given: Inbound, rule: str = "talk") -> Draft:
    """A draft outside any conversation."""
    return Draft(kind=Kind.NOTED, conversation_id=None, facts=Facts(rule=rule), words=Words(said=given.said))


def started(given: Inbound, *, flow: str = "add_machine", parked: Sequence[bytes] = ()) -> Draft:
    """A draft that starts a conversation and sets others aside."""
    return Draft(
        kind=Kind.STARTED,
        conversation_id=conversation_of(given.thread_id, given.dedup_key),
        facts=Facts(flow=flow, flow_version=1, next_step="nickname", parked=tuple(map(as_text, parked))),
        words=Words(said=given.said),
    )


def answered(given: Inbound, conversation: ConversationId | None, value: str = "Press 4") -> Draft:
    """A draft that files a nickname in a conversation."""
    facts = Facts(flow="add_machine", flow_version=1, step="nickname", next_step="manufacturer", field="nickname")
    words = Words(said=given.said, value=value)
    return Draft(kind=Kind.ANSWERED, conversation_id=conversation, facts=facts, words=words)


def machine(number: int, nickname: str, person: int = ADA) -> RowChange:
    """A row of `user_machines`."""
    values = (person, nickname, "ACME", None, "S/N 1", None, None, None, None, NOON, NOON + number)
    return RowChange("user_machines", (machine_id(number),), values)


def no_machine(number: int) -> RowChange:
    """The same row taken away."""
    return RowChange("user_machines", (machine_id(number),), None)


def machine_id(number: int) -> str:
    return as_text(number.to_bytes(16, "big"))


def open_state(person: int = ADA, step: str = "nickname") -> RowChange:
    """A row of `conversation_states`."""
    values = (step, '{"nickname":"Press 4"}', NOON, NOON + 1, NOON + 2)
    return RowChange("conversation_states", (person, person, "add_machine"), values)


def no_state(person: int = ADA) -> RowChange:
    """The same row taken away."""
    return RowChange("conversation_states", (person, person, "add_machine"), None)


class Scribe:
    """Makes the writes of turns, and remembers the head each thread would then have."""

    def __init__(self, origin: OriginId = ORIGIN, last_seq: int = 0, by: Codec | None = None, seed: int = 3) -> None:
        self.mint = Mint(by or codec(), StandingClock(), Dice(seed), origin, last_seq)
        self.heads: dict[ThreadId, Head] = {}

    def append(
        self,
        given: Inbound,
        draft: Draft | None = None,
        rows: Sequence[RowChange] = (),
        *,
        owes: bool = True,
        on: Head | None = None,
    ) -> AppendWrite:
        """Mint one turn on the thread's head, or on another one."""
        expected = on if on is not None else self.heads.get(given.thread_id, EMPTY)
        draft = draft or noted(given)
        record = self.mint.event(given, expected, draft).record
        head = Head(
            rev=expected.rev + 1,
            version=record.version,
            ots=record.ots,
            head_ids=(record.event_id,),
            head_hashes=(record.hash,),
            last_conversation_id=draft.conversation_id or expected.last_conversation_id,
        )
        self.heads[given.thread_id] = head
        return AppendWrite(record, expected, head, tuple(rows), owes)

    def delivery(self, answers: Record, *, outcome: str = "sent", text: str = "Noted.") -> DeliveryWrite:
        """Mint the fate of the reply to an event."""
        minted = self.mint.delivery(delivery_of(answers.thread_id, answers.event_id, outcome, text), answers)
        return DeliveryWrite(minted.record, minted.answers)


def delivery_of(thread_id: ThreadId, answers: EventId, outcome: str = "sent", text: str = "Noted.") -> Delivery:
    return Delivery(
        thread_id=thread_id,
        answers=answers,
        screens=(Screen(text=text, keyboard=((Button("Skip", "s1"),),)),),
        message_ids=(501,),
        outcome=outcome,
        attempts=1,
        at=NOON,
    )


def set_aside(name: str, raw: bytes = b"{}") -> QuarantineWrite:
    """An input that could not be taken in."""
    item = Quarantined(dedup_key=name, thread_id=None, raw=raw, error="not an update", received_at=NOON)
    return QuarantineWrite(item)


def behind(head: Head, **other: object) -> Head:
    """The same head with something else about it."""
    return replace(head, **other)


async def commit(journal: JournalStore, *batch: Write) -> list[Outcome]:
    """Hand a batch over; give its outcomes."""
    return list(await journal.commit(batch))


async def write(journal: JournalStore, *batch: Write) -> None:
    """Hand a batch over that must become durable."""
    assert await commit(journal, *batch) == [None] * len(batch)


async def head_of(journal: JournalStore, person: int = ADA) -> Head:
    """Read where a person's thread ends."""
    return (await journal.snapshot(thread(person), "no such input", person)).head


async def owed_by(journal: JournalStore) -> dict[ThreadId, tuple[EventId, ...]]:
    """Read every debt."""
    return {
        thread_id: own
        async for thread_id, debts in journal.owed()
        if (own := tuple(event_id for event_id, origin in debts if origin is None)) or not debts
    }

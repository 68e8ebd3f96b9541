"""A talk in which everything happens that can happen, decided by the domain alone."""

from typing import Literal

import msgspec

from holdfast.domain import taps
from holdfast.domain.decide import decide
from holdfast.domain.event import Event, Said
from holdfast.domain.evolve import evolve
from holdfast.domain.flow import Flow, Flows, Step
from holdfast.domain.ids import EventId, ThreadId
from holdfast.domain.inbound import Inbound
from holdfast.domain.machine_flows import add_machine
from holdfast.domain.state import ThreadState

FAULT = Flow(
    name="report_fault",
    command="fault",
    title="Report a fault",
    steps=(Step(name="machine", prompt="Which?"), Step(name="urgency", prompt="How?", type=Literal["low", "high"])),
)
FLOWS = Flows([add_machine, FAULT])


class Talk:
    """One person's inputs, each decided upon; remembers which facts each kind of event carried."""

    def __init__(self) -> None:
        self.state = ThreadState(user_id=1, chat_id=1)
        self.facts: dict[str, set[str]] = {}
        self._count = 0

    def says(self, *texts: str) -> None:
        for text in texts:
            self.does("text", text=text)

    def taps(self, action: str, place: int = -1) -> None:
        """Tap a button of the conversation that is open."""
        assert self.state.active is not None
        self.does("tap", text=taps.action(self.state.active.conversation_id, action, place))

    def does(self, kind: str, *, message_id: int = 0, **said: str) -> None:
        self._count += 1
        number = self._count
        what = Said(type=kind, user_id=1, chat_id=1, message_id=message_id or number, language="en", **said)  # type: ignore[arg-type]
        inbound = Inbound(
            thread_id=ThreadId(bytes(16)),
            dedup_key=f"talk:{number}",
            order=number,
            occurred_at=number,
            received_at=number,
            said=what,
        )
        draft = decide(FLOWS, self.state, inbound)
        self.facts.setdefault(draft.kind, set()).update(msgspec.to_builtins(draft.facts))
        event = Event(
            event_id=EventId(number.to_bytes(16, "big")),
            conversation_id=draft.conversation_id,
            kind=draft.kind,
            version=number,
            ots=number,
            dedup_key=inbound.dedup_key,
            occurred_at=number,
            facts=draft.facts,
            words=draft.words,
        )
        self.state = evolve(self.state, event)


def facts_of_a_long_talk() -> dict[str, set[str]]:
    """Give the names of the facts that each kind of event carried in the talk."""
    talk = Talk()
    talk.says("/start", "hello", "/help")
    talk.says("/addmachine", "x", "Press 4", "/fault", "Press 4", "soon", "low", "/addmachine")
    talk.does("other", content="sticker")
    talk.does("photo", file_id="first")
    talk.does("photo", file_id="second")
    talk.says("Siemens", "/back", "Bosch", "/back")
    talk.taps(taps.EMPTY, 1)
    talk.says("/skip", "/skip", "/skip", "/skip", "at the card")
    talk.taps(taps.CHANGE, 0)
    talk.says("Press 5")
    talk.taps(taps.CONFIRM)
    talk.says("/cancel")
    _taken_meanwhile(talk)
    return talk.facts


def _taken_meanwhile(talk: Talk) -> None:
    """Confirm a card whose nickname has been taken since it was given."""
    talk.says("/addmachine", "Press 6", *["/skip"] * 6)
    machine_id, machine = next(iter(talk.state.machines.items()))
    taken = msgspec.structs.replace(machine, nickname="Press 6")
    talk.state = msgspec.structs.replace(talk.state, machines={machine_id: taken})
    talk.taps(taps.CONFIRM)
    talk.says("/fault", "/cancel")

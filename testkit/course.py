"""The course of a chat, in pure functions: what is done is decided, evolved and rendered as the engine does it."""

from datetime import timedelta

from msgspec import Struct
from msgspec.structs import replace

from holdfast.domain.decide import decide
from holdfast.domain.drafts import expired
from holdfast.domain.event import Draft, Event, Said
from holdfast.domain.evolve import EMPTY, evolve
from holdfast.domain.flow import Flows
from holdfast.domain.ids import EventId, thread_of
from holdfast.domain.inbound import Inbound
from holdfast.domain.render import render
from holdfast.domain.state import Conversation, ThreadState
from holdfast.domain.timers import expiry_key, overdue
from holdfast.testkit.acts import PERSON, Act
from holdfast.testkit.phone import Phone

__tracebackhide__ = True

_THREAD = thread_of("test", 1, PERSON)
_BEGINNING = 1_800_000_000_000_000
_SECOND = 1_000_000
_MICROSECOND = timedelta(microseconds=1)
_ROOM = 100
"""Message numbers kept for each event and its replies."""


class Course(Struct, frozen=True):
    """A chat up to a moment: what the person sees, what it became; the states are around the last event."""

    flows: Flows
    phone: Phone = Phone()
    events: tuple[Event, ...] = ()
    before: ThreadState = EMPTY
    state: ThreadState = EMPTY
    now: int = _BEGINNING

    @property
    def number(self) -> int:
        """The number of the next event."""
        return len(self.events) + 1

    @property
    def kind(self) -> str:
        """What the last input became."""
        return self.events[-1].kind if self.events else "nothing at all"

    @property
    def conversation(self) -> Conversation | None:
        """The conversation that the last input was about, also when that ended it; else the one that is open."""
        last = self.events[-1].conversation_id if self.events else None
        return self.state.conversation(last) or self.before.conversation(last) or self.state.active


def hear(course: Course, act: Act) -> Course:
    """Go on by one act, a second after the last; what has run out by then ends first."""
    course = _expire(replace(course, now=course.now + _SECOND + act.pause // _MICROSECOND))
    said = act.does(course.phone)
    said = replace(said, message_id=said.message_id or _ROOM * course.number, date=course.now // _SECOND)
    text = "" if said.type == "tap" else said.text
    course = replace(course, phone=course.phone.sent(said.message_id, text, act.told))
    inbound = _inbound(course, said)
    return _append(course, decide(course.flows, course.state, inbound), inbound.dedup_key)


def _expire(course: Course) -> Course:
    while late := overdue(course.flows, course.state, course.now):
        course = _append(course, expired(course.flows, course.state, late, ""), expiry_key(late))
    return course


def _inbound(course: Course, said: Said) -> Inbound:
    return Inbound(
        thread_id=_THREAD,
        dedup_key=f"input-{course.number}",
        order=course.number,
        occurred_at=course.now,
        received_at=course.now,
        said=said,
        about=course.events,
    )


def _append(course: Course, draft: Draft, dedup_key: str) -> Course:
    number = course.number
    event = Event(
        event_id=EventId(number.to_bytes(16, "big")),
        conversation_id=draft.conversation_id,
        kind=draft.kind,
        version=number,
        ots=number,
        dedup_key=dedup_key,
        occurred_at=course.now,
        facts=draft.facts,
        words=draft.words,
    )
    after = evolve(course.state, event)
    phone = course.phone
    for place, screen in enumerate(render(course.flows, after, event), start=1):
        phone = phone.shown(_ROOM * number + place, screen)
    return replace(course, phone=phone, events=(*course.events, event), before=course.state, state=after)

"""What a thread owes its person: a reply for each input, by the copy of it that counts."""

from collections.abc import Container, Iterable, Sequence

from holdfast.domain.event import Event, Facts
from holdfast.domain.ids import EventId
from holdfast.domain.order import counted
from holdfast.domain.render import owes_reply


def owing(events: Iterable[Event]) -> list[EventId]:
    """Name the events that count and owe a reply, whether it has met its fate or not."""
    return [event.event_id for event in counted(events) if owes_reply(event)]


def owed(events: Iterable[Event], answered: Container[bytes]) -> list[EventId]:
    """Name the events whose reply has not met its fate, given those whose reply has.

    The reply to a copy in which the same was decided does as well: it is the same reply.
    """
    known = list(events)
    told = {decided(event) for event in known if event.event_id in answered}
    wanted = set(owing(known))
    return [event.event_id for event in known if event.event_id in wanted and decided(event) not in told]


def voided(past: Sequence[Event], event: Event) -> tuple[EventId, ...]:
    """Name the events of a thread's past that owed a reply, and owe none now that one more event counts."""
    still = set(owing((*past, event)))
    return tuple(one for one in owing(past) if one not in still)


def decided(event: Event) -> tuple[str, str, Facts]:
    """Name an input and what was decided about it: of two copies of which this is the same, one reply does."""
    return event.dedup_key, event.kind, event.facts

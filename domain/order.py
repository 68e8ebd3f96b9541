"""The one order of a thread, and which copy of an input counts in it."""

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter

from holdfast.domain.event import Event
from holdfast.domain.ids import ConversationId, EventId
from holdfast.domain.kinds import ACCEPTED, Kind

place: Callable[[Event], tuple[int, int, EventId]] = attrgetter("ots", "version", "event_id")
"""Gives an event's place in the canonical order of its thread."""


_MOVES = frozenset({Kind.RESUMED, Kind.BACK})
"""Accepted kinds that say nothing: a stale worker takes up what another has ended, and begins nothing new."""


def counted(events: Iterable[Event]) -> list[Event]:
    """Choose what the fold reads: one copy of each input, at the place of its first copy, in canonical order.

    Of several copies the best informed one counts, since a stale worker's may come first in the order: an accepted
    one before one that was not, one that says something before one that only moves, then the one that had seen
    most (the greatest version), then the first. An expiry whose basis lacks an accepted input is void.
    """
    chosen: dict[str, Event] = {}
    for event in sorted(events, key=place):
        best = chosen.setdefault(event.dedup_key, event)
        if best is not event and _informed(event) > _informed(best):
            chosen[event.dedup_key] = event
    sequence = list(chosen.values())
    if Kind.EXPIRED in {event.kind for event in sequence}:
        return _without_void_expiries(sequence)
    return sequence


def _informed(event: Event) -> tuple[int, int]:
    if event.kind not in ACCEPTED:
        return 0, 0
    return (1 if event.kind in _MOVES else 2), event.version


def duplicates(events: Iterable[Event]) -> dict[EventId, EventId]:
    """Name, for every copy of an input that does not count, the copy that does."""
    everything = sorted(events, key=place)
    counts = {event.dedup_key: event.event_id for event in counted(everything)}
    return {
        event.event_id: counts[event.dedup_key]
        for event in everything
        if counts.get(event.dedup_key, event.event_id) != event.event_id
    }


def _without_void_expiries(sequence: Sequence[Event]) -> list[Event]:
    accepted: dict[ConversationId | None, set[str]] = {}
    for event in sequence:
        if event.kind in ACCEPTED:
            accepted.setdefault(event.conversation_id, set()).add(event.dedup_key)
    return [
        event
        for event in sequence
        if event.kind != Kind.EXPIRED or accepted.get(event.conversation_id, set()).issubset(event.facts.basis)
    ]

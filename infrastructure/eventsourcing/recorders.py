"""The recorders of `eventsourcing` over a place of this log."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    Notification,
    ProcessRecorder,
    StoredEvent,
    Subscription,
    Tracking,
    TrackingRecorder,
)

from holdfast.infrastructure.eventsourcing.place import Place, their_errors
from holdfast.infrastructure.eventsourcing.series import (
    GREATEST,
    entry_of,
    key_of,
    notification,
    stored_event,
    thread_of,
    version_in,
)
from holdfast.infrastructure.eventsourcing.subscription import LogSubscription

_PAGE = 500
_TRACKED = "tracking"


class LogRecorder:
    """What all recorders have: a place, and the application's name, with which the names of its series begin."""

    def __init__(self, place: Place, name: str, purpose: str = "events") -> None:
        """Record one purpose of one application (`events`, `snapshots`) at a place."""
        self._place = place
        self._series = f"{name}_{purpose}"
        self._tracked = f"{name}_{_TRACKED}"

    def _append(self, stored_events: Sequence[StoredEvent], tracking: Tracking | None = None) -> list[int]:
        """Write stored events, and how far another application was followed, all or nothing; their places."""
        entries = [entry_of(self._series, stored) for stored in stored_events]
        if tracking is not None:
            seen = StoredEvent(tracking.application_name, tracking.notification_id, _TRACKED, b"")
            entries.append(entry_of(self._tracked, seen, upwards=True))
        if not entries:
            return []
        with their_errors():
            places = self._place.append(entries)
        self._place.bell.ring()
        return places[: len(stored_events)]


class LogAggregateRecorder(LogRecorder, AggregateRecorder):
    """Keeps aggregates' events, or their snapshots."""

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:  # noqa: ANN401, ARG002 - as the package has it
        """Write stored events, all or none; IntegrityError when one is there already."""
        self._append(stored_events)
        return None

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """Read an originator's events by their versions; DataError when one of them was erased."""
        first = 0 if gt is None else max(gt + 1, 0)
        last = GREATEST if lte is None else min(lte, GREATEST)
        if first > last:
            return []
        keys = (key_of(first), key_of(last))
        with their_errors():
            records = self._place.recorded(thread_of(self._series, originator_id), keys, limit, backwards=desc)
            counted = {record.dedup_key: record for record in reversed(records)}
            return [
                stored_event(self._place.codec, record) for record in records if counted[record.dedup_key] is record
            ]


class LogApplicationRecorder(LogAggregateRecorder, ApplicationRecorder):
    """Keeps an application's events, numbered 1 and up without gaps in the one order they were recorded in."""

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:  # noqa: ANN401, ARG002 - as the package has it
        """Write stored events, all or none, and give their numbers; IntegrityError when one is there already."""
        return self._append(stored_events)

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Read numbered events, at most `limit`; what was erased is left out. Topics are sealed, so all is read."""
        first = max(1 if start is None else start + (not inclusive_of_start), 1)
        last = GREATEST if stop is None else stop
        found: list[Notification] = []
        with their_errors():
            for page in self._pages(first, last, max(limit, _PAGE) if topics else limit):
                found += [one for one in page if not topics or one.topic in topics]
                if len(found) >= limit:
                    break
        return found[:limit]

    def _pages(self, first: int, last: int, size: int) -> Iterator[list[Notification]]:
        while first <= last:
            records = self._place.series(self._series, (first, last), size)
            read = (notification(self._place.codec, record) for record in records)
            yield [one for one in read if one is not None]
            if len(records) < size:
                return
            first = records[-1].ots + 1

    def max_notification_id(self) -> int | None:
        """Give the greatest number, if there is any."""
        with their_errors():
            return self._place.last_of_series(self._series) or None

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> Subscription[ApplicationRecorder]:
        """Follow the numbered events from behind a number on, also those that come later."""
        return LogSubscription(self, self._place.bell, gt, topics)


class LogTrackingRecorder(LogRecorder, TrackingRecorder):
    """Keeps how far other applications were followed: each step an event of the series `<name>_tracking`."""

    def insert_tracking(self, tracking: Tracking) -> None:
        """Go on to a number; IntegrityError when it is not above the last."""
        self._append([], tracking)

    def max_tracking_id(self, application_name: str) -> int | None:
        """Give the number an application was followed to, if it was."""
        with their_errors():
            key = self._place.latest_key(thread_of(self._tracked, application_name))
        return None if key is None else version_in(key)


class LogProcessRecorder(LogTrackingRecorder, LogApplicationRecorder, ProcessRecorder):
    """Keeps an application's events together with how far it followed others."""

    def insert_events(
        self,
        stored_events: Sequence[StoredEvent],
        *,
        tracking: Tracking | None = None,
        **kwargs: Any,  # noqa: ANN401, ARG002 - as the package has it
    ) -> Sequence[int] | None:
        """Write stored events and the number they were made from, all or none; IntegrityError."""
        return self._append(stored_events, tracking)

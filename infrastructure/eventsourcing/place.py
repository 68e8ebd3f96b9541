"""The port below the recorders: one place that holds series of events, and a bell for who waits for more."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event
from typing import Protocol

from eventsourcing.persistence import DataError, IntegrityError, OperationalError, PersistenceError

from holdfast.domain.errors import Conflict, HoldfastError, LogUnavailable, RowRefused
from holdfast.domain.ids import ThreadId
from holdfast.infrastructure.eventsourcing.series import Entry
from holdfast.infrastructure.log.codec import Codec
from holdfast.infrastructure.log.envelope import Record


class Bell:
    """Wakes those in this process who wait for more events."""

    def __init__(self) -> None:
        """Nobody waits yet."""
        self._listeners: set[Event] = set()

    def listen(self, event: Event) -> None:
        """Set this event whenever something was recorded."""
        self._listeners = self._listeners | {event}

    def unlisten(self, event: Event) -> None:
        """Leave this event alone from now on."""
        self._listeners = self._listeners - {event}

    def ring(self) -> None:
        """Something was recorded."""
        for listener in self._listeners:
            listener.set()


class Place(Protocol):
    """A journal or a tier, for any number of threads at once. Calls block, and raise the errors of `domain.errors`."""

    codec: Codec
    bell: Bell

    def append(self, entries: Sequence[Entry]) -> list[int]:
        """Write all entries durably or none, alone in their series, and give their places; Conflict, LogUnavailable."""

    def recorded(
        self, thread_id: ThreadId, keys: tuple[str, str], limit: int | None, *, backwards: bool
    ) -> list[Record]:
        """Read an originator's events from the first of two keys to the second, both taken in; no limit: all."""

    def series(self, series: str, places: tuple[int, int], limit: int) -> list[Record]:
        """Read the events of a series from one place to another, both taken in, in their order."""

    def last_of_series(self, series: str) -> int:
        """Give the greatest place of a series; 0 when it is empty."""

    def latest_key(self, thread_id: ThreadId) -> str | None:
        """Give the greatest key of an originator, if it has any events."""

    def close(self) -> None:
        """Let go."""


@contextmanager
def their_errors() -> Iterator[None]:
    """Raise what `eventsourcing` expects where the log raises its own."""
    try:
        yield
    except Conflict as error:
        raise IntegrityError(str(error)) from error
    except RowRefused as error:
        raise DataError(str(error)) from error
    except LogUnavailable as error:
        raise OperationalError(str(error)) from error
    except HoldfastError as error:
        raise PersistenceError(str(error)) from error

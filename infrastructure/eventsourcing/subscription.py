"""Following an application's events as they come."""

from collections.abc import Sequence

from eventsourcing.persistence import ApplicationRecorder, ListenNotifySubscription

from holdfast.infrastructure.eventsourcing.place import Bell

_LOOK_EVERY = 0.25
"""Seconds until a follower looks by itself: what another process recorded rings no bell here."""


class LogSubscription(ListenNotifySubscription[ApplicationRecorder]):
    """Gives events in their order; woken by the bell, and at the latest after a quarter of a second."""

    def __init__(
        self, recorder: ApplicationRecorder, bell: Bell, gt: int | None = None, topics: Sequence[str] = ()
    ) -> None:
        """Begin to read behind a number."""
        super().__init__(recorder=recorder, gt=gt, topics=topics)
        self._bell = bell
        bell.listen(self._has_been_notified)

    def stop(self) -> None:
        """Give nothing more."""
        super().stop()
        # The thread that reads may fail, and stop, while this is still being made.
        if hasattr(self, "_bell"):
            self._bell.unlisten(self._has_been_notified)

    def _loop_on_pull(self) -> None:
        try:
            while not self._has_been_stopped:
                self._pull()
                self._has_been_notified.wait(_LOOK_EVERY)
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever reads from the subscription
            self._thread_error = error
            self.stop()

"""Who counts what happens: told of every turn and every reply, and of nothing that a person said."""

from typing import Protocol

from msgspec import Struct

from holdfast.domain.event import Event
from holdfast.domain.ids import ThreadId


class TurnTold(Struct, frozen=True, gc=False):
    """One try to append a turn. Times are microseconds since 1970: its input came, its append began and ended.

    `outcome` is `saved`, `saved_here` (on the journal alone, where there are tiers), or the name of the error.
    """

    thread_id: ThreadId
    event: Event
    outcome: str
    received_at: int
    began_at: int
    ended_at: int


class Watch(Protocol):
    """Told right after it happened; must not raise, and must not take time."""

    def turn(self, told: TurnTold) -> None:
        """A turn was appended, or could not be."""

    def known(self) -> None:
        """An input came again, or a reply was taken over: what it stands on was made as safe as it can be."""

    def reply(self, outcome: str, attempts: int) -> None:
        """The fate of a reply was recorded, after so many tries to send it."""

    def set_aside(self) -> None:
        """An input went into quarantine."""


class Unwatched:
    """Nobody counts."""

    def turn(self, _told: TurnTold) -> None:
        """Forget it."""

    def known(self) -> None:
        """Forget it."""

    def reply(self, _outcome: str, _attempts: int) -> None:
        """Forget it."""

    def set_aside(self) -> None:
        """Forget it."""

"""Where owed replies go: to a sender, or nowhere until one runs."""

from typing import Protocol

from holdfast.domain.ids import EventId
from holdfast.engine.reply import Reply


class Outbox(Protocol):
    """Takes replies over."""

    def has(self, event_id: EventId) -> bool:
        """Whether the reply to this event is waiting here or being sent."""

    async def put(self, reply: Reply) -> None:
        """Take a reply over, behind the others of its thread."""


class LeftOwed:
    """Sends nothing: the replies stay owed in the log, and whoever runs next sends them."""

    def has(self, _event_id: EventId) -> bool:
        """Nothing waits here."""
        return False

    async def put(self, _reply: Reply) -> None:
        """Leave it to the log."""

"""The replies that are owed: computed from the log, at a start and whenever the log has learned of more."""

from holdfast.domain.event import Event
from holdfast.domain.flow import Flows
from holdfast.domain.ids import EventId
from holdfast.domain.ports import Log
from holdfast.engine.reply import replies_to
from holdfast.engine.sender import Sender


class OwedReplies:
    """Hands every reply that is owed to the sender."""

    name = "replies owed"

    def __init__(self, flows: Flows, log: Log, sender: Sender) -> None:
        """Read what is owed in this log, and send it through this sender."""
        self._flows = flows
        self._log = log
        self._sender = sender

    async def resume(self) -> int:
        """Hand over what is owed and not under way; give the number of replies."""
        taken_up = 0
        async for owed in self._log.owed():
            safe = not owed.event_ids or await self._log.secure(owed.thread_id)
            history = await self._log.history(owed.thread_id)
            for reply in replies_to(self._flows, owed.thread_id, history, frozenset(owed.event_ids), safe=safe):
                if not self._sender.has(reply.answers) and not await self._answered(history, reply.answers):
                    await self._sender.put(reply)
                    taken_up += 1
        return taken_up

    async def _answered(self, history: tuple[Event, ...], event_id: EventId) -> bool:
        """Whether an event, or a copy of its input in which the same was decided, was answered in the meantime.

        Where something else was decided, this reply is the correction of that one.
        """
        event = next(one for one in history if one.event_id == event_id)
        alike = [
            one for one in history if (one.dedup_key, one.kind, one.facts) == (event.dedup_key, event.kind, event.facts)
        ]
        return any([await self._log.delivered(one.event_id) for one in alike])

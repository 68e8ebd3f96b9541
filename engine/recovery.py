"""Whatever is still owed is computed from the log and taken up: at start, and when the log learns of more."""

import logging

from holdfast.domain.errors import LogUnavailable
from holdfast.domain.event import Event
from holdfast.domain.flow import Flows
from holdfast.domain.ids import EventId
from holdfast.domain.ports import Log
from holdfast.engine.reply import replies_to
from holdfast.engine.sender import Sender

logger = logging.getLogger("holdfast.engine")


async def resume_replies(flows: Flows, log: Log, sender: Sender) -> int:
    """Hand every reply that is owed to the sender; give their number."""
    taken_up = 0
    async for owed in log.owed():
        safe = not owed.event_ids or await log.secure(owed.thread_id)
        history = await log.history(owed.thread_id)
        for reply in replies_to(flows, owed.thread_id, history, frozenset(owed.event_ids), safe=safe):
            if not sender.has(reply.answers) and not await _answered(log, history, reply.answers):
                await sender.put(reply)
                taken_up += 1
    return taken_up


async def _answered(log: Log, history: tuple[Event, ...], event_id: EventId) -> bool:
    """Whether an event, or a copy of its input in which the same was decided, was answered since the debts were read.

    Where something else was decided, this reply is the correction of that one.
    """
    event = next(one for one in history if one.event_id == event_id)
    alike = [
        one for one in history if (one.dedup_key, one.kind, one.facts) == (event.dedup_key, event.kind, event.facts)
    ]
    return any([await log.delivered(one.event_id) for one in alike])


async def resume_what_is_learned(flows: Flows, log: Log, sender: Sender) -> None:
    """For ever: when events come home that this worker had written and then forgotten in a crash, answer them."""
    while True:
        await log.learned()
        try:
            await resume_replies(flows, log, sender)
        except LogUnavailable as error:
            logger.warning("what was learned is answered later: %s", error)

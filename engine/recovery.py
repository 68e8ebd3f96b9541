"""At start: whatever is still owed is computed from the log and taken up."""

from holdfast.domain.flow import Flows
from holdfast.domain.ports import Log
from holdfast.engine.reply import replies_to
from holdfast.engine.sender import Sender


async def resume_replies(flows: Flows, log: Log, sender: Sender) -> int:
    """Hand every reply that is owed to the sender; give their number."""
    taken_up = 0
    async for owed in log.owed():
        history = await log.history(owed.thread_id)
        for reply in replies_to(flows, owed.thread_id, history, frozenset(owed.event_ids)):
            await sender.put(reply)
            taken_up += 1
    return taken_up

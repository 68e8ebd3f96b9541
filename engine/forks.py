"""What forks left untold: told as soon as the log has learned of it, without waiting for the person's next input."""

from holdfast.domain.event import Said
from holdfast.domain.evolve import fold
from holdfast.domain.fork import is_untold
from holdfast.domain.ids import ThreadId
from holdfast.domain.inbound import Inbound
from holdfast.domain.ports import Clock, Log
from holdfast.engine.turns import Turns


class UntoldForks:
    """Tells people what differed between two sides that are one again."""

    name = "forks untold"

    def __init__(self, log: Log, turns: Turns, clock: Clock) -> None:
        """Look for forks in this log, and tell of them in turns of their threads."""
        self._log = log
        self._turns = turns
        self._clock = clock
        self._threads: dict[ThreadId, None] = {}

    async def resume(self) -> int:
        """Tell what is untold, and give in how many threads that was; what can't be told now waits."""
        self._threads |= dict.fromkeys(sorted(await self._log.forked()))
        told = 0
        for thread_id in list(self._threads):
            told += await self._tell(thread_id)
            del self._threads[thread_id]
        return told

    async def _tell(self, thread_id: ThreadId) -> bool:
        state = fold(await self._log.history(thread_id))
        if not is_untold(state):
            return False
        now = self._clock.now()
        inbound = Inbound(
            thread_id=thread_id,
            dedup_key="merge:",
            order=-1,
            occurred_at=now,
            received_at=now,
            said=Said(type="fact", user_id=state.user_id, chat_id=state.chat_id),
        )
        return await self._turns.tell(inbound)

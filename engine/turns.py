"""One turn: load, decide, append; then the reply is owed."""

import logging

from holdfast.domain.decide import decide, unexpected
from holdfast.domain.errors import Conflict, LogUnavailable
from holdfast.domain.event import Draft, Event
from holdfast.domain.evolve import evolve, fold
from holdfast.domain.flow import Flows
from holdfast.domain.inbound import Inbound
from holdfast.domain.order import counted
from holdfast.domain.ports import Fold, Loaded, Log, Turn
from holdfast.domain.render import owes_reply
from holdfast.domain.state import ThreadState
from holdfast.engine.blame import where
from holdfast.engine.known import Known, KnownThreads
from holdfast.engine.lanes import Lanes
from holdfast.engine.reply import Reply, replies_to, reply_to
from holdfast.engine.sender import Sender

logger = logging.getLogger("holdfast.engine")
_TRIES = 3


class Turns:
    """Takes inputs in. When `take` returns, the input is durable and its reply is owed."""

    def __init__(self, flows: Flows, fold_rows: Fold, log: Log, sender: Sender) -> None:
        """Wire the turn to its log and to the sender that replies go to."""
        self._flows = flows
        self._fold_rows = fold_rows
        self._log = log
        self._sender = sender
        self._lanes = Lanes()
        self._known = KnownThreads()

    async def take(self, inbound: Inbound) -> None:
        """Take one input in, exactly once; LogUnavailable: it is not durable and must come again."""
        async with self._lanes.enter(inbound.thread_id):
            reply = await self._turn(inbound)
            if reply is not None:
                await self._sender.put(reply)

    async def _turn(self, inbound: Inbound) -> Reply | None:
        for _ in range(_TRIES):
            known, copies = await self._look_up(inbound)
            if copies:
                return await self._again(inbound, copies)
            try:
                return await self._advance(known, inbound)
            except Conflict:
                self._known.forget(inbound.thread_id)
        raise LogUnavailable("other writers were faster three times in a row")

    async def _look_up(self, inbound: Inbound) -> tuple[Known, tuple[Event, ...]]:
        known = self._known.get(inbound.thread_id)
        if known is None:
            loaded = await self._log.load(inbound.thread_id, inbound)
            known = Known(loaded.head, _state(loaded, inbound))
            self._known.put(inbound.thread_id, known)
            return known, loaded.copies
        # A copy of this input would have an origin order at least as great as the input's own.
        if inbound.order > known.head.ots:
            return known, ()
        return known, await self._log.copies(inbound.thread_id, inbound.dedup_key)

    async def _again(self, inbound: Inbound, copies: tuple[Event, ...]) -> Reply | None:
        """An input that came before: it is durable already; its reply follows only if none is under way or sent."""
        event = counted(copies)[0]
        if self._sender.has(event.event_id) or await self._log.delivered(event.event_id):
            return None
        history = await self._log.history(inbound.thread_id)
        replies = replies_to(self._flows, inbound.thread_id, history, frozenset((event.event_id,)))
        return replies[0] if replies else None

    async def _advance(self, known: Known, inbound: Inbound) -> Reply | None:
        try:
            turn, after = self._plan(known, inbound, decide(self._flows, known.state, inbound))
            head = await self._log.append(turn)
        except (Conflict, LogUnavailable):
            raise
        except Exception as error:  # noqa: BLE001 - the input is kept, whatever a flow's own code does
            logger.error("deciding failed: %s", where(error))
            turn, after = self._plan(known, inbound, unexpected(known.state, inbound, "failed"))
            head = await self._log.append(turn)
        self._known.put(inbound.thread_id, Known(head, after))
        event = turn.minted.event
        return reply_to(self._flows, inbound.thread_id, after, event) if turn.owes_reply else None

    def _plan(self, known: Known, inbound: Inbound, draft: Draft) -> tuple[Turn, ThreadState]:
        minted = self._log.mint(inbound, known.head, draft)
        after = evolve(known.state, minted.event)
        last = after.active.conversation_id if after.active else draft.conversation_id
        turn = Turn(
            thread_id=inbound.thread_id,
            expected=known.head,
            minted=minted,
            rows=self._fold_rows(known.state, after),
            owes_reply=owes_reply(minted.event),
            last_conversation_id=last or known.head.last_conversation_id,
        )
        return turn, after


def _state(loaded: Loaded, inbound: Inbound) -> ThreadState:
    machines = {machine.machine_id: machine for machine in loaded.machines}
    said = inbound.said
    return fold(loaded.events, ThreadState(user_id=said.user_id, chat_id=said.chat_id, machines=machines))

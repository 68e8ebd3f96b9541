"""One turn: load, decide, append; then the reply is owed."""

import logging
from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from holdfast.domain.debts import voided
from holdfast.domain.decide import decide
from holdfast.domain.drafts import UNASKED, expired, repeated, timed, unexpected
from holdfast.domain.errors import Conflict, LogUnavailable, NoTier
from holdfast.domain.event import Draft, Event
from holdfast.domain.evolve import evolve, fold
from holdfast.domain.flow import Flows
from holdfast.domain.fork import card_of, merge_key
from holdfast.domain.ids import ConversationId
from holdfast.domain.inbound import Inbound
from holdfast.domain.intent import refers_to_the_past
from holdfast.domain.kinds import ENDINGS, Kind
from holdfast.domain.late import as_it_stood, revives, was_in_time
from holdfast.domain.order import counted
from holdfast.domain.ports import Fold, Loaded, Log, Turn
from holdfast.domain.render import owes_reply
from holdfast.domain.state import Conversation, ThreadState
from holdfast.domain.timers import deadline, due, expiry_key, overdue, repeated_key
from holdfast.engine.blame import where
from holdfast.engine.known import Known, KnownThreads
from holdfast.engine.lanes import Lanes
from holdfast.engine.outbox import Outbox
from holdfast.engine.presence import Absence, Presence
from holdfast.engine.reply import Reply, replies_to, reply_to, saved_here

logger = logging.getLogger("holdfast.engine")
_TRIES = 3
_FORK = 2
"""Ends of a thread that was written on two sides."""


class Turns:
    """Takes inputs in. When `take` returns, the input is durable and its reply is owed."""

    def __init__(
        self, flows: Flows, fold_rows: Fold, log: Log, outbox: Outbox, presence: Presence | None = None
    ) -> None:
        """Wire the turn to its log and to the outbox that replies go to.

        `presence` knows when the bot was not there: that time takes nobody's time to answer. None: it always was.
        """
        self._flows = flows
        self._fold_rows = fold_rows
        self._log = log
        self._outbox = outbox
        self._presence = presence or Presence()
        self._lanes = Lanes()
        self._known = KnownThreads()

    @property
    def busy(self) -> int:
        """How many threads have a turn under way."""
        return len(self._lanes)

    async def take(self, inbound: Inbound) -> bool:
        """Take one input in, exactly once, and say whether a reply was handed on.

        LogUnavailable: it is not durable and must come again.
        """
        return await self._in_its_lane(inbound, self._turn)

    async def take_fact(self, inbound: Inbound, draft: Draft) -> None:
        """Append an outside fact, once: nothing happens when one with this dedup key is there; LogUnavailable."""
        await self.take_due(inbound, lambda _state: draft)

    async def take_due(self, inbound: Inbound, decide_due: Callable[[ThreadState], Draft | None]) -> bool:
        """Append what a thread is due, once, if it is so by its state when its turn comes; say whether it was.

        Nothing happens when there is one with this dedup key, or nothing is due any more. LogUnavailable; NoTier for
        a timer.
        """
        appended = False

        async def due(inbound: Inbound) -> Reply | None:
            nonlocal appended
            known, copies = await self._look_up(inbound)
            if copies:
                return None
            known = await self._joined(known, inbound)
            draft = decide_due(known.state)
            if draft is None:
                return None
            reply = await self._append(known, inbound, draft)
            appended = True
            return reply

        await self._in_its_lane(inbound, due)
        return appended

    async def tell(self, inbound: Inbound) -> bool:
        """Append, as a fact, what a fork left untold in a thread, and say whether there was something; LogUnavailable.

        `inbound` names the thread, its person and the time; the event's own name follows from what it tells.
        """

        async def fact(inbound: Inbound) -> Reply | None:
            known, _ = await self._look_up(inbound)
            return await self._merge(known, inbound)

        return await self._in_its_lane(inbound, fact)

    async def tick(self, inbound: Inbound, by: int) -> bool:
        """Let happen what time has brought to a thread by a moment, if it still does; say whether anything did.

        `inbound` names the thread, its person and the present. NoTier, LogUnavailable: later.
        """
        happened = False

        async def clock(inbound: Inbound) -> Reply | None:
            nonlocal happened
            known = self._known.get(inbound.thread_id) or (await self._load(inbound))[0]
            known = await self._joined(known, inbound)
            timer = due(self._flows, known.state, by)
            if timer is None:
                if not known.state.open:
                    self._known.forget(inbound.thread_id)
                return None
            ticked = replace(inbound, dedup_key=timer.dedup_key, order=known.head.ots)
            reply = await self._append(known, ticked, timed(self._flows, known.state, timer))
            happened = True
            return reply

        await self._in_its_lane(inbound, clock)
        return happened

    async def _in_its_lane(self, inbound: Inbound, turn: Callable[[Inbound], Awaitable[Reply | None]]) -> bool:
        async with self._lanes.enter(inbound.thread_id):
            reply = await self._tried(inbound, turn)
            if reply is not None:
                await self._outbox.put(reply)
        return reply is not None

    async def _tried(self, inbound: Inbound, turn: Callable[[Inbound], Awaitable[Reply | None]]) -> Reply | None:
        for _ in range(_TRIES):
            try:
                return await turn(inbound)
            except Conflict:
                self._known.forget(inbound.thread_id)
            except LogUnavailable:
                # It may stand somewhere all the same: when it comes again, the thread is read again.
                self._known.forget(inbound.thread_id)
                raise
        raise LogUnavailable("other writers were faster three times in a row")

    async def _turn(self, inbound: Inbound) -> Reply | None:
        known, copies = await self._look_up(inbound)
        if copies:
            return await self._again(inbound, copies)
        known = await self._expire(await self._joined(known, inbound), inbound)
        try:
            draft, past = await self._decided(known, inbound)
            return await self._append(known, inbound, draft, past)
        except (Conflict, LogUnavailable):
            raise
        except Exception as error:  # noqa: BLE001 - the input is kept, whatever a flow's own code does
            logger.error("deciding failed: %s", where(error))
            return await self._append(known, inbound, unexpected(known.state, inbound, "failed"))

    async def _look_up(self, inbound: Inbound) -> tuple[Known, tuple[Event, ...]]:
        known = self._known.get(inbound.thread_id)
        if known is None:
            return await self._load(inbound)
        # A copy of this input would have an origin order at least as great as the input's own.
        if inbound.order > known.head.ots:
            return known, ()
        return known, await self._log.copies(inbound.thread_id, inbound.dedup_key)

    async def _load(self, inbound: Inbound) -> tuple[Known, tuple[Event, ...]]:
        loaded = await self._log.load(inbound.thread_id, inbound)
        state = _state(loaded, inbound)
        if any(loaded.touched.get(one.flow, one.updated_at) != one.updated_at for one in state.open):
            # What was loaded does not say all: a conversation that stood above it, and has ended, let it go on.
            said = inbound.said
            history = await self._log.history(inbound.thread_id)
            state = fold(history, ThreadState(user_id=said.user_id, chat_id=said.chat_id))
        known = Known(loaded.head, state)
        self._known.put(inbound.thread_id, known)
        return known, loaded.copies

    async def _again(self, inbound: Inbound, copies: tuple[Event, ...]) -> Reply | None:
        """An input that came before: it is durable already; its reply follows only if none is under way or sent."""
        safe = await self._log.secure(inbound.thread_id)
        event = counted(copies)[0]
        if self._outbox.has(event.event_id) or await self._log.delivered(event.event_id):
            return None
        history = await self._log.history(inbound.thread_id)
        replies = replies_to(self._flows, inbound.thread_id, history, frozenset((event.event_id,)), safe=safe)
        return replies[0] if replies else None

    async def _joined(self, known: Known, inbound: Inbound) -> Known:
        """Where a thread has several ends, tell what the fork left before anything is built upon all of them."""
        if len(known.head.head_ids) < _FORK:
            return known
        reply = await self._merge(known, inbound)
        if reply is not None:
            await self._outbox.put(reply)
        return self._known.get(inbound.thread_id) or known

    async def _merge(self, known: Known, inbound: Inbound) -> Reply | None:
        """Append the event that tells what a fork left, if it left something: only the whole thread shows it."""
        person = ThreadState(user_id=inbound.said.user_id, chat_id=inbound.said.chat_id)
        whole = Known(known.head, fold(await self._log.history(inbound.thread_id), person))
        self._known.put(inbound.thread_id, whole)
        draft = card_of(self._flows, whole.state)
        if draft is None:
            return None
        fact = replace(inbound, dedup_key=merge_key(draft.facts), order=whole.head.ots)
        return await self._append(whole, fact, draft)

    async def _expire(self, known: Known, inbound: Inbound) -> Known:
        """End what was left alone for too long before this input was written.

        While no tier can be had, nothing ends: another worker may know that its person went on.
        """
        while late := overdue(self._flows, known.state, inbound.occurred_at):
            timer = replace(inbound, dedup_key=expiry_key(late), order=known.head.ots)
            draft = expired(self._flows, known.state, late, inbound.said.language)
            if absence := self._caught(late, inbound.received_at):
                key = repeated_key(late.conversation_id, absence.since)
                timer = replace(timer, dedup_key=key, occurred_at=inbound.received_at)
                draft = repeated(self._flows, late, UNASKED, absence.since, absence.length)
            try:
                await self._append(known, timer, draft)
            except NoTier:
                return known
            known = self._known.get(inbound.thread_id) or known
        return known

    def _caught(self, conversation: Conversation, now: int) -> Absence | None:
        """Find an absence, not told of yet, in which a conversation's time ran out; its question follows anyway."""
        until = deadline(self._flows, conversation)
        absences = self._presence.untold(now)
        return next((one for one in absences if one.caught(conversation, until) and until < one.until), None)

    async def _decided(self, known: Known, inbound: Inbound) -> tuple[Draft, tuple[Event, ...]]:
        """Decide an input; what was written before a deadline and is read after the expiry, as if it had come in time.

        What is accepted then makes the expiry void: the thread must be folded anew, and is given too.
        """
        if was_in_time(self._flows, known.state, inbound):
            past = await self._log.history(inbound.thread_id)
            draft = await self._decide(as_it_stood(self._flows, past, inbound.occurred_at), inbound)
            if revives(draft, known.state):
                return draft, past
        return await self._decide(known.state, inbound), ()

    async def _decide(self, state: ThreadState, inbound: Inbound) -> Draft:
        if refers_to_the_past(state, inbound.said):
            inbound = replace(inbound, about=await self._log.history(inbound.thread_id))
        return decide(self._flows, state, inbound)

    async def _append(self, known: Known, inbound: Inbound, draft: Draft, past: tuple[Event, ...] = ()) -> Reply | None:
        """Mint, evolve, project and append: one turn of the log. Gives the reply it owes.

        `past` is the whole thread, where the event changes what counts of it.
        """
        minted = self._log.mint(inbound, known.head, draft)
        event = minted.event
        after = fold((*past, event)) if past else evolve(known.state, event)
        turn = Turn(
            thread_id=inbound.thread_id,
            expected=known.head,
            minted=minted,
            rows=self._fold_rows(known.state, after, event),
            owes_reply=owes_reply(event),
            voids=voided(past, event) if past else (),
            last_conversation_id=_last_conversation(known, after, event),
        )
        receipt = await self._log.append(turn)
        self._known.put(inbound.thread_id, Known(receipt.head, after))
        if not turn.owes_reply:
            return None
        reply = reply_to(self._flows, inbound.thread_id, after, event)
        return reply if receipt.safe or event.kind != Kind.CONFIRMED else saved_here(reply)


def _last_conversation(known: Known, after: ThreadState, event: Event) -> ConversationId | None:
    """Name the conversation that the next cold load reads: the active one, else the one that ended last."""
    if after.active:
        return after.active.conversation_id
    return event.conversation_id if event.kind in ENDINGS else known.head.last_conversation_id


def _state(loaded: Loaded, inbound: Inbound) -> ThreadState:
    """Fold what was loaded: a copy that counts in a conversation that was not leaves no trace in those that were."""
    machines = {machine.machine_id: machine for machine in loaded.machines}
    said = inbound.said
    state = ThreadState(user_id=said.user_id, chat_id=said.chat_id, machines=machines, zone=loaded.zone)
    for event in counted(loaded.events):
        if event.conversation_id in loaded.conversations:
            state = evolve(state, event)
    return state

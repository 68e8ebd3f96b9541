"""A reply that is owed: rendered from an event and the state right after it."""

import logging

from msgspec import Struct
from msgspec.structs import replace

from holdfast.domain.event import Event
from holdfast.domain.evolve import evolve
from holdfast.domain.flow import Flows
from holdfast.domain.ids import EventId, OriginId, ThreadId
from holdfast.domain.kinds import TIMERS, Kind
from holdfast.domain.order import counted
from holdfast.domain.render import owes_reply, render
from holdfast.domain.screen import Screen
from holdfast.domain.state import ThreadState
from holdfast.domain.wording import say
from holdfast.engine.blame import where

logger = logging.getLogger("holdfast.engine")


class Reply(Struct, frozen=True, kw_only=True, gc=False):
    """What shall be shown to whom, and the event it answers; `tapped` is the message whose button was tapped.

    `awaited`: somebody said something and waits for it. `taken_up`: the log owed it when that was read, and its turn
    may have sent it since. `origin`: it is sent in place of this worker.
    """

    thread_id: ThreadId
    chat_id: int
    answers: EventId
    screens: tuple[Screen, ...]
    callback_id: str = ""
    tapped: int = 0
    awaited: bool = True
    taken_up: bool = False
    origin: OriginId | None = None


def reply_to(flows: Flows, thread_id: ThreadId, state: ThreadState, event: Event) -> Reply:
    """Render the reply to an event; a renderer that fails becomes an apology, never an exception."""
    try:
        screens = render(flows, state, event)
    except Exception as error:  # noqa: BLE001 - a person never sees an exception
        logger.error("rendering %s failed: %s", event.kind, where(error))
        screens = (Screen(text=say("rule.failed")),)
    said = event.words.said if event.words else None
    return Reply(
        thread_id=thread_id,
        chat_id=state.chat_id,
        answers=event.event_id,
        screens=screens,
        callback_id=said.callback_id if said else "",
        tapped=said.message_id if said and said.type == "tap" else 0,
        awaited=event.kind not in TIMERS,
    )


def saved_here(reply: Reply) -> Reply:
    """Say with a reply that claims "saved" that it is so on this machine only, as long as no tier could be had.

    Where an event came to stand is known only after the append, so this is no part of what the event renders.
    """
    *others, last = reply.screens
    return replace(reply, screens=(*others, replace(last, text=f"{last.text}\n\n{say('saved.here')}")))


def replies_to(
    flows: Flows, thread_id: ThreadId, history: tuple[Event, ...], wanted: frozenset[EventId], *, safe: bool
) -> list[Reply]:
    """Render the replies that some events of a thread's history owe, each from the state as it was then.

    `safe`: no reply need say that what is saved stands on this machine alone.
    """
    state = ThreadState()
    replies = []
    for event in counted(history):
        state = evolve(state, event)
        if event.event_id in wanted and owes_reply(event):
            reply = reply_to(flows, thread_id, state, event)
            replies.append(reply if safe or event.kind != Kind.CONFIRMED else saved_here(reply))
    return replies

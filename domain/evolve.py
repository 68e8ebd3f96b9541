"""How an event changes the state of its thread. Total: an event that does not fit changes nothing."""

from collections.abc import Callable, Iterable
from typing import Any

from msgspec.structs import replace

from holdfast.domain.event import Event, Said
from holdfast.domain.ids import as_text
from holdfast.domain.kinds import ACCEPTED, AT_LOAD, ENDINGS, FILING, SILENT, TIMEZONE, Kind
from holdfast.domain.library import NAMING, shelved
from holdfast.domain.order import counted
from holdfast.domain.state import Answer, Conversation, ThreadState, Unfiled

EMPTY = ThreadState()


def fold(events: Iterable[Event], onto: ThreadState = EMPTY) -> ThreadState:
    """Fold a set of events of one thread, in whatever order they arrived, onto a state."""
    state = onto
    for event in counted(events):
        state = evolve(state, event)
    return state


def evolve(state: ThreadState, event: Event) -> ThreadState:
    """Take one event that comes next in canonical order."""
    if event.words is not None and event.words.said is not None:
        state = _heard(state, event.words.said)
    return _CHANGES.get(event.kind, _touched)(state, event)


def _heard(state: ThreadState, said: Said) -> ThreadState:
    heard = said.message_id if said.type not in {"tap", "edit"} else state.heard
    album = said.media_group if said.type == "photo" else state.album
    if (state.user_id, state.album) == (said.user_id, album) and heard <= state.heard:
        return state
    return replace(state, user_id=said.user_id, chat_id=said.chat_id, heard=max(heard, state.heard), album=album)


def _accepted(conversation: Conversation, event: Event) -> tuple[str, ...]:
    """Give the inputs that moved a conversation on, now with this event's if it did."""
    return (*conversation.accepted, event.dedup_key) if event.kind in ACCEPTED else conversation.accepted


def _moved(conversation: Conversation, event: Event, **changes: Any) -> Conversation:  # noqa: ANN401 - the fields' own types
    """Change a conversation in which its person was just heard: all at once, for each copy costs."""
    at = max(conversation.updated_at, event.occurred_at)
    if conversation.grace:
        changes["grace"] = max(0, conversation.updated_at + conversation.grace - at)
    return replace(conversation, updated_at=at, accepted=_accepted(conversation, event), **changes)


def _early(state: ThreadState, event: Event) -> ThreadState:
    """Remember an accepted input whose conversation starts later in the order: its place is that of an earlier copy."""
    identity = event.conversation_id
    if identity is None or identity in state.ended or event.kind not in ACCEPTED:
        return state
    return replace(state, early={**state.early, identity: (*state.early.get(identity, ()), event.dedup_key)})


def _touched(state: ThreadState, event: Event) -> ThreadState:
    conversation = state.conversation(event.conversation_id)
    if conversation is None:
        return _early(state, event)
    surplus = conversation.surplus
    if event.kind == Kind.UNEXPECTED and event.facts.rule == "surplus" and event.words and event.words.said:
        surplus = event.words.said.text
    elif event.facts.rule == "left_out":
        surplus = ""
    revisit = event.facts.reopens or conversation.revisit
    return state.with_open(_moved(conversation, event, revisit=revisit, surplus=surplus))


def _started(state: ThreadState, event: Event) -> ThreadState:
    facts = event.facts
    identity = event.conversation_id
    if identity is None or identity in state.ended:
        return state
    already = state.conversation(identity)
    if already is not None:
        return state.with_open(replace(already, accepted=_accepted(already, event)))
    state = _made_room(state, event)
    prefill = event.words.prefill if event.words else {}
    return state.with_open(
        Conversation(
            conversation_id=identity,
            flow=facts.flow,
            flow_version=facts.flow_version,
            started_at=event.occurred_at,
            updated_at=event.occurred_at,
            fields={field: Answer(value, event.dedup_key) for field, value in prefill.items()},
            revisit=facts.reopens,
            subject=facts.subject,
            accepted=(*state.early.get(identity, ()), event.dedup_key),
        )
    )


def _made_room(state: ThreadState, event: Event) -> ThreadState:
    """End the conversation that another of its flow takes the place of; one that it did not know of is to be told."""
    facts = event.facts
    rival = state.of_flow(facts.flow)
    told = facts.continues
    lapsed = tuple(one for one in state.lapsed if told and as_text(one.conversation_id) != told)
    superseded = tuple(one for one in state.superseded if as_text(one.conversation_id) != told)
    if rival is None:
        return replace(state, lapsed=lapsed, superseded=superseded)
    if facts.supersedes != as_text(rival.conversation_id):
        superseded = (*superseded, rival)
    state = state.with_ended(rival.conversation_id, "superseded")
    return replace(state, lapsed=(*lapsed, rival), superseded=superseded)


def _late(state: ThreadState, event: Event) -> ThreadState:
    """Keep an answer whose worker did not know that its conversation had ended: nothing acknowledged is dropped."""
    state = _early(state, event)
    if not event.facts.field:
        return state
    gone = next((one for one in state.superseded if one.conversation_id == event.conversation_id), None)
    if gone is None:
        return _unfiled(state, event)
    again = _filed(replace(EMPTY, open=(gone,), unfiled=state.unfiled), event)
    others = tuple(again.open[0] if one is gone else one for one in state.superseded)
    return replace(state, superseded=others, unfiled=again.unfiled)


def _unfiled(state: ThreadState, event: Event) -> ThreadState:
    """Keep an answer beside; a question that was skipped, or whose words are erased, has left nothing to keep."""
    facts, value = event.facts, event.words.value if event.words is not None else ""
    if not value or event.kind == Kind.SKIPPED:
        return state
    beside = Unfiled(event.dedup_key, event.conversation_id, facts.flow, facts.flow_version, facts.field, value)
    return replace(state, unfiled=(*state.unfiled, beside))


def _filed(state: ThreadState, event: Event) -> ThreadState:
    facts, words = event.facts, event.words
    conversation = state.conversation(event.conversation_id)
    if conversation is None:
        return _late(state, event)
    album = (words.said.media_group if words is not None and words.said is not None else "") or conversation.album
    if not facts.field:
        return state.with_open(_moved(conversation, event, album=album))
    held = conversation.fields.get(facts.field)
    value = words.value if words is not None and event.kind != Kind.SKIPPED else None
    if (held.source if held else "") != facts.replaces:
        state = state.with_open(replace(conversation, accepted=_accepted(conversation, event)))
        return state if held and held.value == value else _unfiled(state, event)
    answer = Answer(value, event.dedup_key, _message_of(event, held))
    return state.with_open(
        _moved(
            conversation,
            event,
            fields={**conversation.fields, facts.field: answer},
            revisit="" if conversation.revisit == facts.field else conversation.revisit,
            surplus=conversation.surplus if facts.cause in {"photo", "edit"} else "",
            album=album,
        )
    )


def _message_of(event: Event, held: Answer | None) -> int:
    """Find the message a value was sent in; a button or a command that keeps it does not move it."""
    if held is not None and event.facts.cause in {"button", "command"}:
        return held.message_id
    said = event.words.said if event.words else None
    return said.message_id if said else 0


def _resumed(state: ThreadState, event: Event) -> ThreadState:
    conversation = state.conversation(event.conversation_id)
    if conversation is None:
        return _early(state, event)
    others = tuple(one for one in state.open if one is not conversation)
    taken_up = _moved(conversation, event, revisit=event.facts.reopens or conversation.revisit)
    return replace(state, open=(*others, taken_up), lapsed=())


def _ended(state: ThreadState, event: Event) -> ThreadState:
    conversation = state.conversation(event.conversation_id)
    if conversation is None:
        return _early(state, event)
    if event.kind == Kind.CONFIRMED:
        state = _shelved(state, conversation, event)
    if event.kind == Kind.EXPIRED:
        state = replace(state, lapsed=(*state.lapsed, conversation))
    # One that ran out unnoticed left its question standing: nothing else was asked until the next input came.
    asks_below = conversation is state.active and event.facts.cause != AT_LOAD
    state = state.with_ended(conversation.conversation_id, ENDINGS[Kind(event.kind)])
    return _asked_anew(state, state.active, event) if asks_below and state.active else state


def _asked_anew(state: ThreadState, conversation: Conversation, event: Event) -> ThreadState:
    """What waited below is on top again with its question, and has all its time to be answered."""
    at = max(conversation.updated_at, event.occurred_at)
    grace = max(0, conversation.updated_at + conversation.grace - at)
    return state.with_open(replace(conversation, updated_at=at, grace=grace))


def _shelved(state: ThreadState, conversation: Conversation, event: Event) -> ThreadState:
    """Put a machine into the library; one that could not have the name it was given is to be told."""
    state = replace(state, machines=shelved(state.machines, conversation, event.occurred_at))
    machine = state.machines.get(conversation.conversation_id) or state.machine(conversation.subject)
    wanted = conversation.value("nickname")
    if machine is None or not wanted or wanted == machine.nickname or conversation.flow not in NAMING:
        return state
    return replace(state, renamed={**state.renamed, event.dedup_key: machine.machine_id})


def _merged(state: ThreadState, event: Event) -> ThreadState:
    """What is told is no longer untold."""
    facts, named = event.facts, {source for source, _ in event.facts.renamed}
    return replace(
        state,
        unfiled=tuple(one for one in state.unfiled if one.source not in facts.unfiled),
        superseded=tuple(one for one in state.superseded if as_text(one.conversation_id) not in facts.offers),
        renamed={source: one for source, one in state.renamed.items() if source not in named},
    )


def _unmoved(state: ThreadState, _event: Event) -> ThreadState:
    """A fact from outside: nobody spoke, so nothing moves on, and no deadline either."""
    return state


def _noted(state: ThreadState, event: Event) -> ThreadState:
    if event.facts.rule != TIMEZONE or event.words is None:
        return state
    return replace(state, zone=event.words.value)


def _reminded(state: ThreadState, event: Event) -> ThreadState:
    conversation = state.conversation(event.conversation_id)
    return state.with_open(replace(conversation, reminded=event.facts.basis)) if conversation else state


def _repeated(state: ThreadState, event: Event) -> ThreadState:
    """The bot was away: nobody spoke, but the time in which nobody could speak does not count."""
    conversation = state.conversation(event.conversation_id)
    if conversation is None or not event.facts.away:
        return state
    return state.with_open(replace(conversation, grace=conversation.grace + event.facts.away))


def _forgotten(state: ThreadState, _event: Event) -> ThreadState:
    return replace(EMPTY, user_id=state.user_id, chat_id=state.chat_id)


_CHANGES: dict[str, Callable[[ThreadState, Event], ThreadState]] = {
    Kind.STARTED: _started,
    Kind.RESUMED: _resumed,
    Kind.FORGOTTEN: _forgotten,
    Kind.NOTED: _noted,
    Kind.REMINDED: _reminded,
    Kind.REPEATED: _repeated,
    Kind.MERGED: _merged,
    **dict.fromkeys(SILENT, _unmoved),
    **dict.fromkeys(FILING, _filed),
    **dict.fromkeys(ENDINGS, _ended),
}

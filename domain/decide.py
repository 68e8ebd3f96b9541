"""What an input means: one event, always. No input of a person is an error."""

from functools import singledispatch

from msgspec import Struct
from msgspec.structs import replace

from holdfast.domain import intent as wish
from holdfast.domain.errors import UnknownFlow
from holdfast.domain.event import Draft, Facts, Words
from holdfast.domain.flow import CONFIRM, Flow, Flows, Refused, Step
from holdfast.domain.ids import ConversationId, as_text, conversation_of
from holdfast.domain.inbound import Inbound
from holdfast.domain.kinds import Kind
from holdfast.domain.state import Answer, Conversation, ThreadState
from holdfast.domain.wording import say


class Place(Struct, frozen=True):
    """Where an input lands: the active conversation, its flow and its step, beside the whole state."""

    flows: Flows
    state: ThreadState
    inbound: Inbound
    active: Conversation | None
    flow: Flow | None
    step: str


class _Asked(Struct, frozen=True):
    """A place where a question stands."""

    at: Place
    conversation: Conversation
    flow: Flow
    step: str


def decide(flows: Flows, state: ThreadState, inbound: Inbound) -> Draft:
    """Decide what one input is, given all that was said before it."""
    try:
        place = _place(flows, state, inbound)
        return _decide(wish.interpret(flows, state, inbound.said), place)
    except UnknownFlow:
        return unexpected(state, inbound, "flow_missing")


def unexpected(state: ThreadState, inbound: Inbound, rule: str) -> Draft:
    """Keep an input that could not be taken further; `rule` says why, and chooses the reply."""
    active = state.active
    kind = Kind.UNEXPECTED if active else Kind.NOTED
    facts = Facts(
        flow=active.flow if active else "",
        flow_version=active.flow_version if active else 0,
        rule=rule,
        cause=wish.cause_of(inbound.said),
        language=inbound.said.language,
    )
    return Draft(
        kind=kind,
        conversation_id=active.conversation_id if active else None,
        facts=facts,
        words=Words(said=inbound.said),
    )


def _place(flows: Flows, state: ThreadState, inbound: Inbound) -> Place:
    active = state.active
    flow = flows.get(active.flow, active.flow_version) if active else None
    step = active.current_step(flow) if active and flow else ""
    return Place(flows, state, inbound, active, flow, step)


def _draft(  # noqa: PLR0913 - one argument per fact that differs between kinds
    at: Place,
    kind: Kind,
    *,
    after: Conversation | None,
    field: str = "",
    replaces: str = "",
    reopens: str = "",
    rule: str = "",
    resumes: str = "",
    value: str = "",
    complaint: str = "",
) -> Draft:
    said = at.inbound.said
    facts = Facts(
        flow=at.flow.name if at.flow else "",
        flow_version=at.flow.version if at.flow else 0,
        step=at.step,
        next_step=after.current_step(at.flow) if after and at.flow else "",
        field=field,
        replaces=replaces,
        reopens=reopens,
        rule=rule,
        resumes=resumes,
        cause=wish.cause_of(said),
        language=said.language,
    )
    return Draft(
        kind=kind,
        conversation_id=at.active.conversation_id if at.active else None,
        facts=facts,
        words=Words(said=said, value=value, complaint=complaint),
    )


def _noted(at: Place, topic: str) -> Draft:
    said = at.inbound.said
    facts = Facts(rule=topic, cause=wish.cause_of(said), language=said.language)
    return Draft(kind=Kind.NOTED, conversation_id=None, facts=facts, words=Words(said=said))


def _stray(at: Place, rule: str) -> Draft:
    if at.active is None:
        return _noted(at, rule)
    return _draft(at, Kind.UNEXPECTED, after=at.active, rule=rule)


def _asked(at: Place) -> _Asked | None:
    return _Asked(at, at.active, at.flow, at.step) if at.active and at.flow else None


@singledispatch
def _decide(intent: object, at: Place) -> Draft:
    message = f"no rule for {intent!r} at {at.step!r}"
    raise TypeError(message)


@_decide.register
def _(intent: wish.Start, at: Place) -> Draft:
    already = at.state.of_flow(intent.flow.name)
    return _resume(already, at) if already else _begin(intent.flow, at)


def _begin(flow: Flow, at: Place) -> Draft:
    said = at.inbound.said
    facts = Facts(
        flow=flow.name,
        flow_version=flow.version,
        next_step=flow.steps[0].name,
        cause=wish.cause_of(said),
        language=said.language,
        parked=tuple(as_text(one.conversation_id) for one in at.state.open),
    )
    identity = conversation_of(at.inbound.thread_id, at.inbound.dedup_key)
    return Draft(kind=Kind.STARTED, conversation_id=identity, facts=facts, words=Words(said=said))


def _resume(conversation: Conversation, at: Place) -> Draft:
    said = at.inbound.said
    step = conversation.current_step(at.flows.get(conversation.flow, conversation.flow_version))
    facts = Facts(
        flow=conversation.flow,
        flow_version=conversation.flow_version,
        step=step,
        next_step=step,
        cause=wish.cause_of(said),
        language=said.language,
        parked=tuple(as_text(one.conversation_id) for one in at.state.open if one is not conversation),
    )
    return Draft(
        kind=Kind.RESUMED,
        conversation_id=conversation.conversation_id,
        facts=facts,
        words=Words(said=said),
    )


@_decide.register
def _(intent: wish.Ask, at: Place) -> Draft:
    if intent.topic == "start" and at.active:
        return _resume(at.active, at)
    return _noted(at, intent.topic)


@_decide.register
def _(intent: wish.Stray, at: Place) -> Draft:
    return _stray(at, intent.rule)


@_decide.register
def _(intent: wish.Reply, at: Place) -> Draft:
    asked = _asked(at)
    if asked is None:
        return _noted(at, "talk")
    if asked.step == CONFIRM:
        return _stray(at, "use_buttons")
    step = asked.flow.step(asked.step)
    if step.photo:
        return _rejected(asked, "photo_expected", say("rule.photo_expected"))
    return _answered(asked, step, intent.text)


def _answered(asked: _Asked, step: Step, text: str) -> Draft:
    try:
        value = step.parse(text)
    except Refused as refused:
        return _rejected(asked, refused.rule, refused.complaint)
    if step.unique and _taken(asked, value):
        return _rejected(asked, "taken", say("rule.taken", value=value))
    return _file(asked, step.name, value)


def _taken(asked: _Asked, value: str) -> bool:
    return asked.at.state.has_machine_called(value)


def _rejected(asked: _Asked, rule: str, complaint: str) -> Draft:
    return _draft(asked.at, Kind.REJECTED, after=asked.conversation, rule=rule, complaint=complaint)


def _file(asked: _Asked, field: str, value: str, kind: Kind | None = None) -> Draft:
    held = asked.conversation.fields.get(field)
    inbound = asked.at.inbound
    stands = None if kind == Kind.SKIPPED else value
    after = asked.conversation.filed(field, Answer(stands, inbound.dedup_key), inbound.occurred_at)
    return _draft(
        asked.at,
        kind or (Kind.CORRECTED if held else Kind.ANSWERED),
        after=after,
        field=field,
        replaces=held.source if held else "",
        value=value,
    )


@_decide.register
def _(_intent: wish.Skip, at: Place) -> Draft:
    asked = _asked(at)
    if asked is None:
        return _noted(at, "nothing_open")
    if asked.step == CONFIRM:
        return _stray(at, "use_buttons")
    held = asked.conversation.fields.get(asked.step)
    if held and held.value is not None:
        return _file(asked, asked.step, held.value)
    return _leave_empty(asked)


@_decide.register
def _(_intent: wish.Clear, at: Place) -> Draft:
    asked = _asked(at)
    return _leave_empty(asked) if asked and asked.step != CONFIRM else _stray(at, "use_buttons")


def _leave_empty(asked: _Asked) -> Draft:
    if not asked.flow.step(asked.step).optional:
        return _rejected(asked, "required", say("rule.required"))
    return _file(asked, asked.step, "", Kind.SKIPPED)


@_decide.register
def _(_intent: wish.Back, at: Place) -> Draft:
    asked = _asked(at)
    if asked is None:
        return _noted(at, "nothing_open")
    place = asked.flow.order[asked.step]
    if place == 0:
        return _stray(at, "first_step")
    return _reopen(asked, asked.flow.steps[place - 1].name)


@_decide.register
def _(intent: wish.Change, at: Place) -> Draft:
    asked = _asked(at)
    return _reopen(asked, intent.field) if asked else _stray(at, "nothing_open")


def _reopen(asked: _Asked, field: str) -> Draft:
    draft = _draft(asked.at, Kind.BACK, after=None, reopens=field)
    return _with_next(draft, field)


def _with_next(draft: Draft, step: str) -> Draft:
    return replace(draft, facts=replace(draft.facts, next_step=step))


@_decide.register
def _(_intent: wish.Cancel, at: Place) -> Draft:
    return _end(at, Kind.CANCELLED) if at.active else _noted(at, "nothing_open")


@_decide.register
def _(_intent: wish.Confirm, at: Place) -> Draft:
    asked = _asked(at)
    if asked is None or asked.step != CONFIRM:
        return _stray(at, "not_yet")
    for step in asked.flow.steps:
        value = asked.conversation.value(step.name)
        if step.unique and _taken(asked, value):
            return _refused_late(asked, step.name, say("rule.taken", value=value))
    return _end(at, Kind.CONFIRMED, asked.conversation.value(asked.flow.steps[0].name))


def _refused_late(asked: _Asked, field: str, complaint: str) -> Draft:
    draft = _draft(asked.at, Kind.REJECTED, after=None, rule="taken", reopens=field, complaint=complaint)
    return _with_next(draft, field)


def _end(at: Place, kind: Kind, value: str = "") -> Draft:
    below = at.state.open[-2].conversation_id if len(at.state.open) > 1 else None
    return _draft(at, kind, after=None, resumes=_text(below), value=value)


def _text(identity: ConversationId | None) -> str:
    return as_text(identity) if identity else ""


@_decide.register
def _(intent: wish.Photo, at: Place) -> Draft:
    asked = _asked(at)
    if asked is None:
        return _noted(at, "photo")
    step = _photo_step(asked)
    if step is None:
        return _stray(at, "photo_unwanted")
    return _file(asked, step.name, intent.file_id, Kind.PHOTO_ADDED)


def _photo_step(asked: _Asked) -> Step | None:
    """Find the step a photo answers: the one that asks for it now, else the flow's first."""
    here = asked.flow.step(asked.step) if asked.step != CONFIRM else None
    return here if here and here.photo else asked.flow.photo_step


@_decide.register
def _(intent: wish.Edit, at: Place) -> Draft:
    asked = _asked(at)
    field = _field_of_message(asked, intent.message_id) if asked else None
    if asked is None or field is None:
        return _stray(at, "unknown_edit")
    step = asked.flow.step(field)
    if not step.photo:
        return _answered(asked, step, intent.text)
    file_id = at.inbound.said.file_id
    return _file(asked, field, file_id, Kind.PHOTO_ADDED) if file_id else _stray(at, "unknown_edit")


def _field_of_message(asked: _Asked, message_id: int) -> str | None:
    fields = asked.conversation.fields
    return next((field for field, answer in fields.items() if answer.message_id == message_id and message_id), None)

"""What an input means: one event, always. No input of a person is an error."""

from functools import singledispatch

from msgspec.structs import replace

from holdfast.domain import intent as wish
from holdfast.domain.drafts import (
    Asked,
    Place,
    asked_at,
    draft,
    ended,
    filed,
    lapsed,
    noted,
    place_of,
    rejected,
    reopened,
    resumed,
    started,
    stray,
    unexpected,
)
from holdfast.domain.errors import UnknownFlow
from holdfast.domain.event import Draft
from holdfast.domain.flow import CONFIRM, Flows, Refused, Step
from holdfast.domain.inbound import Inbound
from holdfast.domain.kinds import TIMEZONE, Kind
from holdfast.domain.library import ADD_MACHINE, EDIT_MACHINE, REMOVE_MACHINE
from holdfast.domain.past import answer_beside, answer_in_message, event_named, lines_of_machine
from holdfast.domain.revival import change_machine, is_taken, taken_up, used
from holdfast.domain.state import ThreadState
from holdfast.domain.wording import say
from holdfast.domain.zones import understood


def decide(flows: Flows, state: ThreadState, inbound: Inbound) -> Draft:
    """Decide what one input is, given all that was said before it."""
    decided = _decided(flows, state, inbound)
    return replace(decided, facts=replace(decided.facts, delayed=True)) if inbound.delayed else decided


def _decided(flows: Flows, state: ThreadState, inbound: Inbound) -> Draft:
    if inbound.barred:
        return unexpected(state, inbound, inbound.barred)
    try:
        place = place_of(flows, state, inbound)
        return _decide(wish.interpret(flows, state, inbound.said), place)
    except UnknownFlow:
        return unexpected(state, inbound, "flow_missing")


@singledispatch
def _decide(intent: object, at: Place) -> Draft:
    raise TypeError(f"no rule for {intent!r} at {at.step!r}")


@_decide.register
def _start(intent: wish.Start, at: Place) -> Draft:
    already = at.state.of_flow(intent.flow.name)
    if already:
        return resumed(at, already)
    has_lapsed = any(one.flow == intent.flow.name for one in at.state.lapsed)
    if has_lapsed and wish.cause_of(at.inbound.said) == "command":
        return lapsed(at)
    return started(at, intent.flow)


@_decide.register
def _ask(intent: wish.Ask, at: Place) -> Draft:
    if intent.topic == "start" and at.active:
        return resumed(at, at.active)
    if intent.subject and at.state.machine(intent.subject) is None:
        return stray(at, "no_machine")
    return noted(at, intent.topic, intent.subject)


@_decide.register
def _set_zone(intent: wish.SetZone, at: Place) -> Draft:
    zone = understood(intent.zone)
    if zone:
        return noted(at, TIMEZONE, value=zone)
    return noted(at, "unknown_timezone" if intent.zone else "timezones", value=at.state.zone or at.flows.zone)


@_decide.register
def _stray(intent: wish.Stray, at: Place) -> Draft:
    return stray(at, intent.rule)


@_decide.register
def _reply(intent: wish.Reply, at: Place) -> Draft:
    asked = asked_at(at)
    if asked is None:
        return lapsed(at) if at.state.lapsed else noted(at, "talk")
    if any(one.updated_at > asked.conversation.updated_at for one in at.state.lapsed):
        return stray(at, "lapsed")
    if asked.step == CONFIRM:
        return stray(at, "surplus" if asked.flow.steps else "use_buttons")
    step = asked.flow.step(asked.step)
    if step.photo:
        return rejected(asked, "photo_expected", say("rule.photo_expected"))
    return _answered(asked, step, intent.text)


def _answered(asked: Asked, step: Step, text: str) -> Draft:
    try:
        value = step.parse(text)
    except Refused as refused:
        return rejected(asked, refused.rule, refused.complaint)
    if step.unique and is_taken(asked, value):
        return rejected(asked, "taken", say("rule.taken", value=value))
    return filed(asked, step.name, value)


@_decide.register
def _skip(_intent: wish.Skip, at: Place) -> Draft:
    asked = asked_at(at)
    if asked is None:
        return noted(at, "nothing_open")
    if asked.step == CONFIRM:
        return stray(at, "use_buttons")
    held = asked.conversation.fields.get(asked.step)
    if held and held.value is not None:
        return filed(asked, asked.step, held.value, rule="kept")
    return _left_empty(asked)


@_decide.register
def _clear(_intent: wish.Clear, at: Place) -> Draft:
    asked = asked_at(at)
    return _left_empty(asked) if asked and asked.step != CONFIRM else stray(at, "use_buttons")


def _left_empty(asked: Asked) -> Draft:
    if not asked.flow.step(asked.step).optional:
        return rejected(asked, "required", say("rule.required"))
    return filed(asked, asked.step, "", Kind.SKIPPED)


@_decide.register
def _back(_intent: wish.Back, at: Place) -> Draft:
    asked = asked_at(at)
    if asked is None:
        return noted(at, "nothing_open")
    place = asked.flow.order[asked.step]
    return reopened(asked, asked.flow.steps[place - 1].name) if place else stray(at, "first_step")


@_decide.register
def _change(intent: wish.Change, at: Place) -> Draft:
    asked = asked_at(at)
    return reopened(asked, intent.field) if asked else stray(at, "nothing_open")


@_decide.register
def _put(intent: wish.Put, at: Place) -> Draft:
    asked = asked_at(at)
    if asked is None or not asked.conversation.surplus:
        return stray(at, "already_answered")
    step = asked.flow.step(intent.field)
    return stray(at, "photo_expected") if step.photo else _answered(asked, step, asked.conversation.surplus)


@_decide.register
def _cancel(_intent: wish.Cancel, at: Place) -> Draft:
    return ended(at, Kind.CANCELLED) if at.active else noted(at, "nothing_open")


@_decide.register
def _confirm(_intent: wish.Confirm, at: Place) -> Draft:
    asked = asked_at(at)
    if asked is None or asked.step != CONFIRM:
        return stray(at, "not_yet")
    if asked.conversation.subject and at.state.machine(asked.conversation.subject) is None:
        return stray(at, "no_machine")
    for step in asked.flow.steps:
        value = asked.conversation.value(step.name)
        if step.unique and is_taken(asked, value):
            return rejected(asked, "taken", say("rule.taken", value=value), reopens=step.name)
    return ended(at, Kind.CONFIRMED, _name(asked))


def _name(asked: Asked) -> str:
    """Give what a conversation is about in a word: its first answer, or its machine's name."""
    machine = asked.at.state.machine(asked.conversation.subject)
    if not asked.flow.steps:
        return machine.nickname if machine else ""
    return asked.conversation.value(asked.flow.steps[0].name)


@_decide.register
def _photo(intent: wish.Photo, at: Place) -> Draft:
    asked = asked_at(at)
    if asked is None:
        return noted(at, "album" if intent.album and intent.album == at.state.album else "photo")
    step = _photo_step(asked)
    if step is None:
        return stray(at, "photo_unwanted")
    if intent.album and intent.album == asked.conversation.album:
        return draft(at, Kind.PHOTO_ADDED, next_step=at.step, rule="album", value=intent.file_id)
    return filed(asked, step.name, intent.file_id, Kind.PHOTO_ADDED)


def _photo_step(asked: Asked) -> Step | None:
    """Find the step a photo answers: the one that asks for it now, else the flow's first."""
    here = asked.flow.step(asked.step) if asked.step != CONFIRM else None
    return here if here and here.photo else asked.flow.photo_step


@_decide.register
def _edit(intent: wish.Edit, at: Place) -> Draft:
    asked = asked_at(at)
    field = _field_of_message(asked, intent.message_id) if asked else None
    if asked is None or field is None:
        return _edit_of_the_past(intent, at)
    step = asked.flow.step(field)
    if not step.photo:
        return _answered(asked, step, intent.text)
    file_id = at.inbound.said.file_id
    return filed(asked, field, file_id, Kind.PHOTO_ADDED) if file_id else stray(at, "unknown_edit")


def _field_of_message(asked: Asked, message_id: int) -> str | None:
    fields = asked.conversation.fields
    return next((field for field, answer in fields.items() if message_id and answer.message_id == message_id), None)


def _edit_of_the_past(intent: wish.Edit, at: Place) -> Draft:
    """Offer to change the machine whose field an edited message once filled."""
    found = answer_in_message(at.inbound.about, at.state, intent.message_id)
    flow = at.flows.newest(EDIT_MACHINE)
    if found is None or flow is None or flow.step(found.field).photo:
        return stray(at, "unknown_edit")
    try:
        value = flow.step(found.field).parse(intent.text)
    except Refused:
        return stray(at, "unknown_edit")
    return noted(at, "edit_offer", found.subject, found.field, value=value)


@_decide.register
def _apply_edit(intent: wish.ApplyEdit, at: Place) -> Draft:
    offer = event_named(at.inbound.about, intent.event_id)
    if offer is None or offer.words is None:
        return stray(at, "over")
    return change_machine(at, offer.facts.subject, {offer.facts.field: offer.words.value})


@_decide.register
def _change_field(intent: wish.ChangeMachine, at: Place) -> Draft:
    open_already = at.state.of_flow(EDIT_MACHINE)
    if open_already and open_already.subject == intent.subject:
        return resumed(at, open_already, reopens=intent.field)
    return change_machine(at, intent.subject, {}, intent.field)


@_decide.register
def _remove(intent: wish.RemoveMachine, at: Place) -> Draft:
    flow, machine = at.flows.newest(REMOVE_MACHINE), at.state.machine(intent.subject)
    if flow is None or machine is None:
        return stray(at, "no_machine")
    already = at.state.of_flow(REMOVE_MACHINE)
    if already and already.subject == intent.subject:
        return resumed(at, already)
    return started(at, flow, subject=intent.subject)


@_decide.register
def _history(intent: wish.History, at: Place) -> Draft:
    if at.state.machine(intent.subject) is None:
        return stray(at, "no_machine")
    return noted(at, "history", intent.subject, lines=lines_of_machine(at.inbound.about, intent.subject))


@_decide.register
def _save_photo(intent: wish.SavePhoto, at: Place) -> Draft:
    flow, photo = at.flows.newest(ADD_MACHINE), event_named(at.inbound.about, intent.event_id)
    if flow is None or flow.photo_step is None or photo is None or not photo.words or not photo.words.said:
        return stray(at, "over")
    already = at.state.of_flow(ADD_MACHINE)
    if already:
        return resumed(at, already)
    return started(at, flow, prefill={flow.photo_step.name: photo.words.said.file_id})


@_decide.register
def _use(intent: wish.Use, at: Place) -> Draft:
    return used(at, answer_beside(at.inbound.about, intent.event_id, intent.place))


@_decide.register
def _take_up(intent: wish.TakeUp, at: Place) -> Draft:
    open_still = at.state.conversation(intent.conversation_id)
    if open_still:
        return resumed(at, open_still)
    return taken_up(at, intent.conversation_id, {})

"""What counts again: a conversation of the past taken up, an answer that was left beside, a machine changed."""

from msgspec.structs import replace

from holdfast.domain.drafts import Asked, Place, filed, rejected, resumed, started, stray
from holdfast.domain.event import Draft, Event
from holdfast.domain.ids import ConversationId, as_text
from holdfast.domain.kinds import Kind
from holdfast.domain.library import EDIT_MACHINE, values_of
from holdfast.domain.past import conversation_of_the_past, gave_way, machine_of
from holdfast.domain.state import Conversation
from holdfast.domain.wording import say

Values = dict[str, str | None]
"""Values by their fields."""


def is_taken(asked: Asked, value: str) -> bool:
    """Whether another machine of this person has the name that was answered."""
    return asked.at.state.has_machine_called(value, asked.conversation.subject)


def change_machine(at: Place, subject: str, changes: Values, reopens: str = "") -> Draft:
    """Draft a change of a machine, beginning with its values, and with those that shall stand in their place."""
    flow, machine = at.flows.newest(EDIT_MACHINE), at.state.machine(subject)
    if flow is None or machine is None:
        return stray(at, "no_machine")
    prefill = {**values_of(machine), **_under_way(at, subject), **changes}
    return started(at, flow, prefill=prefill, subject=subject, reopens=reopens)


def _under_way(at: Place, subject: str) -> Values:
    """Give what a change of this machine that is open holds: the next one takes its place."""
    already = at.state.of_flow(EDIT_MACHINE)
    mine = already.fields if already and already.subject == subject else {}
    return {field: answer.value for field, answer in mine.items()}


def taken_up(at: Place, identity: ConversationId, changes: Values) -> Draft:
    """Begin anew with what a conversation of the past held, and with what shall stand in its place."""
    past = conversation_of_the_past(at.inbound.about, identity)
    flow = at.flows.newest(past.flow) if past else None
    if past is None or flow is None:
        return stray(at, "over")
    if past.subject and at.state.machine(past.subject) is None:
        return stray(at, "no_machine")
    already = at.state.of_flow(past.flow)
    if already:
        return resumed(at, already)
    held = {field: answer.value for field, answer in past.fields.items()} | changes
    prefill = {field: value for field, value in held.items() if field in flow.order}
    return started(
        at, flow, prefill=prefill, subject=past.subject, reopens=past.revisit, continues=as_text(past.conversation_id)
    )


def used(at: Place, answer: Event | None) -> Draft:
    """Let an answer count after all: where it belonged, else in its machine, else in what is taken up for it."""
    if answer is None or answer.words is None or answer.conversation_id is None:
        return stray(at, "over")
    identity, value, about = answer.conversation_id, answer.words.value, at.inbound.about
    own = at.state.conversation(identity)
    if own is None and gave_way(about, identity):
        own = at.state.of_flow(answer.facts.flow)
    if own is not None:
        return _put_into(at, own, answer.facts.field, value)
    changes: Values = {answer.facts.field: value}
    subject = machine_of(about, identity)
    if at.state.machine(subject) is not None:
        return change_machine(at, subject, changes)
    return taken_up(at, identity, changes)


def _put_into(at: Place, conversation: Conversation, field: str, value: str) -> Draft:
    """File a value that was understood before into a conversation that is open, also one that is parked."""
    flow = at.flows.get(conversation.flow, conversation.flow_version)
    step = conversation.current_step(flow)
    asked = Asked(replace(at, active=conversation, flow=flow, step=step), conversation, flow, step)
    if field not in flow.order:
        return stray(at, "over")
    if flow.step(field).unique and is_taken(asked, value):
        return rejected(asked, "taken", say("rule.taken", value=value))
    return filed(asked, field, value, Kind.PHOTO_ADDED if flow.step(field).photo else None)

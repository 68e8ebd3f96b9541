"""What a fork left untold, and the event that tells it: by its name the same one on all workers that know as much."""

from hashlib import sha256

from msgspec import Struct

from holdfast.domain.drafts import name_of
from holdfast.domain.event import Draft, Facts, Words
from holdfast.domain.flow import Flows, Step
from holdfast.domain.ids import as_text
from holdfast.domain.kinds import Kind
from holdfast.domain.library import values_of
from holdfast.domain.question import readable
from holdfast.domain.state import Conversation, Machine, ThreadState, Unfiled
from holdfast.domain.wording import clipped, say

_QUOTED = 200
"""Characters of a value that are told of each side: several such lines must fit into a message."""


class Told(Struct, frozen=True, gc=False):
    """One thing on the card: what it is called, and the sentence that tells it."""

    called: str
    line: str


def is_untold(state: ThreadState) -> bool:
    """Whether a fork left something that the person was not told of; right for the fold of a whole thread."""
    return bool(state.unfiled or _superseded(state) or _renamed(state))


def card_of(flows: Flows, state: ThreadState) -> Draft | None:
    """Draft the event that tells everything a fork left; None when nothing is left to tell.

    It depends on what it tells alone, so that copies of it are alike, and one reply does for all of them.
    """
    if not is_untold(state):
        return None
    superseded, renamed = _superseded(state), _renamed(state)
    things = [
        *(_tell_unfiled(flows, state, one) for one in state.unfiled),
        *(_tell_superseded(flows, one) for one in superseded),
        *(_tell_renamed(machine) for machine in renamed.values()),
    ]
    facts = Facts(
        cause="fork",
        unfiled=tuple(one.source for one in state.unfiled),
        offers=tuple(as_text(one.conversation_id) for one in superseded),
        renamed=tuple((source, as_text(machine.machine_id)) for source, machine in renamed.items()),
    )
    words = Words(called=tuple(one.called for one in things), lines=tuple(one.line for one in things))
    return Draft(kind=Kind.MERGED, conversation_id=None, facts=facts, words=words)


def merge_key(facts: Facts) -> str:
    """Name the telling of these things: the same on every worker, in whatever order it learned of them."""
    told = sorted((*facts.unfiled, *facts.offers, *(source for source, _ in facts.renamed)))
    digest = sha256("\n".join(told).encode()).hexdigest()[:32]
    return f"merge:{digest}"


def _superseded(state: ThreadState) -> list[Conversation]:
    """Give the superseded conversations in which something was answered: the others left nothing to take up."""
    return [one for one in state.superseded if one.fields]


def _renamed(state: ThreadState) -> dict[str, Machine]:
    return {source: state.machines[one] for source, one in state.renamed.items() if one in state.machines}


def _tell_unfiled(flows: Flows, state: ThreadState, one: Unfiled) -> Told:
    step = _step(flows, one)
    title = step.title if step else one.field
    value, counts = (readable(step, text) if step and text else text for text in (one.value, _counts(state, one)))
    called = clipped(value, _QUOTED)
    if not counts:
        return Told(called, say("merged.late", title=title, value=called))
    return Told(called, say("merged.unfiled", title=title, value=called, counts=clipped(counts, _QUOTED)))


def _step(flows: Flows, one: Unfiled) -> Step | None:
    if not flows.has(one.flow, one.flow_version):
        return None
    flow = flows.get(one.flow, one.flow_version)
    return flow.step(one.field) if one.field in flow.order else None


def _counts(state: ThreadState, one: Unfiled) -> str:
    """Give the value that stands where this one would have gone; empty where there is none."""
    conversation = state.conversation(one.conversation_id)
    if conversation is not None:
        return conversation.value(one.field)
    machine = state.machines.get(one.conversation_id) if one.conversation_id else None
    return (values_of(machine).get(one.field) or "") if machine else ""


def _tell_superseded(flows: Flows, one: Conversation) -> Told:
    called = clipped(name_of(flows, one), _QUOTED)
    return Told(called, say("merged.superseded", name=called))


def _tell_renamed(machine: Machine) -> Told:
    called = clipped(machine.nickname, _QUOTED)
    return Told(called, say("merged.renamed", name=called))

"""The drafts of events: facts and words filled in from where an input lands."""

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from holdfast.domain.event import Draft, Facts, Words
from holdfast.domain.flow import Flow, Flows
from holdfast.domain.ids import as_text, conversation_of
from holdfast.domain.inbound import Inbound
from holdfast.domain.intent import cause_of
from holdfast.domain.kinds import AT_LOAD, BY_CLOCK, Kind
from holdfast.domain.state import Answer, Conversation, ThreadState
from holdfast.domain.timers import Timer

OUTAGE = "outage"
"""The cause of what an outage brings."""
UNASKED = "unasked"
"""The rule by which an outage's time counts for a conversation, and nothing is said."""


class Place(Struct, frozen=True, gc=False):
    """Where an input lands: the active conversation, its flow and its step, beside the whole state."""

    flows: Flows
    state: ThreadState
    inbound: Inbound
    active: Conversation | None
    flow: Flow | None
    step: str


class Asked(Struct, frozen=True, gc=False):
    """A place where a question, or a card, stands."""

    at: Place
    conversation: Conversation
    flow: Flow
    step: str


def place_of(flows: Flows, state: ThreadState, inbound: Inbound) -> Place:
    """Find where an input lands; UnknownFlow when the active conversation's flow is not loaded."""
    active = state.active
    flow = flows.get(active.flow, active.flow_version) if active else None
    step = active.current_step(flow) if active and flow else ""
    return Place(flows, state, inbound, active, flow, step)


def asked_at(at: Place) -> Asked | None:
    """Give the question that stands, if one does."""
    return Asked(at, at.active, at.flow, at.step) if at.active and at.flow else None


def draft(  # noqa: PLR0913 - one argument for each fact that differs between kinds
    at: Place,
    kind: Kind,
    *,
    next_step: str = "",
    field: str = "",
    replaces: str = "",
    reopens: str = "",
    rule: str = "",
    resumes: str = "",
    subject: str = "",
    value: str = "",
    complaint: str = "",
) -> Draft:
    """Draft an event of the active conversation."""
    said = at.inbound.said
    return Draft(
        kind=kind,
        conversation_id=at.active.conversation_id if at.active else None,
        facts=Facts(
            flow=at.flow.name if at.flow else "",
            flow_version=at.flow.version if at.flow else 0,
            step=at.step,
            next_step=next_step,
            field=field,
            replaces=replaces,
            reopens=reopens,
            rule=rule,
            resumes=resumes,
            subject=subject,
            cause=cause_of(said),
            language=said.language,
        ),
        words=Words(said=said, value=value, complaint=complaint),
    )


def lapsed(at: Place) -> Draft:
    """Draft an input that is answered with the offer to take up what has lapsed, the last one first."""
    offered = at.state.lapsed[::-1]
    draft = noted(at, "lapsed", as_text(offered[0].conversation_id))
    if len(offered) == 1:
        return draft
    called = tuple(name_of(at.flows, one) for one in offered)
    return replace(draft, facts=replace(draft.facts, offers=_ids(offered)), words=replace(draft.words, called=called))


def name_of(flows: Flows, conversation: Conversation) -> str:
    """Give what a conversation is called: its first answer, else its flow's title, or name where it is not loaded."""
    if not flows.has(conversation.flow, conversation.flow_version):
        return conversation.flow
    flow = flows.get(conversation.flow, conversation.flow_version)
    return (conversation.value(flow.steps[0].name) if flow.steps else "") or flow.title


def noted(  # noqa: PLR0913 - one argument for each fact that differs between topics
    at: Place, topic: str, subject: str = "", field: str = "", *, value: str = "", lines: tuple[str, ...] = ()
) -> Draft:
    """Draft an input that has nothing to do with a conversation."""
    said = at.inbound.said
    facts = Facts(rule=topic, subject=subject, field=field, cause=cause_of(said), language=said.language)
    return Draft(kind=Kind.NOTED, conversation_id=None, facts=facts, words=Words(said=said, value=value, lines=lines))


def stray(at: Place, rule: str) -> Draft:
    """Draft an input that does not belong where it came."""
    if at.active is None:
        return noted(at, rule)
    return draft(at, Kind.UNEXPECTED, next_step=at.step, rule=rule)


def unexpected(state: ThreadState, inbound: Inbound, rule: str) -> Draft:
    """Draft an input that could not be taken further, whatever its conversation's flow."""
    active = state.active
    said = inbound.said
    return Draft(
        kind=Kind.UNEXPECTED if active else Kind.NOTED,
        conversation_id=active.conversation_id if active else None,
        facts=Facts(
            flow=active.flow if active else "",
            flow_version=active.flow_version if active else 0,
            rule=rule,
            cause=cause_of(said),
            language=said.language,
            delayed=inbound.delayed,
        ),
        words=Words(said=said),
    )


def rejected(asked: Asked, rule: str, complaint: str, reopens: str = "") -> Draft:
    """Draft an answer that was refused; `reopens` asks another field again."""
    next_step = reopens or asked.step
    return draft(asked.at, Kind.REJECTED, next_step=next_step, rule=rule, complaint=complaint, reopens=reopens)


def filed(asked: Asked, field: str, value: str, kind: Kind | None = None, rule: str = "") -> Draft:
    """Draft an answer put into its field; without a kind it is given, or corrected where there was one."""
    held = asked.conversation.fields.get(field)
    return draft(
        asked.at,
        kind or (Kind.CORRECTED if held else Kind.ANSWERED),
        next_step=asked.conversation.step_after(field, asked.flow),
        field=field,
        replaces=held.source if held else "",
        rule=rule,
        value=value,
    )


def reopened(asked: Asked, field: str) -> Draft:
    """Draft going to a question that was answered before."""
    return draft(asked.at, Kind.BACK, next_step=field, reopens=field)


def ended(at: Place, kind: Kind, value: str = "") -> Draft:
    """Draft the end of the active conversation; the one parked last is taken up again."""
    below = at.state.open[-2] if len(at.state.open) > 1 else None
    resumes = as_text(below.conversation_id) if below else ""
    subject = at.active.subject if at.active else ""
    return draft(at, kind, value=value, resumes=resumes, subject=subject)


def started(  # noqa: PLR0913 - what a conversation can begin with
    at: Place,
    flow: Flow,
    *,
    prefill: dict[str, str | None] | None = None,
    subject: str = "",
    reopens: str = "",
    continues: str = "",
) -> Draft:
    """Draft the start of a conversation; those that are open are parked."""
    inbound, rival = at.inbound, at.state.of_flow(flow.name)
    fields = {field: Answer(value, inbound.dedup_key) for field, value in (prefill or {}).items()}
    first = Conversation(
        conversation_id=conversation_of(inbound.thread_id, inbound.dedup_key),
        flow=flow.name,
        flow_version=flow.version,
        started_at=inbound.occurred_at,
        updated_at=inbound.occurred_at,
        fields=fields,
        revisit=reopens,
    )
    facts = Facts(
        flow=flow.name,
        flow_version=flow.version,
        next_step=first.current_step(flow),
        reopens=reopens,
        cause=cause_of(inbound.said),
        language=inbound.said.language,
        parked=_ids(one for one in at.state.open if one.flow != flow.name),
        subject=subject,
        continues=continues,
        supersedes=as_text(rival.conversation_id) if rival else "",
    )
    words = Words(said=inbound.said, prefill=prefill or {})
    return Draft(kind=Kind.STARTED, conversation_id=first.conversation_id, facts=facts, words=words)


def resumed(at: Place, conversation: Conversation, reopens: str = "") -> Draft:
    """Draft going on with a conversation that is open, with its question."""
    said = at.inbound.said
    flow = at.flows.get(conversation.flow, conversation.flow_version)
    facts = Facts(
        flow=conversation.flow,
        flow_version=conversation.flow_version,
        step=conversation.current_step(flow),
        next_step=reopens or conversation.current_step(flow),
        reopens=reopens,
        cause=cause_of(said),
        language=said.language,
        parked=_ids(one for one in at.state.open if one is not conversation),
        subject=conversation.subject,
    )
    return Draft(
        kind=Kind.RESUMED,
        conversation_id=conversation.conversation_id,
        facts=facts,
        words=Words(said=said),
    )


def timed(flows: Flows, state: ThreadState, timer: Timer) -> Draft:
    """Draft what a clock brings: the expiry of a conversation, or a reminder of it."""
    if timer.kind == Kind.EXPIRED:
        return expired(flows, state, timer.conversation, cause=BY_CLOCK)
    conversation = timer.conversation
    step = conversation.current_step(flows.get(conversation.flow, conversation.flow_version))
    facts = Facts(
        flow=conversation.flow,
        flow_version=conversation.flow_version,
        step=step,
        next_step=step,
        rule=timer.rule,
        cause=BY_CLOCK,
        basis=conversation.accepted,
    )
    return Draft(kind=Kind.REMINDED, conversation_id=conversation.conversation_id, facts=facts, words=Words())


def expired(
    flows: Flows, state: ThreadState, conversation: Conversation, language: str = "", *, cause: str = AT_LOAD
) -> Draft:
    """Draft the expiry of a conversation, on the basis of every accepted input seen of it."""
    flow = flows.get(conversation.flow, conversation.flow_version)
    rest = [one for one in state.open if one is not conversation]
    facts = Facts(
        flow=conversation.flow,
        flow_version=conversation.flow_version,
        step=conversation.current_step(flow),
        resumes=as_text(rest[-1].conversation_id) if rest and state.active is conversation else "",
        cause=cause,
        language=language,
        subject=conversation.subject,
        basis=conversation.accepted,
    )
    return Draft(kind=Kind.EXPIRED, conversation_id=conversation.conversation_id, facts=facts, words=Words())


def repeated(flows: Flows, conversation: Conversation, rule: str, since: int, away: int) -> Draft:
    """Draft asking a conversation's question again, after an outage, or letting only its time count."""
    flow = flows.get(conversation.flow, conversation.flow_version)
    step = conversation.current_step(flow)
    facts = Facts(
        flow=conversation.flow,
        flow_version=conversation.flow_version,
        step=step,
        next_step=step,
        rule=rule,
        cause=OUTAGE,
        subject=conversation.subject,
        away=away,
        since=since,
    )
    return Draft(kind=Kind.REPEATED, conversation_id=conversation.conversation_id, facts=facts, words=Words())


def missing(since: int, away: int) -> Draft:
    """Draft telling a person that the bot was away for longer than Telegram keeps what they wrote."""
    facts = Facts(cause=OUTAGE, since=since, away=away)
    return Draft(kind=Kind.MISSING, conversation_id=None, facts=facts, words=Words())


def _ids(conversations: Iterable[Conversation]) -> tuple[str, ...]:
    return tuple(as_text(one.conversation_id) for one in conversations)

"""What a person is shown after an event: the reply is a function of the state and the event, so it is history too."""

from collections.abc import Callable, Iterator

from holdfast.domain import taps
from holdfast.domain.errors import UnknownFlow
from holdfast.domain.event import Event
from holdfast.domain.flow import CONFIRM, Flow, Flows, Step
from holdfast.domain.ids import ConversationId
from holdfast.domain.kinds import SILENT, Kind
from holdfast.domain.screen import Button, Screen
from holdfast.domain.state import Conversation, ThreadState
from holdfast.domain.wording import WORDING, clipped, escape, say

GROUP = "group"
"""The rule of an input that was said in a group."""

_CARD, _BOLD = 2400, 200
"""Characters of a card's lines and of the value that was saved: with what stands above, a message holds 4096."""

Rows = tuple[tuple[Button, ...], ...]


def render(flows: Flows, state: ThreadState, event: Event) -> tuple[Screen, ...]:
    """Render the reply an event owes, from the state right after it; empty for the kinds that owe none."""
    if not owes_reply(event):
        return ()
    if event.facts.rule == GROUP:
        return (Screen(text=say("noted.group")),)
    opening = _OPENINGS.get(event.kind, _complaint)(flows, event)
    try:
        text, keyboard = _standing(flows, state)
    except UnknownFlow:
        missing = say("rule.flow_missing")
        text, keyboard = "" if opening == missing else missing, ()
    if event.facts.resumes and state.active:
        opening = f"{opening}\n\n{say('taken_up')}"
    body = "\n\n".join(part for part in (opening, text) if part)
    return (Screen(text=body, keyboard=keyboard),)


def owes_reply(event: Event) -> bool:
    """Whether an event owes its person a reply; a group is answered once."""
    return event.kind not in SILENT and (event.facts.rule != GROUP or event.version == 1)


def _standing(flows: Flows, state: ThreadState) -> tuple[str, Rows]:
    """Render what stands at the bottom of the chat: the open question, or what can be begun."""
    active = state.active
    if active is None:
        return "", tuple((Button(flow.title, taps.start_data(flow.name)),) for flow in flows)
    flow = flows.get(active.flow, active.flow_version)
    step = active.current_step(flow)
    return _card(flow, active) if step == CONFIRM else _question(flow, active, flow.step(step))


def _question(flow: Flow, conversation: Conversation, step: Step) -> tuple[str, Rows]:
    place = flow.order[step.name]
    lines = [say("question", place=place + 1, total=len(flow.order), title=step.title, prompt=step.prompt)]
    held = conversation.fields.get(step.name)
    if held is not None and held.value is not None:
        lines.append(say("question.now", value=_readable(step, held.value)))
    elif step.hint:
        lines.append(say("question.hint", hint=step.hint))
    return "\n".join(lines), _question_keys(conversation, step, place)


def _question_keys(conversation: Conversation, step: Step, place: int) -> Rows:
    identity = conversation.conversation_id
    held = conversation.fields.get(step.name)
    answers: list[Button] = []
    if held is not None and held.value is not None:
        answers.append(_button("keep", identity, taps.KEEP, place))
        if step.optional:
            answers.append(_button("empty", identity, taps.EMPTY, place))
    elif step.optional:
        answers.append(_button("skip", identity, taps.SKIP, place))
    moves = [_button("cancel", identity, taps.CANCEL)]
    if place:
        moves.insert(0, _button("back", identity, taps.BACK, place))
    return tuple(tuple(row) for row in (answers, moves) if row)


def _card(flow: Flow, conversation: Conversation) -> tuple[str, Rows]:
    identity = conversation.conversation_id
    head = say("card", place=len(flow.order), total=len(flow.order))
    text = f"{head}\n\n" + "\n".join(_card_lines(flow, conversation)) + f"\n\n{say('card.ask')}"
    changes = [
        Button(WORDING["button.change"].format(title=step.title), taps.action_data(identity, taps.CHANGE, place))
        for place, step in enumerate(flow.steps)
    ]
    last = len(flow.steps)
    return text, (
        (_button("confirm", identity, taps.CONFIRM),),
        *_pairs(changes),
        (_button("back", identity, taps.BACK, last), _button("cancel", identity, taps.CANCEL)),
    )


def _card_lines(flow: Flow, conversation: Conversation) -> list[str]:
    """Give a line for each field; where all together would burst the message, each value gets an equal share."""
    values = [_held(conversation, step) for step in flow.steps]
    room = _CARD - sum(len(step.title) + len(": \n") for step in flow.steps)
    most = room if sum(map(len, values)) <= room else room // len(values)
    return [
        say("card.line", title=step.title, value=clipped(value, most))
        for step, value in zip(flow.steps, values, strict=True)
    ]


def _pairs(buttons: list[Button]) -> Iterator[tuple[Button, ...]]:
    return (tuple(buttons[at : at + 2]) for at in range(0, len(buttons), 2))


def _button(name: str, identity: ConversationId, action: str, place: int = -1) -> Button:
    return Button(WORDING[f"button.{name}"], taps.action_data(identity, action, place))


def _held(conversation: Conversation, step: Step) -> str:
    value = conversation.value(step.name)
    return _readable(step, value) if value else WORDING["card.empty"]


def _readable(step: Step, value: str) -> str:
    return WORDING["card.photo"] if step.photo else value


def _field(flows: Flows, event: Event) -> Step:
    return flows.get(event.facts.flow, event.facts.flow_version).step(event.facts.field or event.facts.reopens)


def _started(flows: Flows, event: Event) -> str:
    return escape(flows.get(event.facts.flow, event.facts.flow_version).intro)


def _filed(flows: Flows, event: Event) -> str:
    step = _field(flows, event)
    if step.photo:
        said = event.words.said if event.words else None
        has_caption = event.kind == Kind.PHOTO_ADDED and said is not None and said.text
        return say("answered.photo.caption" if has_caption else "answered.photo")
    sentence = "corrected" if event.kind == Kind.CORRECTED else "answered"
    return say(sentence, title=step.title, value=event.words.value if event.words else WORDING["card.empty"])


def _skipped(flows: Flows, event: Event) -> str:
    return say("skipped", title=_field(flows, event).title)


def _back(flows: Flows, event: Event) -> str:
    return say("back", title=_field(flows, event).title)


def _confirmed(flows: Flows, event: Event) -> str:
    done = flows.get(event.facts.flow, event.facts.flow_version).done or WORDING["completed"]
    value = clipped(event.words.value, _BOLD) if event.words else "…"
    return escape(done).replace("{value}", f"<b>{escape(value)}</b>")


def _noted(_flows: Flows, event: Event) -> str:
    sentence = f"noted.{event.facts.rule}"
    return say(sentence) if sentence in WORDING else _complaint(_flows, event)


def _complaint(_flows: Flows, event: Event) -> str:
    if event.words and event.words.complaint:
        return event.words.complaint
    sentence = f"rule.{event.facts.rule}"
    return say(sentence) if sentence in WORDING else say("rule.failed")


def _fixed(sentence: str) -> Callable[[Flows, Event], str]:
    return lambda _flows, _event: say(sentence)


_OPENINGS: dict[str, Callable[[Flows, Event], str]] = {
    Kind.STARTED: _started,
    Kind.RESUMED: _fixed("resumed"),
    Kind.ANSWERED: _filed,
    Kind.CORRECTED: _filed,
    Kind.PHOTO_ADDED: _filed,
    Kind.SKIPPED: _skipped,
    Kind.BACK: _back,
    Kind.CONFIRMED: _confirmed,
    Kind.CANCELLED: _fixed("cancelled"),
    Kind.EXPIRED: _fixed("expired"),
    Kind.FORGOTTEN: _fixed("forgotten"),
    Kind.NOTED: _noted,
}

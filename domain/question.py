"""What stands at the bottom of the chat: the open question with its progress, or the card to confirm."""

from collections.abc import Iterator
from functools import lru_cache

from holdfast.domain import taps
from holdfast.domain.flow import CONFIRM, Flow, Flows, Step
from holdfast.domain.library import values_of
from holdfast.domain.screen import Button, Keyboard
from holdfast.domain.state import Conversation, Machine, ThreadState
from holdfast.domain.wording import WORDING, clipped, escape, say

_CARD, _QUOTED = 2200, 200
"""Characters of a card's lines, and of a text it quotes: with what stands above, a message holds 4096."""

Standing = tuple[str, Keyboard]
"""A text in the small HTML, and the buttons below it."""


def standing(flows: Flows, state: ThreadState) -> Standing:
    """Render what is open, or what can be begun; UnknownFlow when its flow is not loaded."""
    active = state.active
    if active is None:
        return "", tuple((Button(flow.title, taps.start(flow.name)),) for flow in flows)
    flow = flows.get(active.flow, active.flow_version)
    step = active.current_step(flow)
    if step == CONFIRM:
        return _card(flow, active, state.machine(active.subject))
    return _question(flow, active, flow.step(step))


def readable(step: Step, value: str) -> str:
    """Show a field's value as people read it, not escaped yet."""
    return WORDING["card.photo"] if step.photo else value


def _question(flow: Flow, conversation: Conversation, step: Step) -> Standing:
    place = flow.order[step.name]
    lines = [_heading(place + 1, len(flow.order), step.title, step.prompt)]
    held = conversation.fields.get(step.name)
    if held is not None and held.value is not None:
        lines.append(say("question.now", value=readable(step, held.value)))
    elif step.hint:
        lines.append(_hint(step.hint))
    return "\n".join(lines), _question_keys(conversation, step, place)


# What a flow declares is said to everybody in the same words.


@lru_cache(maxsize=1024)
def _heading(place: int, total: int, title: str, prompt: str) -> str:
    return say("question", place=place, total=total, title=title, prompt=prompt)


@lru_cache(maxsize=1024)
def _hint(hint: str) -> str:
    return say("question.hint", hint=hint)


def _question_keys(conversation: Conversation, step: Step, place: int) -> Keyboard:
    held = conversation.fields.get(step.name)
    answers: list[Button] = []
    if held is not None and held.value is not None:
        answers.append(_button(conversation, "keep", taps.KEEP, place))
        if step.optional:
            answers.append(_button(conversation, "empty", taps.EMPTY, place))
    elif step.optional:
        answers.append(_button(conversation, "skip", taps.SKIP, place))
    moves = [_button(conversation, "cancel", taps.CANCEL)]
    if place:
        moves.insert(0, _button(conversation, "back", taps.BACK, place))
    return tuple(tuple(row) for row in (answers, moves) if row)


def _card(flow: Flow, conversation: Conversation, machine: Machine | None) -> Standing:
    name = machine.nickname if machine else conversation.value(flow.steps[0].name) if flow.steps else ""
    head = escape(flow.card).replace("{value}", f"<b>{escape(name)}</b>") if flow.card else say("card.ask")
    if not flow.steps:
        return head, _card_keys(flow, conversation)
    was = values_of(machine) if machine else {}
    place = say("card", place=len(flow.order), total=len(flow.order))
    lines = "\n".join(_card_lines(flow, conversation, was))
    return f"{place}\n\n{lines}{_surplus(conversation)}\n\n{head}", _card_keys(flow, conversation)


def _card_lines(flow: Flow, conversation: Conversation, was: dict[str, str | None]) -> list[str]:
    """Give a line for each field; where all together would burst the message, each value gets an equal share."""
    values = [_value_line(step, conversation, was.get(step.name)) for step in flow.steps]
    room = _CARD - sum(len(step.title) + len(": \n") for step in flow.steps)
    most = room if sum(map(len, values)) <= room else room // len(values)
    return [
        say("card.line", title=step.title, value=clipped(value, most))
        for step, value in zip(flow.steps, values, strict=True)
    ]


def _value_line(step: Step, conversation: Conversation, was: str | None) -> str:
    """Show a field's value, and what it was where it changes."""
    value = conversation.value(step.name)
    now = readable(step, value) if value else WORDING["card.empty"]
    return WORDING["card.changed"].format(was=readable(step, was), value=now) if was and was != value else now


def _surplus(conversation: Conversation) -> str:
    return f"\n\n{say('card.surplus', value=clipped(conversation.surplus, _QUOTED))}" if conversation.surplus else ""


def _card_keys(flow: Flow, conversation: Conversation) -> Keyboard:
    label = flow.confirm or WORDING["button.confirm"]
    confirm = Button(label, taps.action(conversation.conversation_id, taps.CONFIRM))
    last = [_button(conversation, "cancel", taps.CANCEL)]
    if flow.steps:
        last.insert(0, _button(conversation, "back", taps.BACK, len(flow.steps)))
    out = ((_button(conversation, "left_out", taps.EMPTY, len(flow.steps)),),) if conversation.surplus else ()
    return ((confirm,), *_pairs(_field_buttons(flow, conversation)), *out, tuple(last))


def _field_buttons(flow: Flow, conversation: Conversation) -> list[Button]:
    """Offer to change each field; or, where a text waits to be filed, to put it there."""
    name, verb = ("button.put", taps.PUT) if conversation.surplus else ("button.change", taps.CHANGE)
    return [
        Button(WORDING[name].format(title=step.title), taps.action(conversation.conversation_id, verb, place))
        for place, step in enumerate(flow.steps)
        if not (step.photo and verb == taps.PUT)
    ]


def _pairs(buttons: list[Button]) -> Iterator[tuple[Button, ...]]:
    return (tuple(buttons[at : at + 2]) for at in range(0, len(buttons), 2))


def _button(conversation: Conversation, name: str, action: str, place: int = -1) -> Button:
    return Button(WORDING[f"button.{name}"], taps.action(conversation.conversation_id, action, place))

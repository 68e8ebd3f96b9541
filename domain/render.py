"""What a person is shown after an event. The reply is a function of the state and the event, so it is history too."""

from collections.abc import Callable

from holdfast.domain import taps
from holdfast.domain.errors import UnknownFlow
from holdfast.domain.event import Event
from holdfast.domain.flow import Flow, Flows, Step
from holdfast.domain.ids import from_text
from holdfast.domain.kinds import ACCEPTED, AT_LOAD, SILENT, TIMEZONE, Kind
from holdfast.domain.library import EDIT_MACHINE
from holdfast.domain.library_screens import TOPICS, library_screens
from holdfast.domain.merge_card import merge_screens
from holdfast.domain.question import Standing, readable, standing
from holdfast.domain.screen import Button, Keyboard, Screen
from holdfast.domain.state import ThreadState
from holdfast.domain.wording import WORDING, clipped, escape, moment, say
from holdfast.domain.zones import COMMON

_QUIET_RULES = frozenset({"album", "flood", "moved", "left", "blocked", "unblocked", "unasked", "night"})
_CHANGING = ACCEPTED - {Kind.STARTED, Kind.RESUMED}
"""Kinds whose reply may take the place of the message that was tapped; what begins, begins below what stands."""

_LEFT = frozenset({Kind.CANCELLED, Kind.EXPIRED})
_ZONES = frozenset({"timezones", "unknown_timezone"})
_BOLD, _LABEL = 200, 40
"""Characters of the value that was saved, where it is told, and of a name on a button."""


def owes_reply(event: Event) -> bool:
    """Whether an event owes its person a reply.

    A group is answered once, an album once, a flood not at all, nor who leaves, comes back or moves; an expiry found
    when the next input came is told with the reply to that input. A fact from outside is told only when it failed.
    """
    facts = event.facts
    if facts.rule in _QUIET_RULES:
        return False
    if event.kind in SILENT:
        return bool(facts.rule)
    if facts.rule == "group":
        return event.version == 1
    return event.kind != Kind.EXPIRED or facts.cause != AT_LOAD


def render(flows: Flows, state: ThreadState, event: Event) -> tuple[Screen, ...]:
    """Render the reply an event owes, from the state right after it; empty for those that owe none."""
    if not owes_reply(event):
        return ()
    screens = _screens(flows, state, event)
    return (Screen(text=say("delayed")), *screens) if event.facts.delayed else screens


def _screens(flows: Flows, state: ThreadState, event: Event) -> tuple[Screen, ...]:
    if event.facts.rule == "group":
        return (Screen(text=say("noted.group")),)
    if event.kind == Kind.MERGED:
        return _beside_the_question(flows, state, merge_screens(event))
    if event.kind == Kind.NOTED and event.facts.rule in TOPICS:
        return _beside_the_question(flows, state, library_screens(flows, state, event))
    return (_reply(flows, state, event),)


def _beside_the_question(flows: Flows, state: ThreadState, screens: tuple[Screen, ...]) -> tuple[Screen, ...]:
    """Keep the open question at the bottom, unless a message further up merely changes."""
    if state.active is None or all(screen.in_place for screen in screens):
        return screens
    text, keyboard = _standing(flows, state)
    return (*screens, Screen(text=text, keyboard=keyboard))


def _reply(flows: Flows, state: ThreadState, event: Event) -> Screen:
    opening, offers = _opening(flows, state, event)
    text, keyboard = _standing(flows, state)
    opening = "" if opening == text else opening
    if event.facts.resumes and state.active:
        opening = f"{opening}\n\n{say('taken_up')}"
    body = "\n\n".join(part for part in (opening, text) if part)
    return Screen(text=body, keyboard=(*offers, *keyboard), in_place=_in_place(state, event))


def _in_place(state: ThreadState, event: Event) -> str:
    """Let the tapped message change where the tap did something and the person has written nothing since."""
    said = event.words.said if event.words else None
    if said is None or said.type != "tap" or event.kind not in _CHANGING:
        return ""
    return "last" if said.message_id > state.heard else ""


def _standing(flows: Flows, state: ThreadState) -> Standing:
    try:
        return standing(flows, state)
    except UnknownFlow:
        return say("rule.flow_missing"), ()


def _opening(flows: Flows, state: ThreadState, event: Event) -> tuple[str, Keyboard]:
    if event.kind == Kind.MISSING:
        return _missing(state.zone or flows.zone, event), ()
    try:
        return _OPENINGS.get(event.kind, _refused)(flows, event), _offers(event)
    except UnknownFlow:
        return say("rule.flow_missing"), ()


def _offers(event: Event) -> Keyboard:
    """Buttons that belong to what happened, above those of what is open."""
    if event.kind in _LEFT and event.conversation_id:
        return _offer("take_up", taps.thing(taps.TAKE_UP, event.conversation_id))
    offered = _OFFERED.get(event.facts.rule) if event.kind == Kind.NOTED else None
    return offered(event) if offered else ()


def _offer(name: str, data: str) -> Keyboard:
    return ((Button(WORDING[f"button.{name}"], data),),)


def _lapsed(event: Event) -> Keyboard:
    """Offer what has lapsed; of several, each by its name."""
    if not event.facts.subject:
        return ()
    called = event.words.called if event.words else ()
    labels = [WORDING["button.take_up.of"].format(name=clipped(one, _LABEL)) for one in called]
    offers = event.facts.offers if labels else (event.facts.subject,)
    return tuple(
        (Button(label, taps.thing(taps.TAKE_UP, from_text(one))),)
        for label, one in zip(labels or [WORDING["button.take_up"]], offers, strict=True)
    )


def _zones(_event: Event) -> Keyboard:
    """Offer some zones by their cities, three in a row."""
    buttons = [Button(name.partition("/")[2].replace("_", " "), taps.zone(name)) for name in COMMON]
    return tuple(tuple(buttons[at : at + 3]) for at in range(0, len(buttons), 3))


_OFFERED: dict[str, Callable[[Event], Keyboard]] = {
    "photo": lambda event: _offer("save_photo", taps.thing(taps.SAVE_PHOTO, event.event_id)),
    "edit_offer": lambda event: _offer("correct", taps.thing(taps.CORRECT, event.event_id)),
    "lapsed": _lapsed,
    **dict.fromkeys(_ZONES, _zones),
}


def _flow(flows: Flows, event: Event) -> Flow:
    return flows.get(event.facts.flow, event.facts.flow_version)


def _field(flows: Flows, event: Event) -> Step:
    return _flow(flows, event).step(event.facts.field or event.facts.reopens)


def _filling(text: str, event: Event) -> str:
    value = clipped(event.words.value, _BOLD) if event.words else "…"
    return escape(text).replace("{value}", f"<b>{escape(value)}</b>")


def _started(flows: Flows, event: Event) -> str:
    if event.facts.continues:
        return say("taken_up_again")
    return _filling(_flow(flows, event).intro, event)


def _filed(flows: Flows, event: Event) -> str:
    step = _field(flows, event)
    if event.facts.rule == "kept":
        value = readable(step, event.words.value) if event.words else "…"
        return say("kept", title=step.title, value=value)
    if step.photo:
        said = event.words.said if event.words else None
        has_caption = event.kind == Kind.PHOTO_ADDED and said is not None and said.text
        return say("answered.photo.caption" if has_caption else "answered.photo")
    sentence = "corrected" if event.kind == Kind.CORRECTED else "answered"
    return say(sentence, title=step.title, value=event.words.value if event.words else "…")


def _skipped(flows: Flows, event: Event) -> str:
    return say("skipped", title=_field(flows, event).title)


def _back(flows: Flows, event: Event) -> str:
    return say("back", title=_field(flows, event).title)


def _expired(flows: Flows, event: Event) -> str:
    return say("expired", title=_flow(flows, event).title)


def _confirmed(flows: Flows, event: Event) -> str:
    return _filling(_flow(flows, event).done or WORDING["completed"], event)


def _missing(zone: str, event: Event) -> str:
    since, away = event.facts.since, event.facts.away
    return say("missing", since=moment(since, zone), until=moment(since + away, zone))


def _noted(flows: Flows, event: Event) -> str:
    rule = event.facts.rule
    if rule == "edit_offer":
        flow = flows.newest(EDIT_MACHINE)
        title = flow.step(event.facts.field).title if flow else event.facts.field
        return say("noted.edit_offer", title=title, value=event.words.value if event.words else "…")
    if rule == TIMEZONE or rule in _ZONES:
        return say(f"noted.{rule}", zone=event.words.value if event.words else "…")
    return say(f"noted.{rule}") if f"noted.{rule}" in WORDING else _refused(flows, event)


def _refused(_flows: Flows, event: Event) -> str:
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
    Kind.EXPIRED: _expired,
    Kind.REMINDED: _fixed("reminded"),
    Kind.FORGOTTEN: _fixed("forgotten"),
    Kind.REPEATED: _fixed("repeated"),
    Kind.NOTED: _noted,
}

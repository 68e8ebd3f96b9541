"""The library as a person sees it: pages of machines, a card for each, its fields, its history."""

from datetime import UTC, datetime

from holdfast.domain import taps
from holdfast.domain.event import Event
from holdfast.domain.flow import Flows
from holdfast.domain.ids import ConversationId
from holdfast.domain.intent import words_searched
from holdfast.domain.library import ADD_MACHINE, FIELDS, values_of
from holdfast.domain.machine_flows import add_machine
from holdfast.domain.question import readable
from holdfast.domain.screen import Button, Keyboard, Screen
from holdfast.domain.state import Machine, ThreadState
from holdfast.domain.wording import WORDING, say

TOPICS = frozenset({"library", "machine", "fields", "history"})
"""The topics of a noted input that are answered here."""

_PAGE = 6
_LABEL = 40
_HISTORY = 50
"""Lines of a history that are shown, the latest ones: with all of them, a message could burst."""


def library_screens(flows: Flows, state: ThreadState, event: Event) -> tuple[Screen, ...]:
    """Render the reply to an input about the library."""
    if event.facts.rule == "library":
        return (_page(flows, state, event),)
    machine = state.machine(event.facts.subject)
    if machine is None:
        return (Screen(text=say("rule.no_machine")),)
    if event.facts.rule == "machine":
        return _card(machine)
    return (_fields(machine) if event.facts.rule == "fields" else _history(machine, event),)


def _page(flows: Flows, state: ThreadState, event: Event) -> Screen:
    said = event.words.said if event.words else None
    page, words = words_searched(said) if said else (0, "")
    found = sorted(
        (machine for machine in state.machines.values() if _matches(machine, words)),
        key=lambda machine: (machine.nickname.casefold(), machine.machine_id),
    )
    pages = max(1, -(-len(found) // _PAGE))
    page = min(page, pages - 1)
    head = say("library.found" if words else "library", count=len(found), words=words)
    if not found:
        head = say("library.none" if words else "library.empty", words=words)
    shown = found[page * _PAGE : (page + 1) * _PAGE]
    rows = [
        (Button(machine.nickname[:_LABEL] or "…", taps.thing(taps.MACHINE, machine.machine_id)),) for machine in shown
    ]
    keyboard = (*rows, *_turning(page, pages, words), *_beginning(flows, state))
    return Screen(text=head, keyboard=keyboard, in_place="any" if said and said.type == "tap" else "")


def _matches(machine: Machine, words: str) -> bool:
    texts = " ".join(value for field, value in values_of(machine).items() if value and field != "photo").casefold()
    return all(word in texts for word in words.casefold().split())


def _turning(page: int, pages: int, words: str) -> Keyboard:
    if pages == 1:
        return ()
    before, after = (page - 1) % pages, (page + 1) % pages
    here = WORDING["library.page"].format(page=page + 1, pages=pages)
    return (
        (
            Button("‹", taps.library(before, words)),
            Button(here, taps.library(page, words)),
            Button("›", taps.library(after, words)),
        ),
    )


def _beginning(flows: Flows, state: ThreadState) -> Keyboard:
    flow = flows.newest(ADD_MACHINE)
    return () if flow is None or state.active else ((Button(flow.title, taps.start(flow.name)),),)


def _card(machine: Machine) -> tuple[Screen, ...]:
    values = values_of(machine)
    lines = [
        say("card.line", title=step.title, value=readable(step, values[step.name] or ""))
        for step in add_machine.steps
        if values[step.name] and not step.photo
    ]
    identity = machine.machine_id
    keyboard = (
        (_button("edit", taps.FIELDS, identity), _button("remove", taps.REMOVE, identity)),
        (_button("history", taps.HISTORY, identity), Button(WORDING["button.library"], taps.library(0, ""))),
    )
    card = Screen(text="\n".join(lines) or "…", keyboard=keyboard)
    if not machine.photo_file_id:
        return (card,)
    return (Screen(text=say("machine.photo.of", name=machine.nickname or "…"), photo=machine.photo_file_id), card)


def _fields(machine: Machine) -> Screen:
    buttons = [
        (Button(step.title, taps.thing(taps.EDIT, machine.machine_id, FIELDS.index(step.name))),)
        for step in add_machine.steps
    ]
    back = (_button("card", taps.MACHINE, machine.machine_id),)
    return Screen(text=say("machine.fields", name=machine.nickname), keyboard=(*buttons, back))


def _history(machine: Machine, event: Event) -> Screen:
    lines = event.words.lines if event.words else ()
    left_out = ["…"] if len(lines) > _HISTORY else []
    told = [_told(line) for line in lines[-_HISTORY:]]
    text = "\n".join([say("machine.history", name=machine.nickname), *left_out, *told])
    return Screen(text=text, keyboard=((_button("card", taps.MACHINE, machine.machine_id),),))


def _told(line: str) -> str:
    at, flow, outcome = line.split(" ")
    day = datetime.fromtimestamp(int(at) / 1_000_000, UTC).strftime("%Y-%m-%d %H:%M")
    sentence = f"history.{flow}.{outcome}"
    return say(sentence if sentence in WORDING else "history.other", day=day, flow=flow, outcome=outcome)


def _button(name: str, verb: str, identity: ConversationId) -> Button:
    return Button(WORDING[f"button.{name}"], taps.thing(verb, identity))

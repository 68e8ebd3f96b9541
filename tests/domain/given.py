"""Given what was said before, when something is said, then this is what it becomes.

The real `decide`, `evolve` and `render` do the work; only the events are compared. Inputs are numbered from 1 and
called u1, u2, …; the n-th is sent a second after the one before, as the message 2n - 1, and its reply is 2n. What
was left alone for too long by then is ended first, as the engine does it.
"""

from collections.abc import Callable, Iterable
from typing import Annotated, Literal

import msgspec
from pydantic import AfterValidator

from holdfast.domain.decide import decide
from holdfast.domain.drafts import expired, timed
from holdfast.domain.event import Draft, Event, Facts, Said
from holdfast.domain.evolve import EMPTY, evolve, fold
from holdfast.domain.flow import Flow, Flows, Step
from holdfast.domain.fork import card_of, merge_key
from holdfast.domain.ids import ConversationId, EventId, as_text, conversation_of, thread_of
from holdfast.domain.inbound import Inbound
from holdfast.domain.intent import refers_to_the_past
from holdfast.domain.kinds import BROUGHT, Kind
from holdfast.domain.late import as_it_stood, revives, was_in_time
from holdfast.domain.machine_flows import MACHINE_FLOWS
from holdfast.domain.order import place
from holdfast.domain.render import render
from holdfast.domain.screen import Button, Screen
from holdfast.domain.state import Machine, ThreadState
from holdfast.domain.text_types import Line
from holdfast.domain.timers import due, expiry_key, overdue

PERSON = 7
THREAD = thread_of("test", 1, PERSON)
NOON = 1_800_000_000_000_000
SECOND = 1_000_000
HOUR = 3600


def _not_broken(text: str) -> str:
    if "broken" in text:
        raise ValueError(f"<{text}> is not a place & never was.")
    return text


report_fault = Flow(
    name="report_fault",
    version=3,
    command="report",
    title="Report a fault",
    steps=(
        Step(name="place", prompt="Where <is> it?", type=Annotated[Line, AfterValidator(_not_broken)]),
        Step(name="count", prompt="How often?", type=int),
        Step(name="urgency", prompt="How urgent?", type=Literal["low", "high"], optional=True),
        Step(name="story", prompt="What happened?", hint="In your own words & at length.", optional=True),
    ),
)
"""A second flow: no photo, a number, a choice, an answer of any length, and a validator that says what is wrong."""

FLOWS = Flows([*MACHINE_FLOWS, report_fault])
NONE = Flows([])

Act = Callable[[int, list[Screen]], Said]
"""What a person does, given its number and the screens seen so far."""


def _said(number: int, kind: str, **more: str) -> Said:
    date = (NOON + number * SECOND) // SECOND
    said = Said(type=kind, user_id=PERSON, chat_id=PERSON, update_id=number, message_id=2 * number - 1, date=date)
    return msgspec.structs.replace(said, **more)


class Later:
    """An act that a person does only after some hours; everything after it is as much later."""

    def __init__(self, hours: float, act: Act) -> None:
        self.hours = hours
        self._act = act

    def __call__(self, number: int, screens: list[Screen]) -> Said:
        return self._act(number, screens)


def later(hours: float, act: Act) -> Act:
    """Let some hours pass first."""
    return Later(hours, act)


def hours_before(act: Act) -> float:
    """Tell how many hours pass before an act."""
    return act.hours if isinstance(act, Later) else 0.0


def delayed(said: Said, hours: float) -> Said:
    """The same input, sent so many hours later."""
    return msgspec.structs.replace(said, date=said.date + round(hours * HOUR))


def says(text: str) -> Act:
    """Type a text or a command."""
    return lambda number, _: _said(number, "text", text=text)


def sends_photo(file_id: str = "photo-1", *, caption: str = "", album: str = "") -> Act:
    """Send a picture, or one of an album."""
    return lambda number, _: _said(number, "photo", file_id=file_id, text=caption, media_group=album)


def sends(content: str) -> Act:
    """Send a sticker, a voice message, or whatever else there is."""
    return lambda number, _: _said(number, "other", content=content)


def in_group(text: str) -> Act:
    """Say something in a group."""
    return lambda number, _: _said(number, "group", text=text, content="supergroup")


def edits(which: int, text: str, *, file_id: str = "") -> Act:
    """Change the text of the input of this number, or the caption of a photo."""
    return lambda number, _: msgspec.structs.replace(
        _said(number, "edit", text=text, file_id=file_id), message_id=2 * which - 1
    )


def taps(label: str, *, on: int = 0) -> Act:
    """Tap a button of the screen seen last, or of the reply to an earlier input; its label may be a part of it."""
    return lambda number, screens: _tap(number, on or len(screens), button(screens[on - 1], label).data)


def taps_data(data: str) -> Act:
    """Send a tap with any data at all, also none that was ever on a button."""
    return lambda number, screens: _tap(number, len(screens), data)


def _tap(number: int, on: int, data: str) -> Said:
    tap = _said(number, "tap", text=data, callback_id=f"tap-{number}")
    return msgspec.structs.replace(tap, message_id=2 * on)


def button(screen: Screen, label: str) -> Button:
    """Find the one button with this label."""
    [found] = [one for one in buttons(screen) if label in one.label]
    return found


def buttons(screen: Screen) -> list[Button]:
    """Give all buttons of a screen."""
    return [one for row in screen.keyboard for one in row]


def inbound(number: int, said: Said) -> Inbound:
    """Make the command of a turn from the input of this number."""
    at = said.date * SECOND
    return Inbound(
        thread_id=THREAD, dedup_key=f"u{number}", order=number, occurred_at=at, received_at=at + 1, said=said
    )


def conversation(number: int) -> ConversationId:
    """Name the conversation that the input of this number starts."""
    return conversation_of(THREAD, f"u{number}")


class Worker:
    """One worker with its events: takes inputs, and learns what others have taken."""

    def __init__(self, flows: Flows = FLOWS, name: str = "A") -> None:
        self.flows = flows
        self.events: list[Event] = []
        self.state: ThreadState = EMPTY
        self.screens: list[Screen] = []
        self.name = name
        self.waited = 0.0

    @property
    def _version(self) -> int:
        return max((one.version for one in self.events), default=0)

    @property
    def _ots(self) -> int:
        return max((one.ots for one in self.events), default=0)

    def takes(self, number: int, act: Act) -> Event:
        """Let a person do something, and take it in."""
        said = act(number, self.screens)
        self.waited += hours_before(act)
        return self.meets(number, delayed(said, self.waited))

    def meets(self, number: int, said: Said, barred: str = "") -> Event:
        """End what was left alone for too long, then decide the input of this number; keep the events."""
        given = msgspec.structs.replace(inbound(number, said), barred=barred)
        while late := overdue(self.flows, self.state, given.occurred_at):
            ending = expired(self.flows, self.state, late, said.language)
            self.appends(ending, 0, key=expiry_key(late), at=given.occurred_at)
        if was_in_time(self.flows, self.state, given):
            draft = self._decides(as_it_stood(self.flows, self.events, given.occurred_at), given)
            if revives(draft, self.state):
                return self.appends(draft, number, at=given.occurred_at, anew=True)
        return self.appends(self._decides(self.state, given), number, at=given.occurred_at)

    def _decides(self, state: ThreadState, given: Inbound) -> Draft:
        if refers_to_the_past(state, given.said):
            given = msgspec.structs.replace(given, about=tuple(sorted(self.events, key=place)))
        return decide(self.flows, state, given)

    def ticks(self, hours: float) -> Event | None:
        """Let a clock look at the thread so many hours after the first input, and write what was due."""
        at = NOON + round(hours * HOUR) * SECOND
        timer = due(self.flows, self.state, at)
        if timer is None:
            return None
        return self.appends(timed(self.flows, self.state, timer), 0, key=timer.dedup_key, at=at)

    def hears(self, *acts: Act) -> "Worker":
        """Take inputs numbered on from those already here."""
        for act in acts:
            self.takes(len(self.inputs) + 1, act)
        return self

    @property
    def inputs(self) -> list[Event]:
        """The events that people caused."""
        return [event for event in self.events if event.kind not in BROUGHT]

    @property
    def machine(self) -> Machine:
        """The one machine of the library."""
        [machine] = self.state.machines.values()
        return machine

    def appends(self, draft: Draft, number: int, *, key: str = "", at: int = 0, anew: bool = False) -> Event:
        """Give a draft its place behind all that is here; `anew`: it changes what counts of that."""
        event = Event(
            event_id=EventId(f"{self.name}{len(self.events):015}".encode()),
            conversation_id=draft.conversation_id,
            kind=draft.kind,
            version=1 + self._version,
            ots=max(self._ots, number),
            dedup_key=key or f"u{number}",
            occurred_at=at or NOON + number * SECOND,
            facts=draft.facts,
            words=draft.words,
        )
        self.events.append(event)
        self.state = fold(self.events) if anew else evolve(self.state, event)
        self.screens.extend(render(self.flows, self.state, event))
        return event

    def expires(self, identity: ConversationId, *basis: str) -> Event:
        """Let a conversation run out, having seen these accepted inputs of it."""
        running = self.state.conversation(identity)
        event = Event(
            event_id=EventId(f"{self.name}{len(self.events):015}".encode()),
            conversation_id=identity,
            kind=Kind.EXPIRED,
            version=1 + self._version,
            ots=self._ots,
            dedup_key=f"timer:{as_text(identity)}:{'+'.join(basis)}",
            occurred_at=NOON,
            facts=Facts(flow=running.flow, flow_version=running.flow_version, basis=basis) if running else Facts(),
            words=None,
        )
        self.events.append(event)
        self.state = evolve(self.state, event)
        return event

    def learns(self, *others: "Worker") -> "Worker":
        """Unite with the events of others, and fold anew."""
        known = {event.event_id: event for worker in (self, *others) for event in worker.events}
        self.events = list(known.values())
        self.state = fold(self.events)
        return self

    def copy(self, name: str) -> "Worker":
        """Make another worker that knows the same."""
        other = Worker(self.flows, name)
        other.screens = list(self.screens)
        other.waited = self.waited
        return other.learns(self)

    def tells(self) -> "Worker":
        """Tell what a fork left, as the engine does it when it has learned of one."""
        draft = card_of(self.flows, self.state)
        key = merge_key(draft.facts) if draft else ""
        if draft is not None and all(event.dedup_key != key for event in self.events):
            self.appends(draft, 0, key=key)
        return self

    def beside(self) -> list[tuple[str, str]]:
        """Tell what was answered and could not be filed: fields and values."""
        return [(one.field, one.value) for one in self.state.unfiled]

    def current_step(self) -> str:
        """Tell what is asked at this moment."""
        active = self.state.active
        return active.current_step(self.flows.get(active.flow, active.flow_version)) if active else ""

    def values(self) -> dict[str, str | None]:
        """Tell what the fields of the active conversation hold."""
        active = self.state.active
        return {name: answer.value for name, answer in active.fields.items()} if active else {}


class Given:
    """What was said before; then one more input, and what it became."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker

    def when(self, act: Act) -> "Given":
        """Take one more input."""
        self.worker.hears(act)
        return self

    def then(self, kind: Kind, **expected: object) -> "Given":
        """Compare the last event: its kind, its value, its complaint, and any of its facts."""
        event = self.worker.events[-1]
        told = {"kind": event.kind, **msgspec.structs.asdict(event.facts)}
        if event.words is not None:
            told |= {"value": event.words.value, "complaint": event.words.complaint}
        wanted = {"kind": kind, **expected}
        became = {name: told[name] for name in wanted}
        assert became == wanted, f"it became {became}, not {wanted}"
        return self

    @property
    def text(self) -> str:
        """The text of the reply; of several messages, the last."""
        return self.worker.screens[-1].text

    @property
    def machine(self) -> Machine:
        """The one machine of the library."""
        return self.worker.machine

    @property
    def labels(self) -> list[str]:
        """The labels of the reply's buttons."""
        return [one.label for one in buttons(self.worker.screens[-1])]

    @property
    def step(self) -> str:
        """The question that is asked now."""
        return self.worker.current_step()


def given(*acts: Act, flows: Flows = FLOWS) -> Given:
    """Say some things first."""
    return Given(Worker(flows).hears(*acts))


ANSWERS: tuple[tuple[str, Act], ...] = (
    ("nickname", says("Press 4")),
    ("manufacturer", says("Acme")),
    ("model_number", says("PX-4")),
    ("serial_number", says("S-1001")),
    ("location", says("Hall 3")),
    ("notes", says("Leaks oil")),
    ("photo", sends_photo()),
)


def up_to(step: str, nickname: str = "Press 4") -> tuple[Act, ...]:
    """Start a registration and answer every question before this one; `confirm` is the card."""
    names = [name for name, _ in ANSWERS]
    answers: Iterable[Act] = [act for _, act in ANSWERS[: names.index(step) if step in names else len(names)]]
    first = [says(nickname)] if step != "nickname" else []
    return (says("/addmachine"), *first, *list(answers)[1:])


def a_machine(nickname: str = "Press 4") -> tuple[Act, ...]:
    """Register a machine in the shortest way."""
    return (says("/addmachine"), says(nickname), *[says("/skip")] * 6, taps("Save"))


LIBRARY: Act = says("/library")


def opens_card(nickname: str = "Press 4") -> tuple[Act, ...]:
    """Open a machine's card from the library's first page."""
    return (LIBRARY, taps(nickname))


def begins_edit(title: str, nickname: str = "Press 4") -> tuple[Act, ...]:
    """Open a machine's card and choose the field to change."""
    return (*opens_card(nickname), taps("✎ Change"), taps(title))


def begins_removal(nickname: str = "Press 4") -> tuple[Act, ...]:
    """Open a machine's card and ask to remove it."""
    return (*opens_card(nickname), taps("Remove"))

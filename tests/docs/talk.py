"""A talk in which everything happens that can happen, decided by the domain alone."""

import asyncio
from datetime import timedelta
from typing import Literal

import msgspec

from holdfast.domain import taps
from holdfast.domain.decide import decide
from holdfast.domain.drafts import UNASKED, expired, missing, repeated, timed
from holdfast.domain.event import Draft, Event, Said
from holdfast.domain.evolve import evolve
from holdfast.domain.flow import Flow, Flows, Step
from holdfast.domain.fork import card_of, merge_key
from holdfast.domain.ids import ConversationId, EventId, OriginId, ThreadId
from holdfast.domain.inbound import Inbound
from holdfast.domain.library import FIELDS
from holdfast.domain.machine_flows import MACHINE_FLOWS
from holdfast.domain.ports import WantedPhoto
from holdfast.domain.state import ThreadState, Unfiled
from holdfast.domain.timers import due, overdue
from holdfast.domain.zones import COMMON, is_polite
from holdfast.engine.photos import MOST_BYTES, Photos
from holdfast.infrastructure.log.alone import Alone
from tests.conformance.clocks import StandingClock

FAULT = Flow(
    name="report_fault",
    command="fault",
    title="Report a fault",
    ttl=timedelta(days=3),
    steps=(Step(name="machine", prompt="Which?"), Step(name="urgency", prompt="How?", type=Literal["low", "high"])),
)
FLOWS = Flows([*MACHINE_FLOWS, FAULT])
HOUR = 3_600_000_000
DAYS = 2 * 86_400_000_000
"""A silence after which a conversation about a machine is closed, and one about a fault is not."""


class Talk:
    """One person's inputs, each decided upon; remembers which facts each kind of event carried."""

    def __init__(self) -> None:
        self.state = ThreadState(user_id=1, chat_id=1)
        self.facts: dict[str, set[str]] = {}
        self._events: list[Event] = []
        self._now = 0

    def says(self, *texts: str) -> None:
        for text in texts:
            self.does("text", text=text)

    def taps(self, action: str, place: int = -1) -> None:
        """Tap a button of the conversation that is open."""
        assert self.state.active is not None
        self.does("tap", text=taps.action(self.state.active.conversation_id, action, place))

    def taps_on(self, verb: str, identity: bytes, place: int = -1) -> None:
        """Tap a button of a machine, of an event or of a conversation of the past."""
        self.does("tap", text=taps.thing(verb, identity, place))

    def is_silent(self) -> None:
        self._now += DAYS

    @property
    def now(self) -> int:
        return self._now

    @property
    def last(self) -> Event:
        return self._events[-1]

    @property
    def machine(self) -> ConversationId:
        return next(iter(self.state.machines))

    def does(self, kind: str, *, message_id: int = 0, **said: str) -> None:
        self._now += 1
        number = len(self._events) + 1
        what = Said(type=kind, user_id=1, chat_id=1, message_id=message_id or number, language="en", **said)  # type: ignore[arg-type]
        inbound = Inbound(
            thread_id=ThreadId(bytes(16)),
            dedup_key=f"talk:{number}",
            order=number,
            occurred_at=self._now,
            received_at=self._now,
            said=what,
            about=tuple(self._events),
        )
        while late := overdue(FLOWS, self.state, self._now):
            self.takes(expired(FLOWS, self.state, late, "en"), f"expiry:{number}")
        self.takes(decide(FLOWS, self.state, inbound), inbound.dedup_key)

    def ticks(self, hours: int) -> None:
        """Let some hours pass, and a clock look at what is due then."""
        self._now += hours * HOUR
        while timer := due(FLOWS, self.state, self._now):
            self.takes(timed(FLOWS, self.state, timer), timer.dedup_key)

    def takes(self, draft: Draft, dedup_key: str) -> None:
        """Fold a draft as the next event."""
        number = len(self._events) + 1
        self.facts.setdefault(draft.kind, set()).update(msgspec.to_builtins(draft.facts))
        event = Event(
            event_id=EventId(number.to_bytes(16, "big")),
            conversation_id=draft.conversation_id,
            kind=draft.kind,
            version=number,
            ots=number,
            dedup_key=dedup_key,
            occurred_at=self._now,
            facts=draft.facts,
            words=draft.words,
        )
        self._events.append(event)
        self.state = evolve(self.state, event)


class PhotosOfATalk:
    """What the keeper of photos works with: two pictures are wanted, one of them too large."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk

    async def photo_wanted(self, event_id: EventId) -> WantedPhoto:
        return WantedPhoto(
            event_id=event_id,
            thread_id=ThreadId(bytes(16)),
            user_id=1,
            chat_id=1,
            file_id="a picture",
            origin=OriginId(bytes(16)),
            file_size=1 if event_id == EventId(bytes(16)) else MOST_BYTES + 1,
        )

    async def fetch(self, _file_id: str) -> bytes:
        return b"a picture"

    async def keep(self, _thread_id: ThreadId, _digest: bytes, _content: bytes) -> None:
        pass

    async def event(self, _event_id: EventId) -> Event:
        return self._talk.last

    async def take_fact(self, inbound: Inbound, draft: Draft) -> None:
        self._talk.takes(draft, inbound.dedup_key)


def facts_of_a_long_talk() -> dict[str, set[str]]:
    """Give the names of the facts that each kind of event carried in the talk."""
    talk = Talk()
    talk.says("/start", "hello", "/help")
    talk.says("/addmachine", "x", "Press 4", "/fault", "Press 4", "soon", "low", "/addmachine")
    talk.does("other", content="sticker")
    talk.does("photo", file_id="first")
    talk.does("photo", file_id="second", media_group="album")
    talk.does("photo", file_id="third", media_group="album")
    talk.says("Siemens", "/back", "Bosch", "/back")
    talk.taps(taps.EMPTY, 1)
    talk.says("/skip", "/skip", "/skip", "/skip", "at the card")
    talk.taps(taps.PUT, 5)
    talk.taps(taps.CHANGE, 0)
    talk.says("Press 5")
    talk.taps(taps.CHANGE, 0)
    talk.taps(taps.KEEP, 0)
    talk.taps(taps.CONFIRM)
    talk.says("/cancel")
    _in_the_library(talk)
    _left_alone(talk)
    _taken_meanwhile(talk)
    _with_the_bot_away(talk)
    _written_apart(talk)
    _reminded_at_night(talk)
    keeper = PhotosOfATalk(talk)
    photos = Photos(keeper, keeper, keeper, Alone(), StandingClock())  # type: ignore[arg-type]
    for subject in (EventId(bytes(16)), talk.last.event_id):
        asyncio.run(photos.do(subject, anybodys=False))
    return talk.facts


def _in_the_library(talk: Talk) -> None:
    """Look a machine up, change it by every way there is, begin to remove it."""
    talk.says("/library", "/fault")
    machine = talk.machine
    talk.taps_on(taps.HISTORY, machine)
    talk.taps_on(taps.EDIT, machine, FIELDS.index("location"))
    talk.says("x" * 1000)
    talk.says("Hall 3")
    assert talk.last.words
    assert talk.last.words.said
    written = talk.last.words.said.message_id
    talk.taps_on(taps.EDIT, machine, FIELDS.index("notes"))
    talk.says("/skip")
    talk.taps(taps.CONFIRM)
    talk.says("/cancel")
    talk.does("edit", message_id=written, text="Hall 4")
    talk.taps_on(taps.CORRECT, talk.last.event_id)
    talk.says("/back", "at the photo")
    talk.says("/cancel")
    talk.taps_on(taps.REMOVE, machine)
    talk.does("other", content="sticker")
    talk.says("/cancel")


def _left_alone(talk: Talk) -> None:
    """Leave two conversations alone until one expires, and take it up again."""
    talk.says("/fault")
    talk.taps_on(taps.EDIT, talk.machine, FIELDS.index("notes"))
    lapsed = talk.last.conversation_id
    assert lapsed
    talk.is_silent()
    talk.says("am I still there?")
    talk.taps_on(taps.TAKE_UP, lapsed)
    talk.says("/cancel")


def _written_apart(talk: Talk) -> None:
    """Begin a change over another one, and learn of a second side on which all else went differently."""
    talk.says("/addmachine", "Press 7", "/fault")
    both = talk.state.open
    talk.taps_on(taps.EDIT, talk.machine, FIELDS.index("notes"))
    talk.does("edit", message_id=_message_of_location(talk), text="Hall 5")
    talk.taps_on(taps.CORRECT, talk.last.event_id)
    talk.says("/cancel", "/cancel", "/cancel")
    beside = Unfiled("talk:1", both[0].conversation_id, "add_machine", 1, "notes", "Leaks")
    renamed = {"talk:2": talk.machine}
    talk.state = msgspec.structs.replace(talk.state, unfiled=(beside,), superseded=both, renamed=renamed, lapsed=both)
    card = card_of(FLOWS, talk.state)
    assert card
    talk.takes(card, merge_key(card.facts))
    talk.says("what else?")


def _message_of_location(talk: Talk) -> int:
    """Find a message in which a location was answered that is in a machine by now."""
    return next(
        event.words.said.message_id
        for event in talk._events  # noqa: SLF001 - all that was said
        if event.facts.field == "location" and event.words and event.words.said and event.words.said.type == "text"
    )


def _taken_meanwhile(talk: Talk) -> None:
    """Confirm a card whose nickname has been taken since it was given."""
    talk.says("/addmachine", "Press 6", *["/skip"] * 6)
    machine = talk.state.machines[talk.machine]
    taken = msgspec.structs.replace(machine, nickname="Press 6")
    talk.state = msgspec.structs.replace(talk.state, machines={talk.machine: taken})
    talk.taps(taps.CONFIRM)
    talk.says("/fault", "/cancel")


def _reminded_at_night(talk: Talk) -> None:
    """Leave a report alone until shortly before its end, and be where it is night by then."""
    night = next(zone for zone in COMMON if not is_polite(talk.now + 71 * HOUR, zone))
    talk.says("/timezone", "/timezone Nowhere", f"/timezone {night}")
    talk.does("tap", text=taps.start("report_fault"))
    talk.ticks(71)
    talk.says("/cancel")


def _with_the_bot_away(talk: Talk) -> None:
    """Be away while a question stands open, for longer than Telegram keeps anything."""
    talk.taps_on(taps.EDIT, talk.machine, FIELDS.index("notes"))
    for rule in ("", UNASKED):
        assert talk.state.active
        talk.takes(repeated(FLOWS, talk.state.active, rule, 1, DAYS), f"repeated:{rule}")
    talk.takes(missing(1, DAYS), "missing")
    talk.says("/cancel")

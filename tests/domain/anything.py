"""Anything a person may send, and any way in which two workers may take it in."""

import random
from collections.abc import Iterable

from hypothesis import strategies as st

from holdfast.domain.event import Event, Said
from holdfast.domain.kinds import ACCEPTED
from holdfast.domain.screen import Screen
from tests.domain.given import (
    Act,
    Worker,
    a_machine,
    buttons,
    edits,
    in_group,
    says,
    sends,
    sends_photo,
    taps,
    taps_data,
    up_to,
)


def taps_any(which: int) -> Act:
    """Tap any button seen so far, counted from the latest; a garbled one when there is none."""

    def act(number: int, screens: list[Screen]) -> Said:
        seen = [one.data for screen in reversed(screens) for one in buttons(screen)]
        return taps_data(seen[which % len(seen)] if seen else "none")(number, screens)

    return act


def taps_if_there(label: str) -> Act:
    """Tap this button where it stands on the screen seen last; else any."""

    def act(number: int, screens: list[Screen]) -> Said:
        there = any(label in one.label for screen in screens[-1:] for one in buttons(screen))
        return (taps(label) if there else taps_any(0))(number, screens)

    return act


_TOLD = (
    *("Press 4", "Press 5", "  Press   4 ", "x", "12", "low", "broken <i>", "Hall 3"),
    *("<b>bold</b>", "</b>", "&lt;", "{value}", "a\0b", "\0", "\ud800", "\ud83c\udfed", "🏭" * 50, "\u202egnirts"),
    *("\u200b\u200b", "مكبس ٤", "e\u0301" * 100, "x" * 101, "&" * 4096, "😀" * 5000, "", " ", "/", "//", "/usr/bin"),
)
_COMMANDS = (
    *("/addmachine", "/addmachine", "/report", "/skip", "/skip", "/back", "/cancel", "/help", "/start", "/dance"),
    *("/ADDMACHINE@holdfast_bot", "/skip\n", "/report from-a-link"),
)

texts = st.sampled_from(_TOLD) | st.text(st.characters(exclude_categories=()), max_size=12)
"""What is typed: plain and nasty texts, among them lone surrogates, NUL, right-to-left and very long ones."""

acts: st.SearchStrategy[Act] = st.one_of(
    st.builds(says, texts),
    st.builds(says, st.sampled_from(_COMMANDS)),
    st.builds(taps_any, st.integers(0, 30)),
    st.builds(taps_if_there, st.sampled_from(["Save", "Skip", "Back", "Keep", "Leave", "✎ Nickname", "✎ Photo"])),
    st.builds(taps_data, texts | st.text("AZaz09:-_=sbnkex", max_size=64)),
    st.builds(sends_photo, st.sampled_from(["photo-1", "photo-2", ""]), caption=texts),
    st.builds(edits, st.integers(1, 12), texts, file_id=st.sampled_from(["", "photo-3"])),
    st.builds(sends, st.sampled_from(["sticker", "voice", "unknown"])),
    st.builds(in_group, st.just("hello")),
)
"""One input of any sort."""

_LIKELY = (
    *(says("Press 4"), says("Press 5"), says("12"), says("low"), says("/skip"), says("/back"), sends_photo()),
    *(says("/cancel"), says("/addmachine"), says("/report"), taps_if_there("✎ Nickname"), edits(3, "Bosch")),
    *(taps_if_there("Save"), taps_if_there("Skip"), taps_if_there("Keep"), taps_if_there("Back"), sends("sticker")),
)
likely = st.sampled_from(range(len(_LIKELY))).map(_LIKELY.__getitem__)
"""One input that moves a conversation on, often."""


STORIES: dict[str, tuple[Act, ...]] = {
    "nothing": (),
    "a machine": (*a_machine("Press 4")[:-1], taps_if_there("Save")),
    "another machine": (*a_machine("Press 5")[:-1], taps_if_there("Save")),
    "halfway": up_to("location"),
    "the card": up_to("confirm", "Press 5"),
    "a change": (*up_to("confirm"), taps_if_there("✎ Location")),
    "a report": (says("/report"), says("Hall 3"), says("2"), says("low")),
    "two at once": (*up_to("location"), says("/report")),
}

stories = st.sampled_from(sorted(STORIES)).map(STORIES.__getitem__)
conversations = st.tuples(stories, st.lists(acts | likely, max_size=25)).map(lambda told: (*told[0], *told[1]))
"""What one person sends, one after the other: often the way to an interesting place, then anything."""

_WHO = ("A", "B", "A", "B", "A and B", "A expires", "B expires")
_turns = st.tuples(st.lists(likely, min_size=1, max_size=3) | stories | st.tuples(acts), st.sampled_from(_WHO))


@st.composite
def forks(draw: st.DrawFn) -> tuple[Worker, Worker]:
    """Two workers that begin alike, then each take some of one person's inputs, some of them both, some late."""
    trunk, turns = draw(stories | conversations), draw(st.lists(_turns, min_size=1, max_size=8))
    late = draw(st.lists(st.integers(0, 30), max_size=4))
    a = Worker(name="A").hears(*trunk)
    b = Worker(name="B") if draw(st.sampled_from([False, False, True])) else a.copy("B")
    inputs: list[tuple[int, Said]] = []
    for story, who in turns:
        workers = [worker for worker in (a, b) if worker.name in who]
        if "expires" in who:
            expire(workers[0])
            continue
        for act in story:
            number = len(trunk) + len(inputs) + 1
            inputs.append((number, act(number, workers[0].screens)))
            for worker in workers:
                redeliver(worker, *inputs[-1])
    for which in late:
        if inputs:
            redeliver(b, *inputs[which % len(inputs)])
    return a, b


def redeliver(worker: Worker, number: int, said: Said) -> None:
    """Let a worker take an input, unless it knows it already."""
    if f"u{number}" not in {event.dedup_key for event in worker.events}:
        worker.takes(number, lambda _number, _screens: said)


def expire(worker: Worker) -> None:
    """Let a worker's active conversation run out, with everything it has seen as the basis."""
    active = worker.state.active
    if active is not None:
        identity = active.conversation_id
        mine = (one for one in worker.events if one.conversation_id == identity and one.kind in ACCEPTED)
        worker.expires(identity, *(event.dedup_key for event in mine))


def shuffled(events: Iterable[Event], seed: int) -> list[Event]:
    """Give some events in another order of arrival."""
    mixed = list(events)
    random.Random(seed).shuffle(mixed)
    return mixed

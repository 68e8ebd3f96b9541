"""Anything a person may send, and any way in which two workers may take it in."""

import random
from collections.abc import Iterable

from hypothesis import strategies as st

from holdfast.domain.event import Event, Said
from holdfast.domain.kinds import ACCEPTED
from holdfast.domain.screen import Screen
from tests.domain.given import (
    LIBRARY,
    Act,
    Later,
    Worker,
    a_machine,
    begins_edit,
    begins_removal,
    buttons,
    delayed,
    edits,
    hours_before,
    in_group,
    later,
    opens_card,
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
    *("/ADDMACHINE@holdfast_bot", "/skip\n", "/report from-a-link", "/library", "/library press", "/library \ud800"),
)

texts = st.sampled_from(_TOLD) | st.text(st.characters(exclude_categories=()), max_size=12)
"""What is typed: plain and nasty texts, among them lone surrogates, NUL, right-to-left and very long ones."""

_LABELS = (
    *("Save", "Skip", "‹ Back", "Keep", "Leave empty", "✎ Nickname", "✎ Photo", "Cancel", "Take it up", "Register"),
    *(
        "✎ Change",
        "Remove",
        "History",
        "‹ Library",
        "Save to library",
        "Change it",
        "Leave it out",
        "→ Notes",
        "Press 4",
    ),
    *("Nickname", "Location", "Remove it", "›"),
)
_at_once: st.SearchStrategy[Act] = st.one_of(
    st.builds(says, texts),
    st.builds(says, st.sampled_from(_COMMANDS)),
    st.builds(taps_any, st.integers(0, 30)),
    st.builds(taps_if_there, st.sampled_from(_LABELS)),
    st.builds(taps_data, texts | st.text("AZaz09:-_=sbnkex", max_size=64)),
    st.builds(
        sends_photo,
        st.sampled_from(["photo-1", "photo-2", ""]),
        caption=texts,
        album=st.sampled_from(["", "al", "bum"]),
    ),
    st.builds(edits, st.integers(1, 12), texts, file_id=st.sampled_from(["", "photo-3"])),
    st.builds(sends, st.sampled_from(["sticker", "voice", "unknown"])),
    st.builds(in_group, st.just("hello")),
)
acts = _at_once | st.builds(later, st.sampled_from([1.0, 23.9, 25.0, 200.0]), _at_once)
"""One input of any sort, at once or hours or days later."""

_LIKELY = (
    *(says("Press 4"), says("Press 5"), says("12"), says("low"), says("/skip"), says("/back"), sends_photo()),
    *(says("/cancel"), says("/addmachine"), says("/report"), taps_if_there("✎ Nickname"), edits(3, "Bosch")),
    *(taps_if_there("Save"), taps_if_there("Skip"), taps_if_there("Keep"), taps_if_there("Back"), sends("sticker")),
    *(taps_if_there("Take it up"), taps_if_there("Save to library"), taps_if_there("Change it"), LIBRARY),
    *(taps_if_there("Press 4"), taps_if_there("✎ Change"), taps_if_there("Location"), taps_if_there("→ Notes")),
    *(taps_if_there("Remove"), taps_if_there("Remove it"), sends_photo(album="al"), later(25, says("Press 6"))),
)
likely = st.sampled_from(range(len(_LIKELY))).map(_LIKELY.__getitem__)
"""One input that moves a conversation on, often."""

_CHANGE = (taps_if_there("✎ Change"), taps_if_there("Location"))


def gently(act: Act) -> Act:
    """The same act, or a tap on any button where the one it wants is not there."""
    if isinstance(act, Later):
        return act

    def tried(number: int, screens: list[Screen]) -> Said:
        try:
            return act(number, screens)
        except (ValueError, IndexError):
            return taps_any(0)(number, screens)

    return tried


STORIES: dict[str, tuple[Act, ...]] = {
    "nothing": (),
    "a machine": (*a_machine("Press 4")[:-1], taps_if_there("Save")),
    "another machine": (*a_machine("Press 5")[:-1], taps_if_there("Save")),
    "halfway": up_to("location"),
    "the card": up_to("confirm", "Press 5"),
    "a change": (*up_to("confirm"), taps_if_there("✎ Location")),
    "a report": (says("/report"), says("Hall 3"), says("2"), says("low")),
    "two at once": (*up_to("location"), says("/report")),
    "a change of a machine": (*a_machine(), *begins_edit("Location"), says("Hall 4"), taps("Save")),
    "a change begun": (*a_machine(), *begins_edit("Nickname")),
    "a machine removed": (*a_machine(), *begins_removal(), taps("Remove it")),
    "a change in between": (*a_machine("Press 5"), *up_to("location"), LIBRARY, taps_if_there("Press 5"), *_CHANGE),
    "an album": (*up_to("location"), sends_photo(album="al"), sends_photo("photo-2", album="al")),
    "a photo first": (sends_photo(), taps("Save to library"), says("Press 4")),
    "given up": (*up_to("location"), says("/cancel"), taps("Take it up again")),
    "expired": (*up_to("location"), later(25, says("Hall 3"))),
    "taken up": (*up_to("location"), later(25, says("Hall 3")), taps("Take it up again")),
    "said at the card": (*up_to("confirm"), says("It is loud")),
    "the past edited": (*a_machine(), edits(2, "Press 44")),
    "its card": (*a_machine(), *opens_card()),
}


def story(name: str) -> tuple[Act, ...]:
    """Give the acts of a story, for whatever phone they are done on."""
    return tuple(map(gently, STORIES[name]))


stories = st.sampled_from(sorted(STORIES)).map(story)
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
    waited = max(a.waited, b.waited)
    for story, who in turns:
        workers = [worker for worker in (a, b) if worker.name in who]
        if "expires" in who:
            expire(workers[0])
            continue
        for act in story:
            number = len(trunk) + len(inputs) + 1
            waited += hours_before(act)
            inputs.append((number, delayed(act(number, workers[0].screens), waited)))
            for worker in workers:
                redeliver(worker, *inputs[-1])
    for which in late:
        if inputs:
            redeliver(b, *inputs[which % len(inputs)])
    return a, b


def redeliver(worker: Worker, number: int, said: Said) -> None:
    """Let a worker take an input, unless it knows it already."""
    if f"u{number}" not in {event.dedup_key for event in worker.events}:
        worker.meets(number, said)


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

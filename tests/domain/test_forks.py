"""What a fork leaves is told once, on one card, and can be used from there."""

import hypothesis
import msgspec
import pytest
from hypothesis import strategies as st
from msgspec.structs import replace

from holdfast.domain.event import Event, Facts
from holdfast.domain.evolve import EMPTY, evolve, fold
from holdfast.domain.fork import card_of, is_untold, merge_key
from holdfast.domain.ids import as_text
from holdfast.domain.kinds import Kind
from holdfast.domain.library import FIELDS
from holdfast.domain.order import counted
from holdfast.domain.state import ThreadState
from holdfast.domain.taps import EDIT, thing
from holdfast.domain.wording import WORDING, say
from tests.domain.anything import forks, shuffled
from tests.domain.given import (
    FLOWS,
    Act,
    Given,
    Worker,
    a_machine,
    begins_edit,
    buttons,
    conversation,
    edits,
    later,
    says,
    sends_photo,
    taps,
    taps_data,
    up_to,
)


def two(*acts: Act) -> tuple[Worker, Worker]:
    """Two workers that know the same."""
    a = Worker(name="A").hears(*acts)
    return a, a.copy("B")


def healed(a: Worker, b: Worker) -> Given:
    """The two learn of each other, and the first one tells what differed."""
    a.learns(b).tells()
    return Given(a)


def card(story: Given) -> str:
    """The text of the merge card; the open question stands below it."""
    [found] = [one.text for one in story.worker.screens if one.text.startswith(WORDING["merged"])]
    return found


def place_of_card(story: Given) -> int:
    """Which of all screens the merge card is, counted from 1."""
    return 1 + [one.text.startswith(WORDING["merged"]) for one in story.worker.screens].index(True)


def offers(story: Given) -> list[str]:
    """What the card's buttons offer."""
    return [one.label for one in buttons(story.worker.screens[place_of_card(story) - 1])]


def takes_on(worker: Worker, number: int, *acts: Act) -> int:
    """Let a worker take inputs from this number on, and give the next number."""
    for place, act in enumerate(acts, start=number):
        worker.takes(place, act)
    return number + len(acts)


def two_names() -> Given:
    """A took "Press 4" as the name and B, which did not know, "Press 5"."""
    a, b = two(says("/addmachine"))
    a.takes(2, says("Press 4"))
    b.takes(3, says("Press 5"))
    return healed(a, b)


def test_two_answers_to_one_question_are_told_with_what_counts() -> None:
    """The card names the value that counts and the one beside it, and the open question stands below."""
    story = two_names()

    line = say("merged.unfiled", title="Nickname", counts="Press 4", value="Press 5")
    assert card(story) == f"{WORDING['merged']}\n\n{line}"
    assert offers(story) == ["Use “Press 5”"]
    assert "Who made it?" in story.text


def test_the_other_answer_can_be_used() -> None:
    """A tap on the card's button corrects the field, and the conversation goes on where it stands."""
    story = two_names()
    story.when(taps("Use", on=place_of_card(story)))

    story.then(Kind.CORRECTED, field="nickname", replaces="u2", value="Press 5", next_step="manufacturer")
    assert story.worker.values() == {"nickname": "Press 5"}


def test_the_other_answer_can_be_used_in_a_conversation_that_waits() -> None:
    """Where something else was begun meanwhile, the tap corrects what is parked, and the question stays."""
    story = two_names()
    story.worker.hears(says("/report"))
    story.when(taps("Use", on=place_of_card(story))).then(Kind.CORRECTED, flow="add_machine", value="Press 5")

    assert story.step == "place"
    assert story.worker.state.open[0].value("nickname") == "Press 5"


def test_the_other_answer_is_offered_as_a_change_of_a_machine_that_is_saved() -> None:
    """Once the machine is in the library, the tap begins a change of it, to be confirmed."""
    story = two_names()
    story.worker.hears(*[says("/skip")] * 6, taps("Save"))
    story.when(taps("Use", on=place_of_card(story))).then(Kind.STARTED, flow="edit_machine", next_step="confirm")

    assert "Press 4 → Press 5" in story.text
    assert story.when(taps("Save")).machine.nickname == "Press 5"


def test_the_other_name_is_refused_where_another_machine_has_it() -> None:
    """A name that is taken stays taken."""
    a, b = two(says("/addmachine"))
    a.takes(2, says("Press 4"))
    b.takes(3, says("Press 5"))
    story = healed(a, b)
    card = place_of_card(story)
    story.worker.hears(*[says("/skip")] * 6, taps("Save"), *a_machine("Press 5"), *begins_edit("Location"))

    story.when(taps("Use", on=card)).then(Kind.STARTED, flow="edit_machine")
    story.when(taps("Save")).then(Kind.REJECTED, rule="taken", reopens="nickname")


def test_a_late_answer_takes_up_what_was_cancelled() -> None:
    """B answered what A had cancelled: the tap begins it anew, with the answer in it."""
    a, b = two(*up_to("location"))
    a.takes(6, says("/cancel"))
    b.takes(7, says("Hall 3"))
    story = healed(a, b)

    assert say("merged.late", title="Location", value="Hall 3") in card(story)
    story.when(taps("Use")).then(Kind.STARTED, continues=as_text(conversation(1)), next_step="notes")
    assert story.worker.values()["location"] == "Hall 3"


def test_a_picture_beside_another_is_told_as_one() -> None:
    """Of two pictures the one beside is offered, and used as a picture."""
    a, b = two(*up_to("location"))
    a.takes(6, sends_photo("photo-1"))
    b.takes(7, sends_photo("photo-2"))
    story = healed(a, b)

    assert "photo-2" not in card(story)
    story.when(taps("Use", on=place_of_card(story))).then(Kind.PHOTO_ADDED, value="photo-2", replaces="u6")


def test_a_superseded_conversation_is_offered_with_all_its_answers() -> None:
    """Each side began a registration: the earlier one gives way, and is taken up when the later one is done."""
    a, b = two(says("hello"))
    number = takes_on(a, 2, *up_to("location"))
    takes_on(b, number, says("/addmachine"), says("Press 5"))
    story = healed(a, b)

    assert say("merged.superseded", name="Press 4") in card(story)
    offer = place_of_card(story)
    story.worker.hears(says("/cancel"))
    story.when(taps("Take up “Press 4”", on=offer))
    story.then(Kind.STARTED, continues=as_text(conversation(2)), next_step="location")
    assert story.worker.values()["serial_number"] == "S-1001"


def test_a_superseded_conversation_takes_in_what_was_answered_later() -> None:
    """What A filed after B had begun anew, also its confirmation, is no loss: it is all there when it is taken up."""
    a, b = two(says("/addmachine"), says("Press 4"))
    b.takes(3, says("/cancel"))
    b.takes(4, says("/addmachine"))
    c = Worker(name="C").learns(b)
    c.events = [event for event in c.events if event.kind != Kind.CANCELLED]
    c.learns()
    takes_on(a, 5, *[says("/skip")] * 6, taps("Save"))
    story = healed(a, c)

    assert story.worker.beside() == []
    assert story.worker.state.machines == {}
    offer = place_of_card(story)
    story.worker.hears(says("/cancel"))
    story.when(taps("Take up “Press 4”", on=offer)).then(Kind.STARTED, next_step="confirm")


def test_what_a_superseded_conversation_left_beside_goes_into_what_took_its_place() -> None:
    """The value that was beside in the one that gave way is put into the one that is open."""
    a, b = two(says("/addmachine"))
    b.takes(2, says("Press 4"))
    a.takes(3, says("Press 5"))
    b.takes(4, says("/cancel"))
    b.takes(5, says("/addmachine"))
    b.events = [event for event in b.events if event.kind != Kind.CANCELLED]
    story = healed(a, b)

    story.when(taps("Use “Press 5”", on=place_of_card(story)))
    story.then(Kind.ANSWERED, field="nickname", value="Press 5")


def test_a_conversation_that_knowingly_makes_room_is_not_told() -> None:
    """Who changes another machine while one is being changed has decided so: no card follows."""
    worker = Worker().hears(*a_machine("Press 4"), *a_machine("Press 5"), *begins_edit("Location", "Press 4"))
    other = thing(EDIT, conversation(10), FIELDS.index("location"))
    worker.hears(taps_data(other))

    assert list(worker.state.ended.values())[-1] == "superseded"
    assert not is_untold(worker.state)


def test_a_machine_that_got_a_suffix_is_told_with_a_button_to_rename_it() -> None:
    """Both sides saved a machine of one name: the later one has a number, says so, and can be renamed."""
    a, b = two(says("hello"))
    number = takes_on(a, 2, *a_machine("Press 4"))
    takes_on(b, number, *a_machine("Press 4"))
    story = healed(a, b)

    assert say("merged.renamed", name="Press 4 (2)") in card(story)
    story.when(taps("Rename “Press 4 (2)”"))
    story.then(Kind.STARTED, flow="edit_machine", subject=as_text(conversation(11)), next_step="nickname")


def test_the_same_answer_on_both_sides_is_nothing_to_tell() -> None:
    """Where both sides hold the same value, nothing differs."""
    a, b = two(says("/addmachine"))
    a.takes(2, says("Press 4"))
    b.takes(3, says("Press 4"))

    assert not is_untold(a.learns(b).state)
    assert card_of(FLOWS, a.state) is None


def test_two_conversations_that_lapse_together_are_both_offered() -> None:
    """Whoever is away for a day with two things open is offered both, and the second also after the first."""
    story = Given(Worker().hears(*up_to("location"), says("/report"), says("Hall 3"), later(25, says("hello"))))

    assert story.labels[:2] == ["Take up “Hall 3”", "Take up “Press 4”"]
    story.worker.hears(taps("Take up “Hall 3”"), says("/cancel"))
    story.when(says("hello")).then(Kind.NOTED, rule="lapsed", subject=as_text(conversation(1)))


def test_what_is_told_is_named_in_facts_that_say_nothing_personal() -> None:
    """The facts name inputs, conversations and machines; what was typed is in the words alone."""
    [event] = [one for one in two_names().worker.events if one.kind == Kind.MERGED]

    facts = msgspec.json.encode(event.facts).decode()
    assert event.facts.unfiled == ("u3",)
    assert "Press" not in facts
    assert event.words is not None
    assert event.words.called == ("Press 5",)


def test_all_workers_tell_the_same_under_one_name() -> None:
    """Two workers that learn of each other at once write two copies, and one card counts."""
    a, b = two(says("/addmachine"))
    a.takes(2, says("Press 4"))
    b.takes(3, says("Press 5"))
    only_b = b.copy("C")
    a.learns(b).tells()
    only_b.learns(a.copy("D"))
    only_b.events = [event for event in only_b.events if event.kind != Kind.MERGED]
    only_b.state = fold(only_b.events)
    only_b.tells()
    a.learns(only_b)

    copies = [event for event in a.events if event.kind == Kind.MERGED]
    assert len(copies) == 2
    assert len({event.dedup_key for event in copies}) == 1
    assert [event.kind for event in counted(a.events)].count(Kind.MERGED) == 1


def test_the_name_of_a_telling_does_not_depend_on_the_order_it_was_learned_in() -> None:
    """The same things in another order have the same name, and other things another one."""
    facts = card_facts("u1", "u2")

    assert merge_key(facts) == merge_key(card_facts("u2", "u1"))
    assert merge_key(facts) != merge_key(card_facts("u1"))


def card_facts(*sources: str) -> Facts:
    """Facts that tell these answers."""
    [event] = [one for one in two_names().worker.events if one.kind == Kind.MERGED]
    return replace(event.facts, unfiled=sources)


def test_a_card_whose_words_are_erased_still_tells_that_there_was_a_fork() -> None:
    """Without words the card has its first sentence and no buttons, and a tap on an old one is over."""
    story = two_names()
    a, use = story.worker, taps("Use", on=place_of_card(story))
    a.events = [replace(one, words=None) if one.kind in {Kind.MERGED, Kind.ANSWERED} else one for one in a.events]
    a.state = fold(a.events)

    story.when(use).then(Kind.UNEXPECTED, rule="over")


def test_many_things_are_told_in_several_messages() -> None:
    """With more than fits into one message, the card goes on in the next one, and every button works."""
    a, b = two(*up_to("confirm"))
    takes_on(a, 9, edits(2, "Press 40"))
    takes_on(b, 10, *(edits(2, f"Press {number}") for number in range(50, 58)))
    story = healed(a, b)

    shown = [one for one in story.worker.screens if "is kept beside it" in one.text]
    assert sum(len(buttons(one)) for one in shown) == len(story.worker.events[-1].facts.unfiled)


def _told(events: list[Event]) -> list[str]:
    """Every thing that a card told for the first time, in the fold's order."""
    told: list[str] = []
    state = EMPTY
    for event in counted(events):
        after = evolve(state, event)
        if event.kind == Kind.MERGED:
            told += _things(state) - _things(after)
        state = after
    return told


def _things(state: ThreadState) -> set[str]:
    superseded = {as_text(one.conversation_id) for one in state.superseded}
    return {one.source for one in state.unfiled} | superseded | set(state.renamed)


@hypothesis.given(forks(), st.integers(0, 9))
@hypothesis.settings(deadline=None)
def test_after_any_fork_everything_is_told_and_nothing_twice(sides: tuple[Worker, Worker], seed: int) -> None:
    """Whichever side tells first, what it knows of: once both know all, nothing is left untold or told again."""
    a, b = sides
    half = b.copy("C").tells()
    a.learns(b).tells()
    a.learns(half).tells()

    assert not is_untold(a.state)
    told = _told(a.events)
    assert len(told) == len(set(told))
    assert fold(shuffled(a.events, seed)) == fold(a.events)


@pytest.mark.parametrize("name", ["use", "take_up.of", "rename"])
def test_the_buttons_name_what_they_do(name: str) -> None:
    """Each button's sentence has a place for what it is about."""
    assert "{name}" in WORDING[f"button.{name}"]

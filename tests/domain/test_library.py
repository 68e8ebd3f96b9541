import pytest

from holdfast.domain.kinds import Kind
from holdfast.domain.wording import say
from tests.domain.given import (
    LIBRARY,
    Act,
    a_machine,
    begins_edit,
    begins_removal,
    buttons,
    given,
    later,
    opens_card,
    says,
    sends_photo,
    taps,
    taps_data,
    up_to,
)
from tests.domain.reading import plain

SEVEN: tuple[Act, ...] = tuple(act for number in range(1, 8) for act in a_machine(f"Press {number}"))


def test_an_empty_library_says_so_and_offers_to_begin() -> None:
    """Who has no machine reads that, with the button that registers one."""
    story = given().when(LIBRARY)

    story.then(Kind.NOTED, rule="library")
    assert story.text == say("library.empty")
    assert story.labels == ["Register a machine"]


def test_the_library_names_each_machine() -> None:
    """Machines stand in the order of their names, whatever the letters' case, and without pages while they are few."""
    story = given(*a_machine("press 2"), *a_machine("Lathe"), *a_machine("Press 1")).when(LIBRARY)

    assert story.labels == ["Lathe", "Press 1", "press 2", "Register a machine"]
    assert plain(story.text) == "Your machines (3)"


def test_many_machines_are_turned_over_in_place() -> None:
    """The seventh machine stands on the second page, which takes the place of the first."""
    story = given(*SEVEN).when(LIBRARY)
    assert story.labels == [*(f"Press {number}" for number in range(1, 7)), "‹", "1 of 2", "›", "Register a machine"]
    story.when(taps("›"))

    assert story.labels == ["Press 7", "‹", "2 of 2", "›", "Register a machine"]
    assert story.worker.screens[-1].in_place == "any"
    assert story.when(taps("›")).labels[0] == "Press 1"


def test_a_page_that_is_gone_shows_the_last_there_is() -> None:
    """A button of a page that no longer exists leads to the last one."""
    story = given(*SEVEN, *begins_removal("Press 3"), taps("Remove it")).when(taps_data("lib:1:"))

    assert story.labels[:6] == ["Press 1", "Press 2", "Press 4", "Press 5", "Press 6", "Press 7"]


@pytest.mark.parametrize("words", ["ACME", "hall 3", "3 hall", "s-1001", "leaks", "press", "PX"])
def test_a_search_looks_through_every_field(words: str) -> None:
    """A machine is found by any of its words, in any order and case."""
    story = given(*up_to("confirm"), taps("Save"), *a_machine("Lathe")).when(says(f"/library {words}"))

    assert story.labels == ["Press 4", "Register a machine"]
    assert words in story.text


def test_a_search_that_finds_nothing_says_so() -> None:
    """What is not there is named, with nothing of it read as markup."""
    story = given(*a_machine()).when(says("/library <b>lathe</b>"))

    assert story.text == say("library.none", words="<b>lathe</b>")
    assert story.labels == ["Register a machine"]


def test_a_photos_name_at_telegram_is_not_searched() -> None:
    """A photo's file id is no word of the machine."""
    story = given(*up_to("confirm"), taps("Save")).when(says("/library photo-1"))

    assert story.text == say("library.none", words="photo-1")


def test_turning_a_search_keeps_its_words() -> None:
    """The second page of a search is one of the same search."""
    story = given(*SEVEN, *a_machine("Lathe"), says("/library press")).when(taps("›"))

    assert story.labels[0] == "Press 7"
    assert plain(story.text) == "Machines with “press” (7)"


@pytest.mark.parametrize("words", ["🏭" * 60, "é" * 500, "x" * 4000])
def test_a_long_search_still_fits_its_buttons(words: str) -> None:
    """However long the words searched for, every button stays within Telegram's 64 bytes."""
    machines = [act for number in range(7) for act in (says("/addmachine"), says(f"{number} {words[:90]}"))]
    rest = [act for place in range(0, 14, 2) for act in (*machines[place : place + 2], *a_machine()[2:])]
    story = given(*rest).when(says(f"/library {words[:90]}"))

    assert "1 of 2" in story.labels
    assert max(len(one.data.encode()) for one in buttons(story.worker.screens[-1])) <= 64
    assert story.when(taps("›")).labels[1] == "‹"


def test_the_card_shows_what_is_known_and_its_photo_first() -> None:
    """A machine's card is its photo, then its fields, with all that can be done to it."""
    story = given(*up_to("confirm"), taps("Save"), LIBRARY).when(taps("Press 4"))
    photo, card = story.worker.screens[-2:]

    assert (photo.photo, photo.text) == ("photo-1", "Press 4")
    assert plain(card.text).splitlines() == [
        *("Nickname: Press 4", "Manufacturer: Acme", "Model number: PX-4"),
        *("Serial number: S-1001", "Location: Hall 3", "Notes: Leaks oil"),
    ]
    assert story.labels == ["✎ Change", "Remove", "History", "‹ Library"]


def test_a_card_leaves_out_what_is_empty() -> None:
    """A machine of which only the name is known has a card of one line, without a photo."""
    story = given(*a_machine(), LIBRARY).when(taps("Press 4"))

    story.then(Kind.NOTED, rule="machine")
    assert plain(story.text) == "Nickname: Press 4"


def test_the_history_tells_what_became_of_a_machine() -> None:
    """Each ended conversation about a machine is one line, oldest first, and other machines' are not among them."""
    edit = (*begins_edit("Location"), says("Hall 4"))
    told = (*a_machine(), *a_machine("Lathe"), *edit, taps("Save"), *edit, says("/cancel"))
    gone = (*begins_edit("Notes"), later(25, says("hello")), *begins_removal(), taps("Cancel"))
    story = given(*told, *gone, *opens_card()).when(taps("History"))

    what = [line.partition("  ")[2] for line in plain(story.text).splitlines()]
    assert what == ["", "registered", "changed", "change given up", "change left unfinished", "removal given up"]
    assert "2027-01-15" in story.text
    assert story.labels == ["‹ Back to the machine"]


@pytest.mark.parametrize("label", ["✎ Change", "Remove", "History"])
def test_the_card_of_a_removed_machine_does_nothing(label: str) -> None:
    """The buttons of a card that still stands in the chat say that the machine is gone."""
    card = len(given(*a_machine(), *opens_card()).worker.screens)
    story = given(*a_machine(), *begins_removal(), taps("Remove it")).when(taps(label, on=card))

    story.then(Kind.NOTED, rule="no_machine")
    assert say("rule.no_machine") in story.text


def test_in_the_middle_of_a_registration_the_question_stays_at_the_bottom() -> None:
    """The library, a card and a history come above the open question, and none of them moves it on."""
    story = given(*a_machine(), *up_to("location", "Press 5")).when(LIBRARY)
    library, question = story.worker.screens[-2:]

    assert buttons(library)[0].label == "Press 4"
    assert "Register a machine" not in {one.label for one in buttons(library)}
    assert say("machine.location") in question.text
    story.when(taps("Press 4", on=len(story.worker.screens) - 1)).then(Kind.NOTED, rule="machine")
    assert say("machine.location") in story.text
    story.when(says("Hall 9")).then(Kind.ANSWERED, field="location")


def test_turning_a_page_leaves_the_question_where_it_stands() -> None:
    """A page that changes in place above the question needs no second question below."""
    story = given(*SEVEN, *up_to("location", "Lathe"), LIBRARY)
    seen = len(story.worker.screens)
    story.when(taps("›", on=seen - 1))

    assert len(story.worker.screens) == seen + 1
    assert story.worker.screens[-1].in_place == "any"
    assert story.step == "location"


def test_a_photo_outside_a_conversation_can_be_saved() -> None:
    """A photo is noted, and its button begins a registration that has it already."""
    story = given().when(sends_photo("nameplate"))
    story.then(Kind.NOTED, rule="photo")
    assert story.labels[0] == "Save to library"
    story.when(taps("Save to library")).then(Kind.STARTED, flow="add_machine", next_step="nickname")

    story.worker.hears(says("Press 4"), *[says("/skip")] * 5)
    assert story.step == "confirm"
    story.when(taps("Save")).then(Kind.CONFIRMED)
    assert story.machine.photo_file_id == "nameplate"


def test_saving_a_photo_twice_begins_once() -> None:
    """A second tap under the photo takes the registration up where it is."""
    story = given(sends_photo("nameplate"), taps("Save to library"), says("Press 4"))

    story.when(taps("Save to library", on=1)).then(Kind.RESUMED, next_step="manufacturer")
    assert len(story.worker.state.open) == 1


def test_a_photo_that_never_was_cannot_be_saved() -> None:
    """A forged button for another event's photo is over."""
    given(sends_photo()).when(taps_data("ph:AAAAAAAAAAAAAAAAAAAAAA")).then(Kind.NOTED, rule="over")


def test_an_album_is_answered_once() -> None:
    """The first photo of an album is filed, the rest are kept, and one reply is owed for all."""
    story = given(*up_to("photo"))
    seen = len(story.worker.screens)
    album = [sends_photo(f"photo-{number}", album="al") for number in range(1, 5)]
    story.when(album[0]).then(Kind.PHOTO_ADDED, field="photo", value="photo-1", next_step="confirm")
    for number, one in enumerate(album[1:], start=2):
        story.when(one).then(Kind.PHOTO_ADDED, rule="album", field="", value=f"photo-{number}", next_step="confirm")

    assert len(story.worker.screens) == seen + 1
    assert story.worker.values()["photo"] == "photo-1"


def test_another_album_takes_the_place_of_the_first() -> None:
    """A new album is a new answer."""
    story = given(*up_to("photo"), sends_photo("photo-1", album="al"), sends_photo("photo-2", album="al"))

    story.when(sends_photo("photo-3", album="other")).then(Kind.PHOTO_ADDED, field="photo", value="photo-3")
    story.when(sends_photo("photo-4", album="other")).then(Kind.PHOTO_ADDED, rule="album")


def test_an_album_outside_a_conversation_is_answered_once() -> None:
    """The first photo is offered to be saved, the rest are kept and owe no reply."""
    story = given().when(sends_photo("photo-1", album="al"))
    story.then(Kind.NOTED, rule="photo")
    story.when(sends_photo("photo-2", album="al")).then(Kind.NOTED, rule="album")
    story.when(sends_photo("photo-3", album="other")).then(Kind.NOTED, rule="photo")


def test_what_begins_begins_below_what_stands() -> None:
    """A tap that starts something gets a new message, so that what was said above stays to be read."""
    worker = given(*a_machine()).when(taps("Register a machine")).worker

    assert worker.screens[-1].in_place == ""
    assert worker.hears(says("Lathe"), taps("Skip")).screens[-1].in_place == "last"

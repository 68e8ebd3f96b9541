import pytest

from holdfast.domain.ids import as_text
from holdfast.domain.kinds import Kind
from holdfast.domain.library import values_of
from holdfast.domain.wording import say
from tests.domain.given import (
    LIBRARY,
    a_machine,
    begins_edit,
    begins_removal,
    conversation,
    edits,
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

FULL = (*up_to("confirm"), taps("Save"))
"""A machine of which everything is known, registered by the inputs 1 to 9."""

MACHINE = as_text(conversation(1))


def test_a_field_is_asked_with_what_it_holds() -> None:
    """Changing a field asks for it, with its present value and a way to keep it."""
    story = given(*FULL, *opens_card(), taps("✎ Change")).when(taps("Location"))

    story.then(Kind.STARTED, flow="edit_machine", subject=MACHINE, reopens="location", next_step="location")
    assert "At present: Hall 3" in story.text
    assert story.labels == ["Keep it", "Leave empty", "‹ Back", "Cancel"]


def test_the_card_shows_what_changes() -> None:
    """Before anything changes, the card shows the old value beside the new one, and only there."""
    story = given(*FULL, *begins_edit("Location")).when(says("Hall <4>"))

    story.then(Kind.CORRECTED, field="location", value="Hall <4>", next_step="confirm")
    lines = plain(story.text).splitlines()
    assert "Location: Hall 3 → Hall <4>" in lines
    assert "Serial number: S-1001" in lines
    assert "Save these changes of Press 4?" in lines
    assert story.machine.location == "Hall 3"


def test_saving_changes_the_one_field() -> None:
    """After Save the machine has the new value, another time of its last change, and is otherwise as it was."""
    story = given(*FULL)
    was = story.machine
    story.worker.hears(*begins_edit("Location"), later(2, says("Hall 4")))
    story.when(taps("Save")).then(Kind.CONFIRMED, flow="edit_machine", value="Press 4", subject=MACHINE)

    assert values_of(story.machine) == {**values_of(was), "location": "Hall 4"}
    assert story.machine.machine_id == was.machine_id
    assert story.machine.created_at == was.created_at
    assert story.machine.updated_at == story.worker.events[-1].occurred_at > was.updated_at
    assert "Changed. Press 4 is up to date." in plain(story.text)


def test_keeping_a_field_changes_nothing() -> None:
    """Keep leads to a card without an arrow, and saving it leaves every value."""
    story = given(*FULL)
    was = values_of(story.machine)
    story.worker.hears(*begins_edit("Location"), taps("Keep it"))

    assert "→" not in story.text
    story.when(taps("Save")).then(Kind.CONFIRMED)
    assert values_of(story.machine) == was


def test_a_field_can_be_emptied() -> None:
    """Leave empty takes the value away, and the card says so beforehand."""
    story = given(*FULL, *begins_edit("Notes")).when(taps("Leave empty"))

    assert "Notes: Leaks oil → –" in plain(story.text)
    assert story.when(taps("Save")).machine.notes is None


def test_several_fields_are_changed_at_once() -> None:
    """From the card further fields can be changed before all is saved together."""
    story = given(*FULL, *begins_edit("Location"), says("Hall 4"), taps("✎ Nickname"), says("Press 44"))
    story.worker.hears(taps("✎ Photo"), sends_photo("photo-2"))

    assert plain(story.text).count("→") == 3
    story.when(taps("Save")).then(Kind.CONFIRMED, value="Press 44")
    machine = story.machine
    assert (machine.nickname, machine.location, machine.photo_file_id) == ("Press 44", "Hall 4", "photo-2")


def test_a_nickname_of_another_machine_is_taken() -> None:
    """A machine can't be given the name of another one, and the question stands."""
    given(*a_machine("Lathe"), *a_machine(), *begins_edit("Nickname")).when(says("Lathe")).then(
        Kind.REJECTED, rule="taken", next_step="nickname"
    )


def test_a_machine_may_keep_its_own_nickname() -> None:
    """Typing the name a machine has already is no clash."""
    story = given(*a_machine("Lathe"), *a_machine(), *begins_edit("Nickname"))

    story.when(says("Press 4")).then(Kind.CORRECTED, value="Press 4", next_step="confirm")
    story.when(taps("Save")).then(Kind.CONFIRMED)
    assert sorted(one.nickname for one in story.worker.state.machines.values()) == ["Lathe", "Press 4"]


def test_a_nickname_taken_before_saving_is_asked_again() -> None:
    """When another machine got the name while the card stood, Save asks for another name."""
    story = given(*a_machine(), *begins_edit("Nickname"), says("Lathe"), *a_machine("Lathe"))

    story.when(taps("Save")).then(Kind.REJECTED, rule="taken", reopens="nickname", flow="edit_machine")


def test_cancelling_leaves_the_machine_as_it_was() -> None:
    """What was typed into a change that is given up is kept in the history, and the machine is untouched."""
    story = given(*FULL)
    was = story.machine
    story.worker.hears(*begins_edit("Location"), says("Hall 4"))
    story.when(taps("Cancel")).then(Kind.CANCELLED, flow="edit_machine", subject=MACHINE)

    assert story.machine == was


def test_a_change_of_a_machine_removed_meanwhile_is_not_called_done() -> None:
    """Who saves a change of a machine that was removed since is told so, and nothing comes back."""
    changing = (*a_machine(), *begins_edit("Location"), says("Hall 4"))
    shown = len(given(*changing).worker.screens)
    story = given(*changing, LIBRARY, taps("Press 4", on=shown + 1), taps("Remove", on=shown + 3), taps("Remove it"))
    assert story.worker.state.machines == {}

    story.when(taps("Save")).then(Kind.UNEXPECTED, rule="no_machine", flow="edit_machine")
    assert say("rule.no_machine") in story.text
    assert story.worker.state.machines == {}
    story.when(taps("Cancel")).then(Kind.CANCELLED)


def test_the_same_field_tapped_again_asks_it_again() -> None:
    """Choosing a field of the machine that is being changed goes on with that change."""
    story = given(*FULL, *begins_edit("Location"), says("Hall 4"))
    story.when(taps("Notes", on=len(story.worker.screens) - 2)).then(
        Kind.RESUMED, flow="edit_machine", reopens="notes", next_step="notes"
    )
    assert story.worker.values()["location"] == "Hall 4"


def test_a_change_in_the_middle_of_a_registration_parks_it() -> None:
    """A registration waits while a machine is changed, and its question comes back after."""
    told = (*a_machine("Lathe"), *up_to("location"), LIBRARY)
    shown = len(given(*told).worker.screens)
    story = given(*told, taps("Lathe", on=shown - 1), taps("✎ Change", on=shown + 1))
    story.when(taps("Notes", on=shown + 3)).then(
        Kind.STARTED, flow="edit_machine", parked=(as_text(conversation(10)),), next_step="notes"
    )
    story.worker.hears(says("New belt"))
    story.when(taps("Save")).then(Kind.CONFIRMED, resumes=as_text(conversation(10)))

    assert say("machine.location") in story.text
    assert say("taken_up") in story.text
    story.when(says("Hall 3")).then(Kind.ANSWERED, flow="add_machine", field="location")


def test_a_removal_is_asked_first() -> None:
    """Remove shows a card with the machine's name, and nothing is gone yet."""
    story = given(*a_machine(), *opens_card()).when(taps("Remove"))

    story.then(Kind.STARTED, flow="remove_machine", subject=MACHINE, next_step="confirm")
    assert "Remove Press 4 from your library?" in plain(story.text)
    assert story.labels == ["Remove it", "Cancel"]
    assert len(story.worker.state.machines) == 1


def test_a_confirmed_removal_takes_the_machine_away() -> None:
    """After Remove it the library is without the machine, and its name is free."""
    story = given(*a_machine(), *begins_removal()).when(taps("Remove it"))

    story.then(Kind.CONFIRMED, flow="remove_machine", value="Press 4")
    assert story.worker.state.machines == {}
    story.worker.hears(*a_machine())
    assert story.machine.nickname == "Press 4"


def test_a_cancelled_removal_removes_nothing() -> None:
    """Cancel leaves the machine where it is."""
    story = given(*a_machine(), *begins_removal()).when(taps("Cancel"))

    story.then(Kind.CANCELLED, flow="remove_machine")
    assert story.machine.nickname == "Press 4"


def test_a_machine_is_removed_once() -> None:
    """A second tap on Remove it is over, and a second wish to remove it finds nothing."""
    story = given(*a_machine(), *begins_removal(), taps("Remove it"))
    asked = len(story.worker.screens) - 1

    story.when(taps("Remove it", on=asked)).then(Kind.NOTED, rule="over")
    story.when(taps("Remove", on=asked - 1)).then(Kind.NOTED, rule="no_machine")


def test_a_removal_given_up_cannot_be_taken_up_when_the_machine_is_gone() -> None:
    """What was begun for a machine that is no longer there is not begun again."""
    story = given(*a_machine(), *begins_removal(), taps("Cancel"))
    offer = len(story.worker.screens)
    story.worker.hears(*begins_removal(), taps("Remove it"))

    story.when(taps("Take it up again", on=offer)).then(Kind.NOTED, rule="no_machine")


@pytest.mark.parametrize("text", ["hello", "/skip"])
def test_a_removal_wants_its_buttons(text: str) -> None:
    """What is typed at the card of a removal is no answer to it."""
    given(*a_machine(), *begins_removal()).when(says(text)).then(Kind.UNEXPECTED, rule="use_buttons")


def test_an_edit_of_a_saved_answer_offers_the_change_and_applies_it() -> None:
    """Editing the message that gave an answer offers it, leads to a card with the change, and Save applies it."""
    story = given(*FULL).when(edits(5, "S-2002"))

    story.then(Kind.NOTED, rule="edit_offer", field="serial_number", value="S-2002", subject=MACHINE)
    assert "Change Serial number to “S-2002”?" in plain(story.text)
    story.when(taps("Change it")).then(Kind.STARTED, flow="edit_machine", next_step="confirm", subject=MACHINE)
    assert "S-1001 → S-2002" in plain(story.text)
    assert story.when(taps("Save")).machine.serial_number == "S-2002"


def test_an_edit_offered_in_the_middle_of_a_registration_waits_beside_it() -> None:
    """The open question stays below the offer, and comes back after the change."""
    story = given(*FULL, *up_to("location", "Press 5")).when(edits(5, "S-2002"))

    story.then(Kind.NOTED, rule="edit_offer")
    assert say("machine.location") in story.text
    story.worker.hears(taps("Change it"), taps("Save"))
    assert story.step == "location"
    assert story.machine.serial_number == "S-2002"


def test_an_applied_edit_keeps_a_change_that_is_open() -> None:
    """An edit of an old message joins the change of that machine that is under way, and loses nothing of it."""
    story = given(*FULL, *begins_edit("Location"), says("Hall 4"), edits(5, "S-2002"), taps("Change it"))

    assert (story.worker.values()["location"], story.worker.values()["serial_number"]) == ("Hall 4", "S-2002")


@pytest.mark.parametrize("text", ["x" * 500, " ", ""])
def test_an_edit_that_would_not_fit_is_not_offered(text: str) -> None:
    """What could not have been the answer is not offered as one."""
    given(*FULL).when(edits(5, text)).then(Kind.NOTED, rule="unknown_edit")


def test_an_edit_for_a_removed_machine_is_not_offered() -> None:
    """A machine that is gone is not offered to be changed; an older offer says so."""
    story = given(*FULL, edits(5, "S-2002"))
    offer = len(story.worker.screens)
    story.worker.hears(*begins_removal(), taps("Remove it"))

    story.when(edits(5, "S-3003")).then(Kind.NOTED, rule="unknown_edit")
    story.when(taps("Change it", on=offer)).then(Kind.NOTED, rule="no_machine")


def test_a_forged_offer_is_over() -> None:
    """A button for an edit that was never offered changes nothing."""
    given(*FULL).when(taps_data("ed:AAAAAAAAAAAAAAAAAAAAAA")).then(Kind.NOTED, rule="over")

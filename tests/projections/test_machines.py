from msgspec.structs import replace

from holdfast.domain.event import Draft, Facts, Words
from holdfast.domain.evolve import EMPTY
from holdfast.domain.ids import as_text
from holdfast.domain.kinds import Kind
from holdfast.domain.ports import RowChange
from holdfast.projections.machines import TABLE, changes
from tests.domain.given import (
    FLOWS,
    NOON,
    PERSON,
    SECOND,
    Worker,
    a_machine,
    conversation,
    given,
    says,
    sends_photo,
    taps,
    up_to,
)
from tests.projections.table import rows_of, table


def test_a_saved_machine_is_a_row() -> None:
    """The row holds the person, every answer, and the time it was saved."""
    worker = given(*up_to("confirm"), taps("Save")).worker
    at = NOON + 9 * SECOND

    assert changes(EMPTY, worker.state) == [
        RowChange(
            TABLE,
            (as_text(conversation(1)),),
            (PERSON, "Press 4", "Acme", "PX-4", "S-1001", "Hall 3", "Leaks oil", "photo-1", None, at, at),
        )
    ]


def test_nothing_is_a_row_before_it_is_saved() -> None:
    """A library changes at the confirmation only."""
    assert changes(EMPTY, given(*up_to("confirm")).worker.state) == []
    assert changes(EMPTY, given(*up_to("confirm"), says("/cancel")).worker.state) == []


def test_what_was_left_empty_is_null() -> None:
    """An answer that was skipped is no value."""
    [row] = table(rows_of(FLOWS, given(*a_machine()).worker.events), TABLE).values()

    assert row[2:9] == (None,) * 7


def test_what_no_database_can_hold_is_replaced() -> None:
    """NUL and lone surrogates never reach a column."""
    acts = (says("/addmachine"), says("a\0b"), sends_photo("\0\ud800"), *[says("/skip")] * 5, taps("Save"))
    [row] = table(rows_of(FLOWS, given(*acts).worker.events), TABLE).values()

    assert (row[1], row[7]) == ("a\ufffdb", "\ufffd\ufffd")


def test_a_second_machine_writes_only_its_own_row() -> None:
    """The rows of other machines are left alone."""
    worker = given(*a_machine("Press 4")).worker
    before = worker.state
    worker.hears(*a_machine("Press 5"))
    [change] = changes(before, worker.state)

    assert change.key == (as_text(conversation(10)),)


def test_a_turn_that_saves_nothing_writes_nothing() -> None:
    """Answers along the way change no machine."""
    worker = given(*a_machine()).worker
    before = worker.state
    worker.hears(*up_to("confirm", "Press 5"))

    assert changes(before, worker.state) == []


def test_a_person_who_is_forgotten_has_no_rows() -> None:
    """An erasure takes every machine away."""
    worker = given(*a_machine("Press 4"), *a_machine("Press 5")).worker
    before = worker.state
    worker.appends(Draft(kind=Kind.FORGOTTEN, conversation_id=None, facts=Facts(), words=Words()), 30)

    assert {(change.key, change.values) for change in changes(before, worker.state)} == {
        ((as_text(conversation(1)),), None),
        ((as_text(conversation(10)),), None),
    }


def test_two_sides_of_a_cut_never_share_a_nickname() -> None:
    """The table allows one row for a person and a nickname, also after a fork."""
    a, b = Worker(name="A"), Worker(name="B")
    for number, act in enumerate(a_machine("Press 4"), start=1):
        a.takes(number, act)
        b.takes(number + 20, act)
    rows = table(rows_of(FLOWS, a.learns(b).events), TABLE).values()

    assert sorted(str(row[1]) for row in rows) == ["Press 4", "Press 4 (2)"]


def test_a_machine_that_is_the_same_is_not_written_again() -> None:
    """The very same machine object in a new library is no change."""
    state = given(*a_machine()).worker.state

    assert changes(state, replace(state, machines=dict(state.machines))) == []

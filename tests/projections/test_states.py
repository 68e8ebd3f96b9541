import json
from typing import Any

from msgspec.structs import replace

from holdfast.domain.flow import Flows
from holdfast.domain.ids import as_text
from holdfast.domain.ports import RowChange
from holdfast.projections.fold import TABLES, fold_of
from holdfast.projections.states import TABLE, changes
from tests.domain.given import (
    FLOWS,
    HOUR,
    NOON,
    PERSON,
    SECOND,
    Act,
    Worker,
    a_machine,
    conversation,
    given,
    report_fault,
    says,
    sends,
    sends_photo,
    taps,
    up_to,
)
from tests.projections.table import rows_of, table

DAY = 24 * 60 * 60 * SECOND
EVENING = NOON + DAY // 2
"""Eight o'clock: four hours before the end of what began at eight in the morning would be in the night."""


def state_rows(*acts: Act) -> dict[tuple[object, ...], tuple[object, ...]]:
    return table(rows_of(FLOWS, given(*acts).worker.events), TABLE)


def data_of(row: tuple[object, ...]) -> Any:  # noqa: ANN401 - what stands in a JSON column
    return json.loads(str(row[1]))


def test_an_open_conversation_has_a_row() -> None:
    """The row says who, which flow, at which step, since when, and until when."""
    [(key, row)] = state_rows(*up_to("location")).items()

    assert key == (PERSON, PERSON, "add_machine")
    assert (row[0], row[2], row[3], row[4]) == ("location", NOON + SECOND, NOON + 5 * SECOND, NOON + 5 * SECOND + DAY)


def test_the_row_holds_the_answers() -> None:
    """Every field asked so far is there; one that was skipped is null."""
    [row] = state_rows(*up_to("model_number"), says("/skip")).values()

    assert data_of(row) == {
        "conversation_id": as_text(conversation(1)),
        "flow_version": 1,
        "due_at": EVENING,
        "fields": {"nickname": "Press 4", "manufacturer": "Acme", "model_number": None},
    }


def test_a_row_tells_when_a_clock_must_look_at_it() -> None:
    """First when its person is to be reminded, then when it ends; what is parked, or is too short, just ends."""
    worker = Worker(FLOWS).hears(*up_to("location"), says("/report"))
    rows = {key[2]: data_of(row)["due_at"] for key, row in table(rows_of(FLOWS, worker.events), TABLE).items()}

    assert rows == {"add_machine": NOON + 5 * SECOND + DAY, "report_fault": EVENING}


def test_a_row_is_written_anew_when_what_is_on_top_changes() -> None:
    """What a parked conversation is due for changes when it is taken up again, and with its person's time zone."""
    worker = Worker(FLOWS).hears(*up_to("location"), says("/report"), says("/cancel"))
    [row] = table(rows_of(FLOWS, worker.events), TABLE).values()
    worker.hears(says("/timezone Asia/Tokyo"))
    [moved] = table(rows_of(FLOWS, worker.events), TABLE).values()

    assert data_of(row)["due_at"] == EVENING
    assert data_of(moved)["due_at"] == NOON + DAY - 4 * HOUR * SECOND + 7 * SECOND


def test_what_no_database_can_hold_is_replaced() -> None:
    """NUL and lone surrogates never reach a column."""
    [row] = state_rows(says("/addmachine"), says("a\0b"), sends_photo("file\0\ud800")).values()

    assert data_of(row)["fields"] == {"nickname": "a\ufffdb", "photo": "file\ufffd\ufffd"}
    str(row[1]).encode()


def test_a_stray_input_moves_the_time_to_live() -> None:
    """Whatever a person sends in a conversation shows that somebody is there."""
    [row] = state_rows(*up_to("location"), sends("sticker")).values()

    assert row[3] == NOON + 6 * SECOND


def test_two_open_conversations_have_two_rows() -> None:
    """A parked conversation stands beside the active one."""
    rows = state_rows(*up_to("location"), says("/report"))

    assert {key[2]: row[0] for key, row in rows.items()} == {"add_machine": "location", "report_fault": "place"}


def test_the_end_takes_the_row_away() -> None:
    """A row stands only while its conversation is open."""
    worker = given(*up_to("confirm")).worker
    before = worker.state
    worker.hears(taps("Save"))

    assert changes(FLOWS, before, worker.state) == [RowChange(TABLE, (PERSON, PERSON, "add_machine"), None)]
    assert state_rows(*up_to("location"), says("/cancel")) == {}


def test_only_what_changed_is_written() -> None:
    """A turn in one conversation leaves the other's row alone; a turn in none changes no row."""
    worker = given(*up_to("location"), says("/report")).worker
    before = worker.state
    worker.hears(says("Hall 3"))
    [change] = changes(FLOWS, before, worker.state)
    assert change.key[2] == "report_fault"

    before = worker.state
    worker.hears(says("/help"))
    assert changes(FLOWS, before, worker.state) == []


def test_a_conversation_superseded_by_another_of_its_flow_gives_up_its_row() -> None:
    """There is one row for a flow, and it tells of the conversation that is open."""
    a, b = Worker(name="A"), Worker(name="B")
    a.takes(1, says("/addmachine"))
    b.takes(2, says("/addmachine"))
    [row] = table(rows_of(FLOWS, a.learns(b).events), TABLE).values()

    assert data_of(row)["conversation_id"] == as_text(conversation(2))


def test_a_conversation_whose_flow_is_missing_keeps_its_row() -> None:
    """While a flow is not loaded its conversation's row stays as it stands, and nothing fails."""
    worker = given(*up_to("location"), says("/report")).worker
    before, without = worker.state, Flows([report_fault])
    worker.flows = without
    worker.hears(says("Hall 3"))
    touched = replace(worker.state, open=tuple(replace(one, updated_at=NOON) for one in worker.state.open))

    assert [change.key[2] for change in changes(without, before, touched)] == ["report_fault"]


def test_an_input_while_the_flow_is_missing_changes_no_row() -> None:
    """The turn that says so can be written."""
    worker = given(*up_to("location")).worker
    before, worker.flows = worker.state, Flows([report_fault])
    worker.hears(says("Hall 3"))

    assert worker.events[-1].facts.rule == "flow_missing"
    assert fold_of(worker.flows)(before, worker.state, worker.events[-1]) == []


def test_the_fold_knows_its_tables() -> None:
    """Every table that a rebuild compares is one that the fold writes."""
    events = given(*a_machine(), says("/report"), sends_photo()).worker.events
    changed = rows_of(FLOWS, events)

    assert {name for name, _ in changed} == set(TABLES)

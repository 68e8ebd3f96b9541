"""Stories that broke earlier versions of the fold: with the rule switched off each goes wrong, with it on ends well."""

from contextlib import AbstractContextManager, nullcontext
from unittest.mock import patch

import pytest
from msgspec.structs import replace

from holdfast.domain import debts, evolve, order
from holdfast.domain.debts import owed
from holdfast.domain.event import Event
from holdfast.domain.kinds import FILING, Kind
from holdfast.domain.order import counted
from holdfast.domain.state import ThreadState
from tests.domain.given import Worker, conversation, says, up_to


def _first_copy() -> AbstractContextManager[object]:
    """Of two copies of an input the first in order counts."""
    return patch.object(order, "_informed", lambda _event: (0, 0))


def _void_expiries_count() -> AbstractContextManager[object]:
    """An expiry counts, whatever its worker had not seen."""
    return patch.object(order, "_without_void_expiries", list)


def _answers_overwrite() -> AbstractContextManager[object]:
    """An answer does not say which value it takes the place of, so it takes that of any."""
    filed = evolve._filed  # noqa: SLF001 - the very rule that is switched off

    def blind(state: ThreadState, event: Event) -> ThreadState:
        running = state.conversation(event.conversation_id)
        held = running.fields.get(event.facts.field) if running else None
        return filed(state, replace(event, facts=replace(event.facts, replaces=held.source if held else "")))

    return patch.dict(evolve._CHANGES, dict.fromkeys(FILING, blind))  # noqa: SLF001


def _any_reply_will_do() -> AbstractContextManager[object]:
    """An input that was answered is answered, whatever was decided about the copy that was."""
    return patch.object(debts, "decided", lambda event: event.dedup_key)


def a_stale_copy() -> dict[str, str | None]:
    """A has acknowledged u2 as the name; it was also delivered to B, which had not seen the start."""
    a, b = Worker(name="A").hears(says("/addmachine")), Worker(name="B")
    a.takes(2, says("Press 4"))
    b.takes(2, says("Press 4"))
    return a.learns(b).values()


def test_the_first_copy_is_the_worst_informed_one() -> None:
    """Taking the first copy drops an acknowledged answer; the accepted one counts before it."""
    with _first_copy():
        assert a_stale_copy() == {}
    assert a_stale_copy() == {"nickname": "Press 4"}


def an_answer_to_an_older_question() -> dict[str, str | None]:
    """A has the place and asks how often; "42" reaches B, which still asks for the place."""
    a = Worker(name="A").hears(says("/report"))
    b = a.copy("B")
    a.takes(2, says("Hall 3"))
    b.takes(3, says("42"))
    return a.learns(b).values()


def test_an_answer_names_the_value_it_replaces() -> None:
    """Without that name the place becomes 42; with it, 42 is kept beside."""
    with _answers_overwrite():
        assert an_answer_to_an_older_question() == {"place": "42"}
    assert an_answer_to_an_older_question() == {"place": "Hall 3"}


def an_expiry_on_stale_data() -> str:
    """B lets a conversation run out of which it has seen the start alone; its person goes on answering A."""
    a = Worker(name="A").hears(says("/addmachine"))
    b = a.copy("B")
    b.expires(conversation(1), "u1")
    a.takes(2, says("Press 4"))
    a.takes(3, says("Acme"))
    return a.learns(b).current_step()


def test_an_expiry_counts_only_on_all_that_was_accepted() -> None:
    """Ordered by its place alone it ends what an active person goes on with."""
    with _void_expiries_count():
        assert an_expiry_on_stale_data() == ""
    assert an_expiry_on_stale_data() == "model_number"


@pytest.mark.parametrize(("rule", "corrected"), [(_any_reply_will_do, False), (nullcontext, True)])
def test_the_counted_copys_reply_follows_as_a_correction(
    rule: type[AbstractContextManager[object]],
    corrected: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """Both sides of a cut answered one redelivered input; the person read of the copy that does not count."""
    a, b = Worker(name="A").hears(says("/addmachine")), Worker(name="B")
    counts, stale = a.takes(2, says("Press 4")), b.takes(2, says("Press 4"))
    start = a.events[0].event_id
    a.learns(b)

    with rule():
        left = owed(a.events, {start, stale.event_id})
    assert (left == [counts.event_id]) is corrected


def test_a_void_expiry_is_not_read() -> None:
    """What the fold reads has the answers, and no expiry that lacked one."""
    a = Worker(name="A").hears(*up_to("location"))
    b = a.copy("B")
    b.expires(conversation(1), "u1")
    a.learns(b)

    assert Kind.EXPIRED not in [event.kind for event in counted(a.events)]

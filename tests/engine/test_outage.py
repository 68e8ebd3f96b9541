import pytest

from holdfast.domain.event import Said
from holdfast.domain.ids import ThreadId
from holdfast.domain.inbound import Inbound
from holdfast.engine.outage import Outage
from tests.conformance.clocks import NOON

SECOND = 1_000_000
ADA, BOB = 5, 6


def wrote(seconds: float, person: int = ADA, kind: str = "text") -> Inbound:
    """An input written so many seconds after noon."""
    at = NOON + round(seconds * SECOND)
    said = Said(type=kind, user_id=person, chat_id=person)
    return Inbound(thread_id=ThreadId(bytes(16)), dedup_key="x", order=1, occurred_at=at, received_at=at, said=said)


def outage(*refused: int, lasted: float = 60) -> Outage:
    """An outage that began at noon and is over."""
    seen = Outage()
    for person in refused:
        seen.refuse(person, NOON)
        seen.refuse(person, NOON + 2 * SECOND)
    assert seen.end(refused[0], NOON + round(lasted * SECOND)) == lasted
    return seen


def test_nobody_waits_where_all_is_well() -> None:
    """Without an outage nobody is told anything, and there is nothing to end."""
    seen = Outage()

    assert not seen.caught(wrote(1))
    assert seen.end(ADA, NOON) == 0.0


@pytest.mark.parametrize(("seconds", "caught"), [(-2, False), (-1, True), (30, True), (57, True), (58, False)])
def test_who_wrote_in_the_outage_is_caught(seconds: float, caught: bool) -> None:  # noqa: FBT001 - a column of the table
    """Telegram's whole seconds are allowed for at its beginning, and the last moments were no wait."""
    assert outage(BOB).caught(wrote(seconds)) is caught


def test_who_was_refused_is_caught_whenever_they_wrote() -> None:
    """An input that was refused for longer than a hiccup has waited, however old it was, also before all is over."""
    seen = Outage()
    seen.refuse(ADA, NOON)
    at_first = seen.caught(wrote(-3600))
    seen.refuse(ADA, NOON + SECOND)

    assert not at_first
    assert seen.caught(wrote(-3600))
    assert not seen.caught(wrote(1, BOB))


def test_each_is_told_once() -> None:
    """Who was told is not caught again by the same outage, and is by the next."""
    seen = outage(ADA)
    seen.tell(ADA)
    again = seen.caught(wrote(30)), seen.caught(wrote(30, BOB))
    seen.refuse(BOB, NOON + 100 * SECOND)
    seen.end(BOB, NOON + 200 * SECOND)

    assert again == (False, True)
    assert seen.caught(wrote(150))


def test_a_group_is_told_nothing() -> None:
    """In a group the bot keeps quiet."""
    assert not outage(ADA).caught(wrote(30, kind="group"))


def test_what_is_nobody_s_begins_an_outage_too() -> None:
    """An update that could not even be set aside shows that nothing can be stored, and names no person."""
    seen = outage(0)

    assert seen.caught(wrote(30))
    assert not seen.caught(wrote(-30, 0))


def test_a_hiccup_is_not_told() -> None:
    """What is stored at the next try is no outage to anybody, and the next hiccup begins to count anew."""
    seen = Outage()
    for start in (0, 100):
        seen.refuse(ADA, NOON + start * SECOND)
        seen.end(ADA, NOON + start * SECOND + SECOND // 5)

    assert not seen.caught(wrote(0))
    assert not seen.caught(wrote(100))


def test_whoever_writes_while_nothing_can_be_stored_only_so_many_are_remembered() -> None:
    """In a long outage of many people the first are forgotten, and those who wrote last are still told."""
    outage = Outage()
    for person in range(1, 20_001):
        outage.refuse(person, 0)
        outage.refuse(person, 5 * SECOND)
    remembered = [person for person in range(1, 20_001) if outage.refuses(person)]

    assert remembered == list(range(10_001, 20_001))

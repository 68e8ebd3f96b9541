from hypothesis import given
from hypothesis import strategies as some

from holdfast.domain.ids import ConversationId
from holdfast.domain.state import Conversation
from holdfast.engine.presence import PRESENCE, TAP_LIFE, Absence, Presence, presence_from

SECOND = 1_000_000
T = 1_800_000_000 * SECOND


def test_a_pause_no_longer_than_a_tap_lives_is_no_absence() -> None:
    """Telegram brings back a tap for 150 seconds: only beyond them anything can be lost."""
    presence = Presence(T)
    presence.here(T + TAP_LIFE)
    presence.here(T + 2 * TAP_LIFE)

    assert presence.absences == ()
    assert presence.is_here(T + 3 * TAP_LIFE)


def test_a_longer_pause_is_an_absence_until_all_was_read_again() -> None:
    """It begins when the bot was there last, ends when it had read all again, and is remembered until it was told."""
    presence = Presence(T)
    presence.here(T + 200 * SECOND)
    absence = Absence(T, T + 200 * SECOND)

    assert presence.absences == (absence,)
    assert presence.news.is_set()
    assert not presence.is_here(T + 201 * SECOND)
    presence.told(absence)
    assert presence.is_here(T + 201 * SECOND)


def test_time_stands_still_until_the_queue_was_read_and_while_the_bot_is_away() -> None:
    """Nobody's deadline may pass before Telegram's queue was read once, nor while it can't be read."""
    presence = Presence()
    assert not presence.is_here(T)
    presence.here(T)

    assert [presence.is_here(T + seconds * SECOND) for seconds in (0, 150, 151)] == [True, True, False]
    assert presence.untold(T + 200 * SECOND) == (Absence(T, T + 200 * SECOND),)


def test_a_new_journal_knows_of_no_absence() -> None:
    """Where it is not known when the bot was there, it was never away."""
    presence = Presence()
    presence.here(T)

    assert presence.absences == ()


def test_a_clock_set_back_is_no_absence() -> None:
    """Time that seems to run backwards is taken as it is; what comes after is measured from there."""
    presence = Presence(T)
    presence.here(T - 3600 * SECOND)
    presence.here(T - 3500 * SECOND)

    assert presence.absences == ()


def test_an_absence_in_which_another_worker_was_there_is_none() -> None:
    """What another worker said shortens an absence, or takes it away."""
    presence = Presence(T)
    presence.here(T + 400 * SECOND)
    [absence] = presence.absences

    shorter = presence.confirm(absence, T + 100 * SECOND)
    assert shorter == Absence(T + 100 * SECOND, T + 400 * SECOND, sure=True)
    assert shorter is not None
    assert presence.confirm(shorter, T + 300 * SECOND) is None
    assert not presence.absences


def test_what_nobody_could_be_told_of_is_bounded() -> None:
    """Ever more absences become fewer, longer ones: none is lost, and memory is not filled."""
    presence = Presence(T)
    for hour in range(1, 40):
        presence.here(T + hour * 3600 * SECOND)

    assert len(presence.absences) == 10
    assert presence.absences[0].since == T
    assert presence.absences[-1].until == T + 39 * 3600 * SECOND


@given(
    some.integers(0, 1 << 52),
    some.lists(some.tuples(some.integers(0, 1 << 52), some.integers(0, 1 << 52)), max_size=10),
)
def test_what_is_written_down_is_read_back(last: int, pairs: list[tuple[int, int]]) -> None:
    """What must survive the process does, whatever it is."""
    absences = tuple(Absence(since, until, sure=since % 2 == 0) for since, until in pairs)
    again = presence_from(Presence(last, absences).as_text())

    assert (again.last, again.absences) == (last, absences)
    assert PRESENCE == "presence"


def test_the_last_input_says_too_that_the_bot_was_there() -> None:
    """A journal that never wrote down when it was there knows it from what it took in."""
    assert presence_from("", T).last == T
    assert presence_from(f"{T + 1}", T).last == T + 1


def test_an_absence_catches_who_waited_through_all_of_it() -> None:
    """Who wrote in it is not caught, nor whose time had run out before it began."""
    waits = Conversation(
        conversation_id=ConversationId(bytes(16)), flow="survey", flow_version=1, started_at=0, updated_at=T
    )
    absence = Absence(T + 10, T + 500 * SECOND)

    assert absence.caught(waits, T + 10)
    assert not absence.caught(waits, T + 9)
    assert not Absence(T - 1, T + 500 * SECOND).caught(waits, T + 10)

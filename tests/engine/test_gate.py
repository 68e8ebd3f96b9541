from holdfast.engine.gate import Gate
from tests.conformance.clocks import NOON
from tests.conformance.scribe import ADA, BEN

SECOND = 1_000_000
EVERYONE: frozenset[int] = frozenset()


def bars(gate: Gate, count: int, at: int = NOON, person: int = ADA) -> list[str]:
    return [gate.bar(person, at) for _ in range(count)]


def test_without_a_list_everyone_is_let_in() -> None:
    """Where nobody is named, nobody is kept out."""
    assert bars(Gate(EVERYONE, EVERYONE), 1) == [""]


def test_who_is_not_named_is_kept_out() -> None:
    """With an allow-list only those it names are let in, and the owners."""
    gate = Gate(frozenset({ADA}), frozenset({1}))

    assert [gate.bar(person, NOON) for person in (ADA, BEN, 1)] == ["", "not_allowed", ""]


def test_a_burst_passes_and_the_rest_is_told_once() -> None:
    """120 inputs at once pass; of those beyond, the first is told and the others are a flood."""
    found = bars(Gate(EVERYONE, EVERYONE), 125)

    assert found == [""] * 120 + ["too_fast"] + ["flood"] * 4


def test_the_bucket_fills_again() -> None:
    """Two inputs a second are let through, and after a minute the burst is whole again."""
    gate = Gate(EVERYONE, EVERYONE)
    bars(gate, 121)

    assert bars(gate, 3, NOON + SECOND) == ["", "", "flood"]
    assert bars(gate, 121, NOON + 120 * SECOND) == [""] * 120 + ["too_fast"]


def test_a_flood_that_goes_on_is_told_again_after_a_while() -> None:
    """Who keeps on sending too fast hears of it every half minute, not each time."""
    gate = Gate(EVERYONE, EVERYONE)
    bars(gate, 121)
    bars(gate, 60, NOON + 29 * SECOND)

    assert bars(gate, 3, NOON + 29 * SECOND) == ["flood"] * 3
    assert "too_fast" in bars(gate, 5, NOON + 31 * SECOND)


def test_one_persons_haste_is_not_anothers() -> None:
    """Each person has a bucket of their own."""
    gate = Gate(EVERYONE, EVERYONE)
    bars(gate, 200)

    assert bars(gate, 1, person=BEN) == [""]


def test_owners_are_as_fast_as_they_like() -> None:
    """An owner is never slowed."""
    assert set(bars(Gate(EVERYONE, frozenset({ADA})), 500)) == {""}


def test_a_clock_that_is_set_back_takes_nothing_away() -> None:
    """When the machine's clock jumps back an hour, nobody is locked out for that hour."""
    gate = Gate(EVERYONE, EVERYONE)
    bars(gate, 1)

    assert bars(gate, 2, NOON - 3600 * SECOND) == ["", ""]

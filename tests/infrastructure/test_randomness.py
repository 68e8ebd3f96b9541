"""Randomness in stock."""

from holdfast.infrastructure.clock import RandomStock


def test_what_is_given_is_never_given_again() -> None:
    """Pieces have the length asked for and all differ, also when one is longer than what is in stock."""
    stock = RandomStock(piece=100)

    pieces = [stock(16) for _ in range(1000)] + [stock(1000), stock(16)]

    assert {len(piece) for piece in pieces} == {16, 1000}
    assert len(set(pieces)) == len(pieces)

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from holdfast.infrastructure.log.mint import uuid7

milliseconds = st.integers(0, (1 << 48) - 1)
randomness = st.binary(min_size=10, max_size=10)


@given(milliseconds, randomness)
def test_an_identity_says_that_it_is_a_uuid_of_version_7(moment: int, random: bytes) -> None:
    """The version and the variant stand in their bits, whatever chance gives."""
    identity = UUID(bytes=uuid7(moment, random))

    assert identity.version == 7
    assert identity.variant == "specified in RFC 4122"
    assert identity.int >> 80 == moment


@given(milliseconds, randomness, randomness)
def test_a_later_identity_sorts_later(moment: int, random: bytes, other: bytes) -> None:
    """Of two milliseconds the later one's identity is the greater, as bytes and as a UUID's text."""
    earlier, later = uuid7(moment - 1 if moment else 0, random), uuid7(max(moment, 1), other)

    assert earlier < later
    assert str(UUID(bytes=earlier)) < str(UUID(bytes=later))


@given(milliseconds)
def test_seventy_four_bits_are_left_to_chance(moment: int) -> None:
    """Every bit that is neither time nor version nor variant comes from the random bytes."""
    none, all_ones = uuid7(moment, bytes(10)), uuid7(moment, b"\xff" * 10)

    assert (UUID(bytes=none).int ^ UUID(bytes=all_ones).int).bit_count() == 74

import pytest

from holdfast.domain.ids import as_text, as_token, conversation_of, from_text, from_token, thread_of
from holdfast.domain.inbound import update_order

IDENTITY = bytes(range(16))


def test_a_thread_is_named_by_platform_bot_and_person() -> None:
    """Every worker and tier gives one person's thread the same name, which can never change."""
    assert as_text(thread_of("telegram", 1, 7)) == "59f010f1-d70c-5866-bd0d-6c5a23d0a422"
    assert len({thread_of("telegram", 1, 7), thread_of("telegram", 2, 7), thread_of("telegram", 1, 8)}) == 3


def test_a_conversation_is_named_by_its_first_input() -> None:
    """The same input in the same thread names the same conversation."""
    thread = thread_of("telegram", 1, 7)

    assert conversation_of(thread, "u1") == conversation_of(thread, "u1")
    assert conversation_of(thread, "u1") != conversation_of(thread, "u2")
    assert conversation_of(thread, "u1") != conversation_of(thread_of("telegram", 1, 8), "u1")


def test_a_text_is_read_back() -> None:
    """An identity as text is a UUID's."""
    assert as_text(IDENTITY) == "00010203-0405-0607-0809-0a0b0c0d0e0f"
    assert from_text(as_text(IDENTITY)) == IDENTITY


def test_a_token_is_read_back() -> None:
    """An identity in a button's data is 22 characters."""
    assert len(as_token(IDENTITY)) == 22
    assert from_token(as_token(IDENTITY)) == IDENTITY


@pytest.mark.parametrize("token", ["", "x", "A" * 21, "A" * 24, "é" * 22, "\ud800" * 22])
def test_what_is_no_token_is_refused(token: str) -> None:
    """Anything but sixteen bytes is a ValueError."""
    with pytest.raises(ValueError):  # noqa: PT011 - whoever refuses it has its own words
        from_token(token)


def test_updates_keep_their_order_when_telegram_counts_anew() -> None:
    """A later epoch sorts behind every number of an earlier one."""
    assert update_order(0, 5) < update_order(0, 6) < update_order(1, 1) < update_order(1, 2**31)
    assert update_order(0, 2**40 - 1) < update_order(1, 0)

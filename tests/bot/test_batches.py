import pytest

from holdfast.bot.polling import updates_in
from holdfast.bot.updates import read_update
from holdfast.bot.wire import read_answer
from holdfast.domain.errors import TelegramUnreachable

HALF = '{"update_id": 1, "message": {"message_id": 1, "chat": {"id": 1}, "text": "a\\ud83db"}}'
WHOLE = '{"update_id": 2, "message": {"message_id": 2, "chat": {"id": 1}, "text": "hello"}}'


def test_half_a_surrogate_does_not_hold_up_its_neighbours() -> None:
    """A batch with text that a strict reader refuses is taken apart like any other."""
    answer = read_answer(f'{{"ok": true, "result": [{HALF}, {WHOLE}]}}'.encode())
    first, second = (read_update(raw) for raw in updates_in(answer.result))

    assert first.message is not None
    assert second.message is not None
    assert (first.message.text, second.message.text) == ("a\ud83db", "hello")


def test_a_sound_batch_keeps_its_bytes() -> None:
    """Each update is handed on byte for byte as it came."""
    assert updates_in(f"[{WHOLE}, {WHOLE}]".encode()) == [WHOLE.encode()] * 2


@pytest.mark.parametrize("result", ["null", "{}", "3", '"x"'])
def test_what_is_no_batch_is_tried_again(result: str) -> None:
    """An answer without a list of updates is a server out of order, and nothing that ends the bot."""
    with pytest.raises(TelegramUnreachable):
        updates_in(result.encode())


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"ok": 1}', b"\xff", b"[" * 100_000])
def test_what_is_no_answer_is_a_value_error(body: bytes) -> None:
    """The wire tells what is not Telegram's from what is."""
    with pytest.raises((ValueError, RecursionError)):
        read_answer(body)

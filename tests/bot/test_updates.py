import json

from holdfast.bot.updates import read_update, said_in


def test_an_edit_is_dated_when_it_was_made() -> None:
    """An edited message carries the date of its first sending too, which says nothing of when it was changed."""
    person = {"id": 5, "first_name": "Ada"}
    message = {"message_id": 1, "date": 100, "edit_date": 90_000, "chat": {"id": 5, "type": "private"}, "from": person}
    raw = json.dumps({"update_id": 2, "edited_message": {**message, "text": "Press 4"}}).encode()

    assert said_in(read_update(raw), raw).date == 90_000

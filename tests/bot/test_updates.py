import json

import pytest

from holdfast.bot.updates import read_update, said_in
from holdfast.domain.event import Said


def test_an_edit_is_dated_when_it_was_made() -> None:
    """An edited message carries the date of its first sending too, which says nothing of when it was changed."""
    person = {"id": 5, "first_name": "Ada"}
    message = {"message_id": 1, "date": 100, "edit_date": 90_000, "chat": {"id": 5, "type": "private"}, "from": person}
    raw = json.dumps({"update_id": 2, "edited_message": {**message, "text": "Press 4"}}).encode()

    assert said_in(read_update(raw), raw).date == 90_000


def change(kind: str, status: str, chat_id: int = 5) -> Said:
    """Read an update about how the bot stands in a chat."""
    body = {"chat": {"id": chat_id, "type": kind}, "from": {"id": 5, "first_name": "Ada"}, "date": 100}
    member = {**body, "old_chat_member": {"status": "x"}, "new_chat_member": {"status": status, "user": {"id": 7}}}
    raw = json.dumps({"update_id": 2, "my_chat_member": member}).encode()
    return said_in(read_update(raw), raw)


@pytest.mark.parametrize(
    ("kind", "status", "type_", "content"),
    [
        ("private", "kicked", "other", "blocked"),
        ("private", "member", "other", "unblocked"),
        ("group", "member", "group", "group"),
        ("supergroup", "administrator", "group", "supergroup"),
        ("supergroup", "left", "group", "left"),
        ("group", "kicked", "group", "left"),
    ],
)
def test_how_the_bot_stands_is_something_said(kind: str, status: str, type_: str, content: str) -> None:
    """Blocking, unblocking, adding and removing the bot is something a person did, with its date."""
    said = change(kind, status)

    assert (said.type, said.content, said.user_id, said.date) == (type_, content, 5, 100)


def test_nobody_blocks_in_another_s_chat() -> None:
    """A change in the private chat of somebody else is refused."""
    with pytest.raises(ValueError, match="somebody else"):
        change("private", "kicked", 6)

"""The parts of Telegram's updates that we read, and what a person said in them. Parsed lean: this is the hot path."""

import re
from typing import Annotated

from msgspec import Meta, Struct

from holdfast.domain.event import Said
from holdfast.domain.reading import Reader

ALLOWED = ("message", "edited_message", "callback_query", "my_chat_member")
"""The kinds of update we ask Telegram for."""

_OTHERS = (
    *(
        "sticker",
        "voice",
        "video",
        "video_note",
        "audio",
        "animation",
        "contact",
        "location",
        "venue",
        "poll",
        "dice",
    ),
    *("story", "document"),
)


_OUT = frozenset({"left", "kicked"})


class User(Struct, gc=False):
    """Who wrote."""

    id: int
    first_name: str = ""
    username: str = ""
    language_code: str = ""


class Chat(Struct, gc=False):
    """Where it was written; `type` is private, group, supergroup or channel."""

    id: int
    type: str = "private"


class File(Struct, gc=False):
    """A file Telegram keeps: a photo in one of its sizes, or a document."""

    file_id: str
    file_unique_id: str = ""
    file_size: int = 0
    mime_type: str = ""


class Message(Struct, rename={"sender": "from"}, gc=False):
    """One message, as it is now."""

    message_id: int
    chat: Chat
    date: int = 0
    edit_date: int = 0
    sender: User | None = None
    text: str | None = None
    caption: str = ""
    photo: list[File] = []
    document: File | None = None
    media_group_id: str = ""
    migrate_to_chat_id: int = 0


class CallbackQuery(Struct, rename={"sender": "from"}, gc=False):
    """A tap on a button; the message may be too old for Telegram to tell more than its ids."""

    id: str
    sender: User
    data: str = ""
    message: Message | None = None


class Standing(Struct, gc=False):
    """How the bot stands in a chat: member, left, kicked and more."""

    status: str = ""


class Membership(Struct, rename={"sender": "from"}, gc=False):
    """Somebody has changed how the bot stands in a chat: blocked it, let it write again, added or removed it."""

    chat: Chat
    sender: User
    new_chat_member: Standing
    date: int = 0


class Update(Struct, gc=False):
    """One update, in the kinds we ask for."""

    update_id: Annotated[int, Meta(ge=0, lt=1 << 40)]  # the update order has 40 bits for it
    message: Message | None = None
    edited_message: Message | None = None
    callback_query: CallbackQuery | None = None
    my_chat_member: Membership | None = None


_NUMBER = re.compile(rb'"update_id"\s*:\s*([0-9]{1,18})\b')
_update = Reader(Update)
_whole = Reader(dict[str, object])


def read_update(raw: bytes) -> Update:
    """Read one update; ValueError (msgspec's are such) when it is not one."""
    return _update.read(raw)


def number_of(raw: bytes) -> int | None:
    """Read an update's number, also where nothing else can be read; None when there is none.

    In what a person typed the quotes are escaped, so that nothing typed can be taken for it.
    """
    found = _NUMBER.search(raw)
    return int(found[1]) if found else None


def said_in(update: Update, raw: bytes) -> Said:
    """Say what a person said in an update; ValueError when nobody did."""
    if update.callback_query is not None:
        return _tap(update.update_id, update.callback_query)
    if update.my_chat_member is not None:
        return _membership(update.update_id, update.my_chat_member)
    message = update.message or update.edited_message
    if message is None or message.sender is None:
        raise ValueError("an update without a person")
    if message.chat.type == "private" and message.chat.id != message.sender.id:
        raise ValueError("a private chat with somebody else")
    return _message(update, message, message.sender, raw)


def _tap(update_id: int, tap: CallbackQuery) -> Said:
    person = tap.sender
    if tap.message is None:
        raise ValueError("a tap without a message")
    if tap.message.chat.id != person.id:
        raise ValueError("a tap outside the person's own chat")
    return Said(
        type="tap",
        user_id=person.id,
        chat_id=tap.message.chat.id,
        update_id=update_id,
        message_id=tap.message.message_id,
        text=tap.data,
        callback_id=tap.id,
        name=person.first_name,
        username=person.username,
        language=person.language_code,
    )


def _membership(update_id: int, change: Membership) -> Said:
    person, is_private = change.sender, change.chat.type == "private"
    if is_private and change.chat.id != person.id:
        raise ValueError("a private chat with somebody else")
    is_out = change.new_chat_member.status in _OUT
    return Said(
        type="other" if is_private else "group",
        content=("blocked" if is_out else "unblocked") if is_private else ("left" if is_out else change.chat.type),
        user_id=person.id,
        chat_id=change.chat.id,
        update_id=update_id,
        date=change.date,
        name=person.first_name,
        username=person.username,
        language=person.language_code,
    )


def _message(update: Update, message: Message, person: User, raw: bytes) -> Said:
    kind, content = _type_of(update, message, raw)
    file = _picture(message) or message.document
    return Said(
        type=kind,
        content=content,
        user_id=person.id,
        chat_id=message.chat.id,
        update_id=update.update_id,
        message_id=message.message_id,
        date=message.edit_date or message.date,
        text=message.text if message.text is not None else message.caption,
        file_id=file.file_id if file else "",
        file_unique_id=file.file_unique_id if file else "",
        file_size=file.file_size if file else 0,
        mime=file.mime_type if file else "",
        media_group=message.media_group_id,
        name=person.first_name,
        username=person.username,
        language=person.language_code,
    )


def _type_of(update: Update, message: Message, raw: bytes) -> tuple[str, str]:
    if message.chat.type != "private":
        return "group", "moved" if message.migrate_to_chat_id else message.chat.type
    if update.edited_message is not None:
        return "edit", ""
    if message.text is not None:
        return "text", ""
    if _picture(message) is not None:
        return "photo", ""
    return "other", _content(raw)


def _picture(message: Message) -> File | None:
    """Give the largest size of a photo, or an image sent as a file."""
    if message.photo:
        return message.photo[-1]
    document = message.document
    return document if document and document.mime_type.startswith("image/") else None


def _content(raw: bytes) -> str:
    keys = _whole.read(raw).get("message")
    return next((name for name in _OTHERS if isinstance(keys, dict) and name in keys), "unknown")

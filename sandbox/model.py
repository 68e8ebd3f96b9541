"""The Bot API's objects, as far as a sandbox needs them, immutable: a stored one stays what it was."""

from typing import Any

import msgspec


class Thing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What all objects of the wire share: a field that is not set is not sent."""


class User(Thing, frozen=True):
    """A person or the bot."""

    id: int
    is_bot: bool
    first_name: str
    last_name: str | None = None
    username: str | None = None
    language_code: str | None = None


class Chat(Thing, frozen=True):
    """A private chat or a group."""

    id: int
    type: str
    title: str | None = None
    username: str | None = None
    first_name: str | None = None
    last_name: str | None = None


class Entity(Thing, frozen=True):
    """A stretch of text that means something; offset and length count UTF-16 code units."""

    type: str
    offset: int
    length: int
    url: str | None = None
    user: User | None = None
    language: str | None = None
    custom_emoji_id: str | None = None

    @property
    def end(self) -> int:
        """The offset just behind it."""
        return self.offset + self.length


class Text(Thing, frozen=True):
    """A text with the entities found in it."""

    text: str
    entities: tuple[Entity, ...] = ()


class PhotoSize(Thing, frozen=True):
    """One size of a photo."""

    file_id: str
    file_unique_id: str
    width: int
    height: int
    file_size: int


class Document(Thing, frozen=True):
    """A file sent as a file."""

    file_id: str
    file_unique_id: str
    file_name: str
    mime_type: str
    file_size: int


class Button(Thing, frozen=True):
    """A button under a message."""

    text: str
    callback_data: str | None = None
    url: str | None = None
    web_app: dict[str, Any] | None = None
    login_url: dict[str, Any] | None = None
    copy_text: dict[str, Any] | None = None
    switch_inline_query: str | None = None
    switch_inline_query_current_chat: str | None = None
    pay: bool | None = None


class Keyboard(Thing, frozen=True):
    """The rows of buttons under a message."""

    inline_keyboard: tuple[tuple[Button, ...], ...]


class Message(Thing, frozen=True):
    """A message as it stands now."""

    message_id: int
    from_: User = msgspec.field(name="from")
    chat: Chat
    date: int
    edit_date: int | None = None
    reply_to_message: "Message | None" = None
    media_group_id: str | None = None
    text: str | None = None
    entities: tuple[Entity, ...] | None = None
    caption: str | None = None
    caption_entities: tuple[Entity, ...] | None = None
    photo: tuple[PhotoSize, ...] | None = None
    document: Document | None = None
    sticker: dict[str, Any] | None = None
    voice: dict[str, Any] | None = None
    location: dict[str, Any] | None = None
    contact: dict[str, Any] | None = None
    group_chat_created: bool | None = None
    migrate_to_chat_id: int | None = None
    migrate_from_chat_id: int | None = None
    reply_markup: Keyboard | None = None


class Query(Thing, frozen=True):
    """A tap on a button (Telegram's CallbackQuery)."""

    id: str
    from_: User = msgspec.field(name="from")
    message: Message
    chat_instance: str
    data: str


class Command(Thing, frozen=True):
    """One line of the bot's menu."""

    command: str
    description: str

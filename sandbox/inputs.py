"""What a person can do, as it is asked for over the control API."""

from typing import Literal

import msgspec


class Doing(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """Something a person does; `chat_id` is left out in the private chat with the bot."""

    person_id: int
    chat_id: int | None = None

    @property
    def place(self) -> int:
        """The chat where it happens."""
        return self.person_id if self.chat_id is None else self.chat_id


class Say(Doing, frozen=True, tag="text"):
    """Write a text."""

    text: str
    reply_to: int | None = None


class Start(Doing, frozen=True, tag="start"):
    """Press Start, perhaps behind a link with a payload."""

    payload: str = ""


class SendPhoto(Doing, frozen=True, tag="photo"):
    """Send a picture: `data` in base64, or a small one made from `seed`."""

    data: bytes = b""
    seed: int = 0
    caption: str = ""


class SendDocument(Doing, frozen=True, tag="document"):
    """Send a file as a file."""

    data: bytes
    name: str = "file.bin"
    mime_type: str = "application/octet-stream"
    caption: str = ""


class SendAlbum(Doing, frozen=True, tag="album"):
    """Send several pictures at once: their bytes, or `count` small ones."""

    photos: tuple[bytes, ...] = ()
    count: int = 2
    caption: str = ""


class SendOther(Doing, frozen=True, tag="other"):
    """Send something that is neither text nor picture."""

    what: Literal["sticker", "voice", "location", "contact"] = "sticker"


class Tap(Doing, frozen=True, tag="tap"):
    """Tap a button; old messages can be tapped too, and a client may send data of a button that is gone."""

    message_id: int
    data: str


class Edit(Doing, frozen=True, tag="edit"):
    """Change the text or caption of an earlier message of one's own."""

    message_id: int
    text: str


class Block(Doing, frozen=True, tag="block"):
    """Stop the bot."""


class Unblock(Doing, frozen=True, tag="unblock"):
    """Let the bot write again."""


Input = Say | Start | SendPhoto | SendDocument | SendAlbum | SendOther | Tap | Edit | Block | Unblock


class Done(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came of an input: one update id per message, null for a kind the bot did not ask for."""

    chat_id: int
    update_ids: tuple[int | None, ...]
    message_ids: tuple[int, ...] = ()
    callback_query_id: str | None = None

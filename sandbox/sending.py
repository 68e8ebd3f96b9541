"""Methods that send."""

import secrets
from typing import Any

import msgspec

from holdfast.sandbox import formatted, keyboards
from holdfast.sandbox.errors import BadRequest, TooLarge
from holdfast.sandbox.keyboards import Markup
from holdfast.sandbox.model import Document, Message, PhotoSize
from holdfast.sandbox.params import Params, Upload
from holdfast.sandbox.rooms import Room
from holdfast.sandbox.world import World

PHOTO_LIMIT = 10 * 1024 * 1024
ALBUM = 10
ACTIONS = frozenset(
    {
        "typing",
        "upload_photo",
        "record_video",
        "upload_video",
        "record_voice",
        "upload_voice",
        "upload_document",
        "choose_sticker",
        "find_location",
        "record_video_note",
        "upload_video_note",
    }
)


def send_message(world: World, params: Params) -> Message:
    """The method sendMessage."""
    text = formatted.text(params)
    return _send(world, params, text=text.text, entities=text.entities or None)


def send_photo(world: World, params: Params) -> Message:
    """The method sendPhoto."""
    photo = _photo(world, params, "photo")
    return _send(world, params, photo=photo, **_caption(params))


def send_document(world: World, params: Params) -> Message:
    """The method sendDocument."""
    document = _document(world, params, "document")
    return _send(world, params, document=document, **_caption(params))


def send_media_group(world: World, params: Params) -> list[Message]:
    """The method sendMediaGroup: photos and documents that belong together."""
    items = params.json("media", list[dict[str, Any]]) or []
    if not 1 <= len(items) <= ALBUM:
        raise BadRequest("there must be 1 to 10 media in an album")
    contents = [_media(world, Params(item, params.files)) for item in items]
    room = world.rooms.open_to_bot(params.chat_id())
    world.limits.spend(room.chat.id, len(items))
    album = secrets.token_hex(8)
    return [_post(world, params, room, Markup(), media_group_id=album, **content) for content in contents]


def send_chat_action(world: World, params: Params) -> bool:
    """The method sendChatAction."""
    action = params.text("action").lower()
    if action not in ACTIONS:
        raise BadRequest("wrong parameter action in request")
    world.rooms.typing(world.rooms.open_to_bot(params.chat_id()), action)
    return True


def _send(world: World, params: Params, **content: Any) -> Message:  # noqa: ANN401 - fields of a message
    markup = keyboards.read(params)
    room = world.rooms.open_to_bot(params.chat_id())
    world.limits.spend(room.chat.id)
    if markup.reply is not None or markup.removes_reply:
        world.rooms.reply_keyboard(room, markup.reply)
    return _post(world, params, room, markup, **content)


def _post(world: World, params: Params, room: Room, markup: Markup, **content: Any) -> Message:  # noqa: ANN401
    message = Message(
        message_id=world.next_message_id(),
        from_=world.bot,
        chat=room.chat,
        date=world.now,
        reply_to_message=_replied_to(params, room),
        reply_markup=markup.inline,
        **content,
    )
    world.rooms.put(room, message)
    return message


def _replied_to(params: Params, room: Room) -> Message | None:
    given = params.json("reply_parameters", dict[str, Any]) or params.values
    number = Params(given).number("message_id" if "reply_parameters" in params else "reply_to_message_id")
    if not number:
        return None
    original = room.messages.get(number)
    if original is None:
        if Params(given).flag("allow_sending_without_reply"):
            return None
        raise BadRequest("message to be replied not found")
    return msgspec.structs.replace(original, reply_to_message=None)


def _caption(params: Params) -> dict[str, Any]:
    caption = formatted.caption(params)
    return {"caption": caption.text or None, "caption_entities": caption.entities or None}


def _media(world: World, item: Params) -> dict[str, Any]:
    kind = item.text("type")
    if kind == "photo":
        return {"photo": _photo(world, item, "media"), **_caption(item)}
    if kind == "document":
        return {"document": _document(world, item, "media"), **_caption(item)}
    raise BadRequest(f"the sandbox sends albums of photos and documents, not of {kind or 'nothing'}")


def _photo(world: World, params: Params, name: str) -> tuple[PhotoSize, ...]:
    upload = _upload(params, name)
    if upload is None:
        return world.files.photo(_known(world, params, name).data)
    if len(upload.data) > PHOTO_LIMIT:
        raise TooLarge
    return world.files.photo(upload.data, upload.name)


def _document(world: World, params: Params, name: str) -> Document:
    upload = _upload(params, name) or _known(world, params, name)
    return world.files.document(upload.data, upload.name, upload.mime_type)


def _upload(params: Params, name: str) -> Upload | None:
    """The file itself: under its own name, or under the one that attach:// names."""
    value = params.text(name)
    if value.startswith("attach://"):
        attached = params.files.get(value.removeprefix("attach://"))
        if attached is None:
            raise BadRequest(f"there is no file for {value}")
        return attached
    return params.files.get(name)


def _known(world: World, params: Params, name: str) -> Upload:
    value = params.text(name)
    if not value:
        raise BadRequest(f"there is no {name} in the request")
    if "://" in value:
        raise BadRequest("failed to get HTTP URL content")
    try:
        file = world.files.find(value)
    except BadRequest:
        raise BadRequest("wrong file identifier/HTTP URL specified") from None
    return Upload(file.name, file.mime_type, file.data)

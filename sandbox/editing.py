"""Methods that change what was sent."""

from typing import Any

import msgspec

from holdfast.sandbox import formatted, keyboards
from holdfast.sandbox.errors import BadRequest
from holdfast.sandbox.model import Message
from holdfast.sandbox.params import Params
from holdfast.sandbox.rooms import Room, Toast
from holdfast.sandbox.world import World

NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same as a "
    "current content and reply markup of the message"
)
DELETABLE = 48 * 3600
TOAST_LIMIT = 200


def edit_text(world: World, params: Params) -> Message:
    """The method editMessageText."""
    text = formatted.text(params)
    room, message = _own(world, params)
    if message.text is None:
        raise BadRequest("there is no text in the message to edit")
    return _edit(world, params, room, message, text=text.text, entities=text.entities or None)


def edit_caption(world: World, params: Params) -> Message:
    """The method editMessageCaption."""
    caption = formatted.caption(params)
    room, message = _own(world, params)
    if message.photo is None and message.document is None:
        raise BadRequest("there is no caption in the message to edit")
    content = {"caption": caption.text or None, "caption_entities": caption.entities or None}
    return _edit(world, params, room, message, **content)


def edit_reply_markup(world: World, params: Params) -> Message:
    """The method editMessageReplyMarkup."""
    return _edit(world, params, *_own(world, params))


def delete_message(world: World, params: Params) -> bool:
    """The method deleteMessage: also what a person wrote, as long as it is not older than two days."""
    room = world.rooms.open_to_bot(params.chat_id())
    message = room.messages.get(params.number("message_id"))
    if message is None:
        raise BadRequest("message to delete not found")
    if world.now - message.date > DELETABLE:
        raise BadRequest("message can't be deleted for everyone")
    world.rooms.remove(room, message.message_id)
    return True


def answer_callback_query(world: World, params: Params) -> bool:
    """The method answerCallbackQuery."""
    text = params.text("text")
    if len(text) > TOAST_LIMIT:
        raise BadRequest("MESSAGE_TOO_LONG")
    query_id = params.text("callback_query_id")
    tap = world.queries.answer(query_id)
    toast = Toast(query_id, tap.message_id, text, params.flag("show_alert"), world.now)
    world.rooms.toast(world.rooms.find(tap.chat_id), toast)
    return True


def _own(world: World, params: Params) -> tuple[Room, Message]:
    room = world.rooms.open_to_bot(params.chat_id())
    message = room.messages.get(params.number("message_id"))
    if message is None:
        raise BadRequest("message to edit not found")
    if message.from_.id != world.bot.id:
        raise BadRequest("message can't be edited")
    return room, message


def _edit(world: World, params: Params, room: Room, message: Message, **content: Any) -> Message:  # noqa: ANN401
    markup = keyboards.read(params).inline
    edited = msgspec.structs.replace(message, reply_markup=markup, **content)
    if edited == message:
        raise BadRequest(NOT_MODIFIED)
    world.limits.spend(room.chat.id)
    edited = msgspec.structs.replace(edited, edit_date=world.now)
    world.rooms.put(room, edited)
    return edited

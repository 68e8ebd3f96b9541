"""People's inputs carried out: a message in the chat, an update for the bot, a line in the record."""

import re
import secrets
from functools import singledispatch
from typing import Any

import msgspec

from holdfast.sandbox import others, pictures, texts
from holdfast.sandbox.errors import BadRequest, Forbidden, NotFound
from holdfast.sandbox.formatted import CAPTION_LIMIT, TEXT_LIMIT
from holdfast.sandbox.inputs import (
    Block,
    Done,
    Edit,
    Input,
    Say,
    SendAlbum,
    SendDocument,
    SendOther,
    SendPhoto,
    Start,
    Tap,
    Unblock,
)
from holdfast.sandbox.model import Message, Query, Text
from holdfast.sandbox.record import Input as Entry
from holdfast.sandbox.rooms import Room
from holdfast.sandbox.updates import TAP
from holdfast.sandbox.wire import encode
from holdfast.sandbox.world import World

PAYLOAD = re.compile(r"[A-Za-z0-9_-]{0,64}")
ALBUM = 10


def perform(world: World, act: Input) -> Done:
    """Let a person do something."""
    world.people.find(act.person_id)
    room = world.rooms.find(act.place)
    if act.person_id not in room.door.members:
        raise Forbidden(f"{act.person_id} is no member of chat {act.place}")
    if room.door.moved_to is not None:
        raise BadRequest(f"this group became chat {room.door.moved_to}")
    if room.door.blocked and not isinstance(act, Block | Unblock):
        raise BadRequest("the person has blocked the bot; unblock it first")
    return _perform(act, world, room)


@singledispatch
def _perform(act: Input, world: World, room: Room) -> Done:
    raise NotImplementedError(type(act), world, room)


@_perform.register
def _say(act: Say, world: World, room: Room) -> Done:
    text = _checked(act.text, TEXT_LIMIT)
    if not text.text:
        raise BadRequest("a person cannot send an empty text")
    original = room.messages.get(act.reply_to) if act.reply_to is not None else None
    reply = msgspec.structs.replace(original, reply_to_message=None) if original else None
    return _send(world, room, act, [_fields(text, "text", "entities") | {"reply_to_message": reply}])


@_perform.register
def _start(act: Start, world: World, room: Room) -> Done:
    if not PAYLOAD.fullmatch(act.payload):
        raise BadRequest("a payload has up to 64 of A-Z, a-z, 0-9, _ and -")
    say = Say(person_id=act.person_id, chat_id=act.chat_id, text=f"/start {act.payload}".rstrip())
    return _say(say, world, room)


@_perform.register
def _photo(act: SendPhoto, world: World, room: Room) -> Done:
    photo = world.files.photo(act.data or pictures.small(act.seed))
    return _send(world, room, act, [{"photo": photo, **_caption(act.caption)}])


@_perform.register
def _document(act: SendDocument, world: World, room: Room) -> Done:
    document = world.files.document(act.data, act.name, act.mime_type)
    return _send(world, room, act, [{"document": document, **_caption(act.caption)}])


@_perform.register
def _album(act: SendAlbum, world: World, room: Room) -> Done:
    photos = act.photos or tuple(pictures.small(secrets.randbelow(10**6)) for _ in range(min(act.count, ALBUM)))
    group = str(secrets.randbits(53))
    messages = [{"photo": world.files.photo(data), "media_group_id": group} for data in photos[:ALBUM]]
    messages[0] |= _caption(act.caption)
    return _send(world, room, act, messages)


@_perform.register
def _other(act: SendOther, world: World, room: Room) -> Done:
    person = world.people.find(act.person_id)
    return _send(world, room, act, [{act.what: others.make(act.what, person)}])


@_perform.register
def _tap(act: Tap, world: World, room: Room) -> Done:
    message = room.messages.get(act.message_id)
    if message is None:
        raise NotFound(f"there is no message {act.message_id} in chat {act.place}")
    query_id = str(world.query_numbers.next())
    query = Query(
        id=query_id,
        from_=world.people.find(act.person_id),
        message=message,
        chat_instance=str(room.chat.id),
        data=act.data,
    )
    update_id = world.updates.push(TAP, encode(query), f"tap:{act.person_id}")
    world.queries.open(query_id, room.chat.id, message.message_id)
    _record(world, act, update_id, message.message_id, act.data)
    return Done(
        chat_id=room.chat.id,
        update_ids=(update_id,),
        message_ids=(message.message_id,),
        callback_query_id=query_id,
    )


@_perform.register
def _edit(act: Edit, world: World, room: Room) -> Done:
    message = room.messages.get(act.message_id)
    if message is None or message.from_.id != act.person_id:
        raise NotFound(f"there is no message {act.message_id} of this person")
    text = _checked(act.text, TEXT_LIMIT if message.text is not None else CAPTION_LIMIT)
    names = ("text", "entities") if message.text is not None else ("caption", "caption_entities")
    edited = msgspec.structs.replace(message, edit_date=world.now, **_fields(text, *names))
    world.rooms.put(room, edited)
    update_id = _push(world, "edited_message", edited)
    _record(world, act, update_id, edited.message_id, act.text)
    return Done(chat_id=room.chat.id, update_ids=(update_id,), message_ids=(edited.message_id,))


@_perform.register
def _block(act: Block, world: World, room: Room) -> Done:
    return _stand(world, room, act, "member", "kicked")


@_perform.register
def _unblock(act: Unblock, world: World, room: Room) -> Done:
    return _stand(world, room, act, "kicked", "member")


def _stand(world: World, room: Room, act: Block | Unblock, before: str, now: str) -> Done:
    if room.chat.type != "private":
        raise BadRequest("the bot is blocked in a private chat only")
    if room.door.blocked == (now == "kicked"):
        return Done(chat_id=room.chat.id, update_ids=())
    room.door.blocked = now == "kicked"
    world.rooms.keep(room)
    update_id = membership(world, room, act.person_id, before, now)
    _record(world, act, update_id, None, None)
    return Done(chat_id=room.chat.id, update_ids=(update_id,))


def membership(world: World, room: Room, person_id: int, before: str, now: str) -> int | None:
    """Tell the bot how it stands in a chat."""
    change = {
        "chat": room.chat,
        "from": world.people.find(person_id),
        "date": world.now,
        "old_chat_member": _standing(world, before),
        "new_chat_member": _standing(world, now),
    }
    return world.updates.push("my_chat_member", encode(change), f"chat:{room.chat.id}")


def _standing(world: World, status: str) -> dict[str, Any]:
    rest = {"until_date": 0} if status == "kicked" else {}
    return {"user": world.bot, "status": status, **rest}


def _send(world: World, room: Room, act: Input, contents: list[dict[str, Any]]) -> Done:
    if not room.door.opened:
        room.door.opened = True
        world.rooms.keep(room)
    sent = [message(world, room, act.person_id, **content) for content in contents]
    update_ids = [_push(world, "message", one) for one in sent]
    for one, update_id in zip(sent, update_ids, strict=True):
        _record(world, act, update_id, one.message_id, one.text or one.caption)
    return Done(
        chat_id=room.chat.id,
        update_ids=tuple(update_ids),
        message_ids=tuple(one.message_id for one in sent),
    )


def message(world: World, room: Room, person_id: int, **content: Any) -> Message:  # noqa: ANN401 - fields of a message
    """A new message of a person, shown in the chat."""
    new = Message(
        message_id=world.next_message_id(),
        from_=world.people.find(person_id),
        chat=room.chat,
        date=world.now,
        **content,
    )
    world.rooms.put(room, new)
    return new


def _push(world: World, kind: str, sent: Message) -> int | None:
    chat_id = sent.chat.id
    return world.updates.push(kind, encode(sent), f"chat:{chat_id}", chat_id=chat_id, message_id=sent.message_id)


def _record(world: World, act: Input, update_id: int | None, message_id: int | None, text: str | None) -> None:
    entry = Entry(
        number=world.inputs.next_number(),
        kind=str(act.__struct_config__.tag),
        update_id=update_id,
        chat_id=act.place,
        message_id=message_id,
        person_id=act.person_id,
        text=text,
        time=world.clock.now(),
    )
    world.inputs.add(entry)


def _checked(source: str, limit: int) -> Text:
    text = texts.finished(Text(text=source))
    if len(text.text) > limit:
        raise BadRequest(f"a person cannot send more than {limit} characters at once")
    return text


def _fields(text: Text, name: str, entities_name: str) -> dict[str, Any]:
    return {name: text.text or None, entities_name: text.entities or None}


def _caption(source: str) -> dict[str, Any]:
    return _fields(_checked(source, CAPTION_LIMIT), "caption", "caption_entities")

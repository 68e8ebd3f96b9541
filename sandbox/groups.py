"""Groups: made, and upgraded to supergroups."""

from holdfast.sandbox import acts
from holdfast.sandbox.errors import BadRequest
from holdfast.sandbox.model import Chat, Message
from holdfast.sandbox.rooms import Room
from holdfast.sandbox.wire import encode
from holdfast.sandbox.world import World

# Where the ids of supergroups begin, counted downwards.
SUPERGROUPS = -1_000_000_000_000


def create(world: World, title: str, members: list[int]) -> Room:
    """A group of people and the bot."""
    if not title or not members:
        raise BadRequest("a group needs a title and at least one member")
    for person_id in members:
        world.people.find(person_id)
    # Short enough for a basic group, and never given twice: message numbers are not either.
    chat_id = -(world.next_message_id() % 10**11)
    room = _room(world, Chat(id=chat_id, type="group", title=title), members)
    acts.membership(world, room, members[0], "left", "member")
    return room


def upgrade(world: World, chat_id: int) -> Room:
    """Make a group a supergroup: it goes on under another id."""
    old = world.rooms.find(chat_id)
    if old.chat.type != "group" or old.door.moved_to is not None:
        raise BadRequest("only a group can become a supergroup, and only once")
    chat = Chat(id=SUPERGROUPS + chat_id, type="supergroup", title=old.chat.title)
    new = _room(world, chat, old.door.members)
    member = old.door.members[0]
    _deliver(world, acts.message(world, old, member, migrate_to_chat_id=chat.id))
    _deliver(world, acts.message(world, new, member, migrate_from_chat_id=chat_id))
    old.door.moved_to = chat.id
    world.rooms.keep(old)
    return new


def _room(world: World, chat: Chat, members: list[int]) -> Room:
    room = world.rooms.add(chat, list(members))
    room.door.opened = True
    world.rooms.keep(room)
    return room


def _deliver(world: World, message: Message) -> None:
    world.updates.push("message", encode(message), f"chat:{message.chat.id}")

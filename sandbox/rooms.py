"""Chats and the messages in them."""

from collections import OrderedDict, deque
from collections.abc import Iterator
from typing import Any

import msgspec

from holdfast.sandbox.changes import Changes
from holdfast.sandbox.errors import BadRequest, Forbidden
from holdfast.sandbox.model import Chat, Message
from holdfast.sandbox.signals import Signal
from holdfast.sandbox.state import State

KEPT_MESSAGES = 20_000
KEPT_TOASTS = 200


class Door(msgspec.Struct):
    """Who may come into a chat, and how it stands with the bot."""

    chat: Chat
    members: list[int]
    opened: bool = False
    blocked: bool = False
    moved_to: int | None = None


class Toast(msgspec.Struct, frozen=True):
    """The bot's answer to a tap, as the person sees it for a moment."""

    callback_query_id: str
    message_id: int
    text: str
    show_alert: bool
    date: int


class Room:
    """One chat: its last messages, oldest first, and what else a person sees there."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.messages: OrderedDict[int, Message] = OrderedDict()
        self.toasts: deque[Toast] = deque(maxlen=KEPT_TOASTS)
        self.typing: str | None = None
        self.reply_keyboard: dict[str, Any] | None = None
        self.version = 0
        self.changed = Signal()

    @property
    def chat(self) -> Chat:
        return self.door.chat


class Rooms:
    """All chats, by their id; a person's private chat has the person's id."""

    def __init__(self, changes: Changes, state: State) -> None:
        self._changes = changes
        self._state = state
        self._rooms: dict[int, Room] = {}
        for _, door in state.all("doors", Door):
            self._rooms[door.chat.id] = Room(door)
        for _, message in state.all("messages", Message):
            if message.chat.id in self._rooms:
                self._rooms[message.chat.id].messages[message.message_id] = message

    def __iter__(self) -> Iterator[Room]:
        return iter(list(self._rooms.values()))

    def has(self, chat_id: int) -> bool:
        """Whether there is such a chat."""
        return chat_id in self._rooms

    def add(self, chat: Chat, members: list[int]) -> Room:
        """A new chat."""
        room = self._rooms[chat.id] = Room(Door(chat, members))
        self.keep(room)
        return room

    def keep(self, room: Room) -> None:
        """Remember how a chat stands after its door was changed."""
        self._state.put("doors", room.chat.id, room.door)
        self._tell(room, "chat", {"chat": room.chat, "blocked": room.door.blocked, "members": room.door.members})

    def find(self, chat_id: int) -> Room:
        """The chat with this id."""
        room = self._rooms.get(chat_id)
        if room is None:
            raise BadRequest("chat not found")
        return room

    def open_to_bot(self, chat_id: int) -> Room:
        """The chat, when the bot may write to it."""
        room = self.find(chat_id)
        if room.door.moved_to is not None:
            raise BadRequest("group chat was upgraded to a supergroup chat", migrate_to_chat_id=room.door.moved_to)
        if not room.door.opened:
            raise BadRequest("chat not found")
        if room.door.blocked:
            raise Forbidden("bot was blocked by the user")
        return room

    def put(self, room: Room, message: Message) -> None:
        """Show a message, or show it anew after an edit."""
        is_new = message.message_id not in room.messages
        room.messages[message.message_id] = message
        room.typing = None
        self._state.put("messages", f"{room.chat.id}:{message.message_id}", message)
        self._tell(room, "message" if is_new else "edited", {"message": message})
        while len(room.messages) > KEPT_MESSAGES:
            old, _ = room.messages.popitem(last=False)
            self._state.drop("messages", f"{room.chat.id}:{old}")

    def remove(self, room: Room, message_id: int) -> None:
        """Take a message away for everyone."""
        del room.messages[message_id]
        self._state.drop("messages", f"{room.chat.id}:{message_id}")
        self._tell(room, "deleted", {"message_id": message_id})

    def toast(self, room: Room, toast: Toast) -> None:
        """Show the answer to a tap."""
        room.toasts.append(toast)
        self._tell(room, "toast", {"toast": toast})

    def typing(self, room: Room, action: str) -> None:
        """Show that the bot is about to send something."""
        room.typing = action
        self._tell(room, "typing", {"action": action})

    def reply_keyboard(self, room: Room, keyboard: dict[str, Any] | None) -> None:
        """Put a keyboard in the place of the phone's own, or take it away."""
        if room.reply_keyboard != keyboard:
            room.reply_keyboard = keyboard
            self._tell(room, "reply_keyboard", {"keyboard": keyboard})

    def clear(self) -> None:
        """Forget all chats."""
        for room in self:
            for message_id in room.messages:
                self._state.drop("messages", f"{room.chat.id}:{message_id}")
            self._state.drop("doors", room.chat.id)
            room.changed.fire()
        self._rooms.clear()

    def _tell(self, room: Room, kind: str, body: dict[str, Any]) -> None:
        room.version = self._changes.add(kind, {"chat_id": room.chat.id, **body})
        room.changed.fire()

"""A test kit: people who write to a bot over a sandbox, and read what it answers."""

import asyncio
import base64
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
import msgspec

from holdfast.sandbox.faults import Fault
from holdfast.sandbox.inputs import Done
from holdfast.sandbox.model import Button, Chat, Message, User
from holdfast.sandbox.record import Call, Input
from holdfast.sandbox.sight import Sight, Status, Wanted, buttons, fits, from_bot, text_of

T = TypeVar("T")

PATIENCE = 10.0
LONG_POLL = 25


class Refused(Exception):
    """The sandbox refuses what a test wants a person to do."""


class NotSeen(AssertionError):
    """The person did not see what they waited for."""


class Control:
    """The control API of a sandbox: `async with Control(sandbox.url) as control:`.

    Without a server: `Control("http://localhost", httpx.ASGITransport(create_app()))`.
    """

    def __init__(self, url: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._http = httpx.AsyncClient(base_url=url, transport=transport, timeout=60.0, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def person(self, first_name: str, **fields: str | int) -> "Person":
        """Somebody new."""
        user = await self.post("/people", {"first_name": first_name, **fields}, User)
        return Person(self, user)

    async def people(self) -> list["Person"]:
        """Everyone."""
        return [Person(self, user) for user in await self.get("/people", list[User])]

    async def group(self, title: str, *members: "Person") -> Chat:
        """A group of people and the bot."""
        return await self.post("/groups", {"title": title, "members": [one.id for one in members]}, Chat)

    async def upgrade(self, chat: Chat) -> Chat:
        """Make a group a supergroup, under another id."""
        return await self.post(f"/chats/{chat.id}/upgrade", {}, Chat)

    async def batch(self, inputs: list[dict[str, Any]]) -> list[Done]:
        """Many inputs in one call."""
        return await self.post("/inputs", inputs, list[Done])

    async def sight(self, chat_id: int, *, after: int = -1, wait: float = 0, last: int = 1000) -> Sight:
        """A chat as its people see it, at once or after its next change."""
        params = {"after": after, "timeout": round(wait), "last": last}
        return await self.get(f"/chats/{chat_id}", Sight, **params)

    async def inputs(self) -> list[Input]:
        """Everything people did, oldest first."""
        return await self._lines("/inputs", Input)

    async def calls(self, method: str = "", chat_id: int | None = None) -> list[Call]:
        """Every Bot API call, oldest first."""
        chosen = {"method": method, "chat_id": "" if chat_id is None else chat_id}
        return await self._lines("/calls", Call, **chosen)

    async def status(self) -> Status:
        """How far the bot has come."""
        return await self.get("/status", Status)

    async def all_confirmed(self, patience: float = 60.0) -> Status:
        """Wait until the bot has confirmed every update."""
        status = await self.get("/status", Status, until="confirmed", timeout=round(patience))
        if status.pending:
            raise NotSeen(f"{status.pending} updates are not confirmed after {patience:.0f} s")
        return status

    async def fault(self, kind: str, method: str = "*", **fields: object) -> list[Fault]:
        """Let coming calls fail: drop, reset, error, slow or flood."""
        return await self.post("/faults", {"kind": kind, "method": method, **fields}, list[Fault])

    async def clear_faults(self) -> None:
        """Let nothing fail any more."""
        await self.request("DELETE", "/faults", bool)

    async def jump(self, by: int) -> None:
        """Leave out some update ids."""
        await self.post("/updates/jump", {"by": by}, dict[str, int])

    async def again(self, update_id: int) -> None:
        """Deliver an update once more."""
        await self.post("/updates/again", {"update_id": update_id}, bool)

    async def advance(self, seconds: float) -> None:
        """Let time pass in the sandbox."""
        await self.post("/clock", {"seconds": seconds}, dict[str, float])

    async def reset(self) -> None:
        """Forget people, chats, updates and records."""
        await self.post("/reset", {}, bool)

    async def get(self, path: str, type_: type[T], **params: str | int) -> T:
        """Read from the control API."""
        return await self.request("GET", path, type_, params=params)

    async def post(self, path: str, body: object, type_: type[T]) -> T:
        """Write to the control API."""
        return await self.request("POST", path, type_, content=msgspec.json.encode(body))

    async def request(self, verb: str, path: str, type_: type[T], **rest: Any) -> T:  # noqa: ANN401 - httpx's arguments
        """Call the control API; its refusal becomes an error."""
        answer = await self._http.request(verb, f"/control{path}", **rest)
        body = msgspec.json.decode(answer.content, type=dict[str, msgspec.Raw])
        if answer.is_success:
            return msgspec.json.decode(body["result"], type=type_)
        raise Refused(msgspec.json.decode(body["description"], type=str))

    async def _lines(self, path: str, type_: type[T], **params: str | int) -> list[T]:
        lines: list[T] = []
        after = 0
        while True:
            page = await self.get(path, dict[str, msgspec.Raw], after=after, **params)
            lines += msgspec.json.decode(page["lines"], type=list[type_])  # type: ignore[valid-type]
            last = msgspec.json.decode(page["last"], type=int)
            if last == after:
                return lines
            after = last


class Person:
    """Somebody with a phone: says, taps, sends, edits, and sees."""

    def __init__(self, control: Control, user: User, chat_id: int | None = None) -> None:
        self._control = control
        self.user = user
        self.chat_id = user.id if chat_id is None else chat_id
        self._tapped: Message | None = None

    @property
    def id(self) -> int:
        return self.user.id

    def at(self, chat: Chat) -> "Person":
        """The same person, in a group."""
        return Person(self._control, self.user, chat.id)

    async def says(self, text: str, **fields: object) -> Done:
        """Write a text."""
        return await self.does("text", text=text, **fields)

    async def starts(self, payload: str = "") -> Done:
        """Press Start."""
        return await self.does("start", payload=payload)

    async def taps(self, button: str, message: Message | int | None = None) -> Done:
        """Tap a button by its label or data: the newest there is, or the one under a message."""
        found = await self._button(button, message)
        return await self.does("tap", message_id=found[0], data=found[1].callback_data)

    async def taps_data(self, message: Message | int, data: str) -> Done:
        """Tap a button that may be gone already, as a phone that has not heard of it does."""
        return await self.does("tap", message_id=_number(message), data=data)

    async def sends_photo(self, data: bytes = b"", caption: str = "", seed: int = 0) -> Done:
        """Send a picture; without bytes a small one made from the seed."""
        return await self.does("photo", data=_base64(data), caption=caption, seed=seed)

    async def sends_document(self, data: bytes, name: str = "file.bin", **fields: object) -> Done:
        """Send a file as a file."""
        return await self.does("document", data=_base64(data), name=name, **fields)

    async def sends_album(self, *photos: bytes, count: int = 2, caption: str = "") -> Done:
        """Send several pictures at once."""
        return await self.does("album", photos=[_base64(one) for one in photos], count=count, caption=caption)

    async def sends_other(self, what: str) -> Done:
        """Send a sticker, voice, location or contact."""
        return await self.does("other", what=what)

    async def edits(self, message: Message | Done | int, text: str) -> Done:
        """Change an earlier message of one's own."""
        return await self.does("edit", message_id=_number(message), text=text)

    async def blocks(self) -> Done:
        """Stop the bot."""
        return await self.does("block")

    async def unblocks(self) -> Done:
        """Let the bot write again."""
        return await self.does("unblock")

    async def does(self, kind: str, **fields: object) -> Done:
        """Anything the control API knows."""
        place = None if self.chat_id == self.id else self.chat_id
        body = {"kind": kind, "person_id": self.id, "chat_id": place, **fields}
        self._tapped = await self._message(fields.get("message_id")) if kind == "tap" else None
        return await self._control.post("/inputs", body, Done)

    async def chat(self) -> Sight:
        """All that is in the chat."""
        return await self._control.sight(self.chat_id)

    async def screen(self) -> Message | None:
        """The bot's last message."""
        return next(from_bot(await self.chat()), None)

    async def sees(self, wanted: Wanted, patience: float = PATIENCE, *, after: Done | int = 0) -> Message:
        """Wait for a message of the bot: one whose text contains `wanted`, or for which it is true.

        After a tap, the message that was tapped counts as well once the bot has changed it.
        """
        floor = after if isinstance(after, int) else max(after.message_ids, default=0)
        loop = asyncio.get_running_loop()
        until = loop.time() + patience
        sight = await self.chat()
        while True:
            found = next((one for one in from_bot(sight) if self._is_new(one, floor) and fits(one, wanted)), None)
            if found is not None:
                return found
            if (left := until - loop.time()) <= 0:
                raise NotSeen(_unseen(self.user, wanted, sight))
            sight = await self._control.sight(self.chat_id, after=sight.version, wait=min(left + 1, LONG_POLL))

    def _is_new(self, message: Message, floor: int) -> bool:
        if self._tapped is not None and message.message_id == self._tapped.message_id:
            return message != self._tapped
        return message.message_id > floor

    async def _message(self, message_id: object) -> Message | None:
        return next((one for one in (await self.chat()).messages if one.message_id == message_id), None)

    async def _button(self, button: str, message: Message | int | None) -> tuple[int, Button]:
        sight = await self.chat()
        wanted = None if message is None else _number(message)
        for one in from_bot(sight):
            for each in buttons(one):
                if wanted in {None, one.message_id} and button in {each.text, each.callback_data}:
                    return one.message_id, each
        raise NotSeen(f"{self.user.first_name} sees no button {button!r}")


def _unseen(user: User, wanted: Wanted, sight: Sight) -> str:
    what = repr(wanted) if isinstance(wanted, str) else "what was waited for"
    last = [text_of(message) for message in sight.messages[-5:]]
    return f"{user.first_name} does not see {what}; the last messages are {last}"


def _number(message: Message | Done | int) -> int:
    if isinstance(message, int):
        return message
    return message.message_ids[0] if isinstance(message, Done) else message.message_id


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()

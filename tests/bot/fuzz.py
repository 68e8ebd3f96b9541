"""Updates of every kind, and every way in which they can be broken; one seed gives the same ones again."""

import json
import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from random import Random
from typing import Any

from holdfast.bot.updates import read_update, said_in
from holdfast.domain.event import Said
from holdfast.domain.screen import Screen

PEOPLE = tuple(range(1001, 1009))
ASKED_FOR = ("message", "edited_message", "callback_query")
Tree = dict[str, Any]

NOBODY = "0"
"""What stands in the mark of an update that could not be read when it was marked."""

_MARK = f"~P{NOBODY}~"
MARKS = re.compile(r"~P(-?\d+)~")
_RAW_MARKS = re.compile(rb"~P-?\d+~")

_TWICE = "\x01"
_TOKENS = (
    *(b"1e400", b"NaN", b"-Infinity", b"1.0", b"-0", b"1001.0", b"9" * 30, b"9" * 5000, b"18446744073709551616"),
    *(b"[" * 500 + b"]" * 500, b'{"a":' * 700 + b"1" + b"}" * 700, b"[" * 5000, b"tru", b"'x'", b"01", b""),
    *(b'"\xff"', b'"\xed\xa0\x80"', b'"\xc0\x80"', b'"\\ud800"', b'"\\udc00\\ud800"', b'"\\x"', b'"\n"', b'"\\u12"'),
)
_TOKEN = re.compile(rb'"@raw(\d+)@"')

_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2**31, -(2**31), 2**40, 2**53, 2**62, 2**63 - 1, 2**63, -(2**63), 2**64, -(2**64)),
    *(0.5, -1.5, "", " ", "x", "0", "1001", "\ud800", "\udfff", "\0", "\u202e", "private", "group", "channel"),
    *([], {}, [[]], [None], [{}], {"id": 1}, {"id": "1"}, {"file_id": 1}, [1, "a", None], {"": None}),
)
_NASTY = (
    *("\ud800", "\udc00\ud83c", "a\0b", "\0", "\u202egnirts", "\u200b\u200b", "\u200f", "\ufeff", "e\u0301" * 100),
    *("x" * 10_000, "line\n" * 10_000, "🏭" * 5000, "&" * 4096, "<" * 2000, "\r\n", "\t", "", " ", "\u2028", "مكبس ٤"),
    *(
        "<b>bold</b>",
        "</b>",
        "&lt;",
        "&#0;",
        "{value}",
        "{",
        "%s",
        "${x}",
        "a" * 99 + "\ud83c",
        "\x7f",
        "\u0301" * 3000,
    ),
    *("/", "//", "/usr/bin", "/addmachine@x y", "/library " + "word " * 300, "/library \ud800", "/skip\n", "/start x"),
)
_ANSWERS = ("Press 4", "Press 5", "Lathe", "Saw", "ACME", "X-100", "S/N 0815", "Hall 3", "squeaks", "Bosch", "12")
_COMMANDS = (
    *("/addmachine",) * 4,
    *("/skip",) * 4,
    *("/back", "/back", "/cancel", "/help", "/start", "/library", "/library", "/library press", "/dance"),
)
_CONTENTS: tuple[Tree, ...] = (
    {"sticker": {"file_id": "s", "file_unique_id": "s", "width": 512, "height": 512, "is_animated": False}},
    {"voice": {"file_id": "v", "file_unique_id": "v", "duration": 3, "mime_type": "audio/ogg", "file_size": 900}},
    {"video": {"file_id": "v", "file_unique_id": "v", "width": 1, "height": 1, "duration": 1}, "caption": "look"},
    {"contact": {"phone_number": "+1", "first_name": "B", "vcard": "BEGIN:VCARD"}},
    {"location": {"latitude": 52.5, "longitude": 13.4}},
    {"poll": {"id": "1", "question": "?", "options": [{"text": "a", "voter_count": 0}], "is_closed": False}},
    {"dice": {"emoji": "🎲", "value": 4}},
    {"pinned_message": {"message_id": 1, "date": 0, "chat": {"id": 1, "type": "private"}}},
    {"new_chat_members": [{"id": 1, "is_bot": True, "first_name": "B"}]},
    {"left_chat_member": {"id": 1, "is_bot": True, "first_name": "B"}},
    {"message_auto_delete_timer_changed": {"message_auto_delete_time": 1}},
    {"successful_payment": {"currency": "EUR", "total_amount": 1}},
    {"document": {"file_id": "d", "file_unique_id": "d", "file_name": "a.pdf", "mime_type": "application/pdf"}},
    {"story": {"chat": {"id": 1, "type": "private"}, "id": 1}},
    {},
)


_WISHES = tuple(
    (re.compile(end), wish)
    for end, wish in (
        (":ok$", 20.0),
        (r"^(?:m|me|mf|mh|mr|up|ph|ed):", 4.0),
        (r":s\d$", 8.0),
        (":x$", 0.2),
        (r":b\d$", 0.3),
    )
)
"""How readily a button is tapped, by the end of its data: people mostly want to come to an end."""


@dataclass(frozen=True)
class Made:
    """One update as it goes over the wire; `sound` when nothing in it was broken and a person said it."""

    raw: bytes
    sound: bool


@dataclass
class Maker:
    """Makes updates; it is told of the screens that were shown, so that their buttons can be tapped."""

    random: Random
    seconds: Callable[[], int]
    number: int = 100
    message: int = 10
    seen: list[tuple[int, int, str]] = field(default_factory=list)
    album: str = ""

    def shown(self, chat_id: int, message_id: int, screen: Screen) -> None:
        """Remember the buttons of a screen."""
        self.seen += [(chat_id, message_id, one.data) for row in screen.keyboard for one in row]

    def make(self) -> Made:
        """Make one update: most of them sound, some with their tree broken, some with their bytes."""
        kind = self.random.choices(list(_KINDS), [weight for _, weight in _KINDS.values()])[0]
        self.number += self.random.choice((1, 1, 1, 2))
        tree = {"update_id": self.number, **_KINDS[kind][0](self)}
        fate = self.random.random()
        if fate < 0.6:
            return Made(self._written(tree), kind not in _NOBODY)
        for _ in range(self.random.choice((1, 1, 2, 4))):
            self._break(tree)
        raw = self._written(tree)
        if fate > 0.9:
            raw = stamped(_BYTES[self.random.randrange(len(_BYTES))](self.random, raw))
        return Made(raw, sound=False)

    def _written(self, tree: Tree) -> bytes:
        as_escapes = self.random.random() < 0.7
        raw = json.dumps(tree, ensure_ascii=as_escapes).encode("utf-8", "surrogatepass")
        raw = _TOKEN.sub(lambda found: _TOKENS[int(found[1])], raw.replace(b"\\u0001", b""))
        return stamped(raw)

    def _break(self, tree: Tree) -> None:
        """Do one thing to one place of a tree."""
        holder: Any = tree
        while True:
            keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
            if not keys:
                return
            key = self.random.choice(keys)
            inner = holder[key]
            if not isinstance(inner, dict | list) or not inner or self.random.random() < 0.25:
                break
            holder = inner
        self.random.choice((_delete, _retype, _retype, _token, _twice, _wrap, _nasty))(self.random, holder, key)

    def _user(self, person: int) -> Tree:
        name = self.random.choice(("Ada", "Böb", "<i>", "\ud800", "", "x" * 64))
        return {"id": person, "is_bot": False, "first_name": name + _MARK, "username": "u", "language_code": "de"}

    def _message(self, content: Tree, person: int = 0, message_id: int = 0) -> Tree:
        person = person or self._person()
        sender = self._user(person)
        chat = {"id": person, "first_name": sender["first_name"], "type": "private"}
        self.message += 1
        number = message_id or self.message
        return {"message_id": number, "from": sender, "chat": chat, "date": self.seconds(), **content}

    def _person(self) -> int:
        return self.random.choice(PEOPLE)

    def answer(self) -> Tree:
        """What is mostly typed."""
        return {"message": self._message({"text": f"{self.random.choice(_ANSWERS)} {_MARK}"})}

    def command(self) -> Tree:
        text = self.random.choice(_COMMANDS)
        entity = {"type": "bot_command", "offset": 0, "length": len(text.partition(" ")[0])}
        return {"message": self._message({"text": text, "entities": [entity]})}

    def nasty(self) -> Tree:
        return {"message": self._message({"text": self.random.choice(_NASTY) + self.random.choice(("", _MARK))})}

    def own_tap(self) -> Tree:
        """A person taps a button seen lately."""
        person = self._person()
        lately = [one for one in self.seen[-300:] if one[0] == person]
        own = [one for one in lately if one[1] == lately[-1][1]]
        wishes = [next((wish for end, wish in _WISHES if end.search(data)), 1.0) for _, _, data in own]
        return self._tap(person, self.random.choices(own, wishes)[0] if own else (person, 3, "go:add_machine"))

    def any_tap(self) -> Tree:
        """Somebody's client sends any button ever shown to anybody, as one of their own or garbled."""
        person = self._person()
        _, message_id, data = self.random.choice(self.seen) if self.seen else (0, 1, "lib:0:")
        if self.random.random() < 0.2:
            data = self.random.choice((data[:-1], data + "9", data.upper(), "lib:999:", "go:nothing", ":", data[::-1]))
        return self._tap(person, (person, message_id, data))

    def _tap(self, person: int, button: tuple[int, int, str]) -> Tree:
        _, message_id, data = button
        chat = {"id": person, "first_name": "A", "type": "private"}
        date = self.random.choice((0, self.seconds()))
        message = {"message_id": message_id, "chat": chat, "date": date}
        tap_id = str(self.random.randrange(10**18))
        return {
            "callback_query": {
                "id": tap_id,
                "from": self._user(person),
                "message": message,
                "chat_instance": "-1",
                "data": data,
            }
        }

    def _sizes(self) -> list[Tree]:
        number = self.random.randrange(10**6)
        return [
            {"file_id": f"f{number}-{side}{_MARK}", "file_unique_id": f"u{side}", "width": side, "height": side}
            | ({"file_size": side * 100} if self.random.random() < 0.8 else {})
            for side in (90, 320, 1280)
        ]

    def photo(self) -> Tree:
        caption = {"caption": self.random.choice((*_ANSWERS, *_NASTY)) + _MARK} if self.random.random() < 0.3 else {}
        return {"message": self._message({"photo": self._sizes(), **caption})}

    def of_album(self) -> Tree:
        if not self.album or self.random.random() < 0.3:
            self.album = str(self.random.randrange(10**9))
        return {"message": self._message({"photo": self._sizes(), "media_group_id": self.album})}

    def image(self) -> Tree:
        file = {"file_id": f"d{_MARK}", "file_unique_id": "d", "file_name": "a.png", "mime_type": "image/png"}
        return {"message": self._message({"document": file | {"file_size": 10 ** self.random.randrange(10)}})}

    def other(self) -> Tree:
        return {"message": self._message(deepcopy(self.random.choice(_CONTENTS)))}

    def edit(self) -> Tree:
        """One of the last messages says something else."""
        said = {"text": self.random.choice((*_ANSWERS, *_NASTY)) + _MARK, "edit_date": self.seconds()}
        content = said if self.random.random() < 0.8 else {"photo": self._sizes(), "caption": _MARK}
        person = self._person()
        return {"edited_message": self._message(content, person, max(1, self.message - self.random.randrange(60)))}

    def group(self) -> Tree:
        chat = {"id": -self.random.randrange(1, 4), "title": "G", "type": self.random.choice(("group", "supergroup"))}
        tree = self.random.choice((self.answer, self.photo, self.edit, self.command))()
        next(iter(tree.values()))["chat"] = chat
        return tree

    def without_person(self) -> Tree:
        tree = self.group()
        message = next(iter(tree.values()))
        message["sender_chat"] = message["chat"]
        del message["from"]
        return tree

    def of_channel(self) -> Tree:
        post = {"message_id": 3, "date": 1, "chat": {"id": -100, "title": "C", "type": "channel"}, "text": "news"}
        return {self.random.choice(("channel_post", "edited_channel_post")): post}

    def not_asked_for(self) -> Tree:
        person = self._user(self._person())
        member = {"user": {"id": 7, "is_bot": True, "first_name": "B"}, "status": "kicked", "until_date": 0}
        chat = {"id": person["id"], "type": "private"}
        return self.random.choice(
            (
                {"my_chat_member": {"chat": chat, "from": person, "date": 1, "old_chat_member": member}},
                {"inline_query": {"id": "1", "from": person, "query": "q", "offset": ""}},
                {"message_reaction": {"chat": chat, "message_id": 3, "user": person, "date": 1, "new_reaction": []}},
                {"poll": {"id": "1", "question": "?", "options": []}},
                {"purchased_paid_media": {"from": person, "paid_media_payload": "x"}},
                {},
            )
        )


_NOBODY = frozenset({"without_person", "of_channel", "not_asked_for"})
_KINDS: dict[str, tuple[Callable[[Maker], Tree], int]] = {
    "answer": (Maker.answer, 24),
    "command": (Maker.command, 10),
    "nasty": (Maker.nasty, 10),
    "own_tap": (Maker.own_tap, 25),
    "any_tap": (Maker.any_tap, 10),
    "photo": (Maker.photo, 4),
    "of_album": (Maker.of_album, 3),
    "image": (Maker.image, 2),
    "other": (Maker.other, 4),
    "edit": (Maker.edit, 6),
    "group": (Maker.group, 3),
    "without_person": (Maker.without_person, 1),
    "of_channel": (Maker.of_channel, 1),
    "not_asked_for": (Maker.not_asked_for, 2),
}


def _delete(_random: Random, holder: Any, key: Any) -> None:  # noqa: ANN401 - a place in any JSON
    del holder[key]


def _retype(random: Random, holder: Any, key: Any) -> None:  # noqa: ANN401 - a place in any JSON
    holder[key] = deepcopy(random.choice(_VALUES))


def _token(random: Random, holder: Any, key: Any) -> None:  # noqa: ANN401 - a place in any JSON
    holder[key] = f"@raw{random.randrange(len(_TOKENS))}@"


def _twice(random: Random, holder: Any, key: Any) -> None:  # noqa: ANN401 - a place in any JSON
    if isinstance(holder, dict):
        holder[f"{key}{_TWICE}"] = deepcopy(random.choice((holder[key], *_VALUES)))
    else:
        holder.append(deepcopy(holder[key]))


def _wrap(random: Random, holder: Any, key: Any) -> None:  # noqa: ANN401 - a place in any JSON
    for _ in range(random.choice((1, 2, 100))):
        holder[key] = random.choice(([holder[key]], {"a": holder[key]}))


def _nasty(random: Random, holder: Any, key: Any) -> None:  # noqa: ANN401 - a place in any JSON
    holder[key] = random.choice(_NASTY)


def _cut(random: Random, raw: bytes) -> bytes:
    return raw[: random.randrange(len(raw) + 1)]


def _flip(random: Random, raw: bytes) -> bytes:
    at = random.randrange(len(raw))
    return raw[:at] + bytes((raw[at] ^ 1 << random.randrange(8),)) + raw[at + 1 :]


def _insert(random: Random, raw: bytes) -> bytes:
    at = random.randrange(len(raw) + 1)
    return (
        raw[:at]
        + random.choice((random.randbytes(3), b"\0", b"\xff", b"{", b"]", b'"', b"\\", b"\xed\xa0\x80"))
        + raw[at:]
    )


def _drop(random: Random, raw: bytes) -> bytes:
    at = random.randrange(len(raw))
    return raw[:at] + raw[at + random.randrange(1, 20) :]


def _again(random: Random, raw: bytes) -> bytes:
    at = random.randrange(len(raw))
    return raw[: at + random.randrange(1, 20)] + raw[at:]


def _padded(_random: Random, raw: bytes) -> bytes:
    return b"\xef\xbb\xbf \r\n\t" + raw + b"\n\n"


def _wide(random: Random, raw: bytes) -> bytes:
    return raw.decode("utf-8", "replace").encode(random.choice(("utf-16", "utf-16-be", "utf-32")))


def _noise(random: Random, _raw: bytes) -> bytes:
    return random.choice((random.randbytes(40), b"", b"null", b"0", b'""', b"[]", b"{}", b"[[1]]", b"[" * 100_000))


_BYTES: tuple[Callable[[Random, bytes], bytes], ...] = (
    *(_cut, _cut, _flip, _flip, _flip, _insert, _drop, _again, _padded, _wide, _noise),
)


def read(raw: bytes) -> Any:  # noqa: ANN401 - any JSON
    """Read an update with the standard library alone; None when it is none."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def spoken(tree: Any) -> Tree:  # noqa: ANN401 - any JSON
    """Find the part of an update in which somebody says something; empty when there is none."""
    found = (
        next((tree[kind] for kind in _BY_RANK if tree.get(kind) is not None), None) if isinstance(tree, dict) else None
    )
    return found if isinstance(found, dict) else {}


def heard(raw: bytes) -> Said | None:
    """Read an update as the bot does; None when it cannot."""
    try:
        return said_in(read_update(raw), raw)
    except (ValueError, RecursionError):
        return None


_BY_RANK = ("callback_query", "message", "edited_message")


def owner_of(raw: bytes) -> int:
    """Name who an update is from; 0 for nobody. Where only the bot can read it, the bot is believed."""
    if read(raw) is None:
        said = heard(raw)
        return said.user_id if said else 0
    sender = spoken(read(raw)).get("from")
    person = sender.get("id") if isinstance(sender, dict) else None
    return person if isinstance(person, int) and not isinstance(person, bool) else 0


def stamped(raw: bytes) -> bytes:
    """Write into every text that stands in an update whose it is, so that it is known wherever it is shown."""
    return _RAW_MARKS.sub(b"~P%d~" % owner_of(raw), raw)

"""The data of a button, at most 64 bytes: what it does, to what, at which step. It comes back when tapped."""

import binascii

from msgspec import Struct

from holdfast.domain.ids import as_token, from_token

# Of the conversation whose question stands; those that concern a step carry its place in the flow.
SKIP, KEEP, EMPTY, BACK, CHANGE, PUT, CANCEL, CONFIRM = "s", "k", "n", "b", "e", "u", "x", "ok"
# Of the thread; the last five refer to something of the past.
START, LIBRARY, MACHINE, FIELDS, EDIT, REMOVE = "go", "lib", "m", "mf", "me", "mr"
ZONE = "tz"
HISTORY, TAKE_UP, SAVE_PHOTO, CORRECT, USE = "mh", "up", "ph", "ed", "us"

ABOUT_THE_PAST = frozenset({HISTORY, TAKE_UP, SAVE_PHOTO, CORRECT, USE})
"""The verbs whose meaning needs the thread's past events."""

_VERBS = ABOUT_THE_PAST | {START, LIBRARY, MACHINE, FIELDS, EDIT, REMOVE, ZONE}
_MOST = 64
_MOST_DIGITS = 3


class Tap(Struct, frozen=True, gc=False):
    """A button's meaning.

    `verb` is one of the thread's, or empty for an `action` of the conversation `identity`. `identity` is what it
    is done to, `place` a step's place or a page (-1: none), `text` the rest: a flow's name, words searched for.
    """

    verb: str = ""
    action: str = ""
    identity: bytes = b""
    place: int = -1
    text: str = ""


def start(flow: str) -> str:
    """Write the data of a button that starts a flow."""
    return f"{START}:{flow}"


def zone(name: str) -> str:
    """Write the data of a button that chooses a time zone."""
    return f"{ZONE}:{name}"


def library(page: int, words: str) -> str:
    """Write the data of a button that turns to a page of the library; a long search is cut to what fits."""
    head = f"{LIBRARY}:{page}:"
    return head + words.encode()[: _MOST - len(head)].decode("utf-8", "ignore")


def thing(verb: str, identity: bytes, place: int = -1) -> str:
    """Write the data of a button that does something to a machine, an event or a conversation of the past."""
    return f"{verb}:{as_token(identity)}" + (f":{place}" if place >= 0 else "")


def action(conversation_id: bytes, name: str, place: int = -1) -> str:
    """Write the data of a button of the conversation that is open; 27 bytes at most."""
    return f"{as_token(conversation_id)}:{name}{place if place >= 0 else ''}"


def read(data: str) -> Tap | None:
    """Understand a button's data; None when it is none of ours."""
    head, _, rest = data.partition(":")
    try:
        return _verb(head, rest) if head in _VERBS else _action(head, rest)
    except (ValueError, binascii.Error):
        return None


def _verb(verb: str, rest: str) -> Tap:
    if verb in (START, ZONE):
        return Tap(verb, text=_name(rest))
    head, _, tail = rest.partition(":")
    if verb == LIBRARY:
        return Tap(verb, place=_number(head), text=tail)
    return Tap(verb, identity=from_token(head), place=_number(tail) if tail else -1)


def _action(token: str, rest: str) -> Tap:
    name = rest.rstrip("0123456789")
    digits = rest[len(name) :]
    return Tap(action=name, identity=from_token(token), place=_number(digits) if digits else -1)


def _name(text: str) -> str:
    if not text:
        raise ValueError(text)
    return text


def _number(digits: str) -> int:
    if not digits.isascii() or not digits.isdigit() or len(digits) > _MOST_DIGITS:
        raise ValueError(digits)
    return int(digits)

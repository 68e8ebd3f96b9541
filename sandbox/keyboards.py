"""Keyboards that a bot sends."""

from typing import Any

import msgspec

from holdfast.sandbox.errors import BadRequest
from holdfast.sandbox.model import Button, Keyboard
from holdfast.sandbox.params import Params

DATA_LIMIT = 64
BUTTON_LIMIT = 100


class Markup(msgspec.Struct, frozen=True):
    """What a `reply_markup` asks for: buttons under the message, or another keyboard on the phone."""

    inline: Keyboard | None = None
    reply: dict[str, Any] | None = None
    removes_reply: bool = False


def read(params: Params) -> Markup:
    """The `reply_markup` of a call, checked."""
    given = params.json("reply_markup", dict[str, Any]) or {}
    if "inline_keyboard" in given:
        return Markup(inline=_inline(given))
    if "keyboard" in given:
        return Markup(reply=given)
    return Markup(removes_reply=bool(given.get("remove_keyboard")))


def _inline(given: dict[str, Any]) -> Keyboard | None:
    try:
        keyboard = msgspec.convert(given, Keyboard, strict=False)
    except msgspec.ValidationError as error:
        raise BadRequest(f"can't parse inline keyboard: {error}") from error
    rows = tuple(row for row in keyboard.inline_keyboard if row)
    if sum(map(len, rows)) > BUTTON_LIMIT:
        raise BadRequest("reply markup is too long")
    for row in rows:
        for button in row:
            _check(button)
    return Keyboard(inline_keyboard=rows) if rows else None


def _check(button: Button) -> None:
    if not button.text:
        raise BadRequest('can\'t parse inline keyboard button: field "text" must be non-empty')
    if button.callback_data is not None and not 1 <= len(button.callback_data.encode()) <= DATA_LIMIT:
        raise BadRequest("BUTTON_DATA_INVALID")
    if msgspec.structs.replace(button, text="") == Button(text=""):
        raise BadRequest("text buttons are unallowed in the inline keyboard")

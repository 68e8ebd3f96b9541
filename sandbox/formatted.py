"""Formatted text in the parameters of a call."""

from holdfast.sandbox import html, texts
from holdfast.sandbox.errors import BadRequest
from holdfast.sandbox.model import Entity, Text
from holdfast.sandbox.params import Params

TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024


def text(params: Params) -> Text:
    """The text of a message: there must be some, and not too much."""
    read = _read(params, "text", "entities")
    if not read.text:
        raise BadRequest("message text is empty")
    if len(read.text) > TEXT_LIMIT:
        raise BadRequest("message is too long")
    return read


def caption(params: Params) -> Text:
    """The caption of a photo or document, which may be empty."""
    read = _read(params, "caption", "caption_entities")
    if len(read.text) > CAPTION_LIMIT:
        raise BadRequest("message caption is too long")
    return read


def _read(params: Params, name: str, entities_name: str) -> Text:
    source = params.text(name)
    mode = params.text("parse_mode").strip().lower()
    if mode == "html":
        return texts.finished(html.parse(source))
    if mode in {"markdown", "markdownv2"}:
        raise BadRequest("can't parse entities: the sandbox reads parse_mode HTML only")
    if mode:
        raise BadRequest("unsupported parse_mode")
    given = params.json(entities_name, tuple[Entity, ...]) or ()
    return texts.finished(Text(text=source, entities=_inside(given, html.utf16_length(source))))


def _inside(given: tuple[Entity, ...], length: int) -> tuple[Entity, ...]:
    for entity in given:
        if entity.offset < 0 or entity.length <= 0 or entity.end > length:
            raise BadRequest("entity beyond the end of the text")
    return given

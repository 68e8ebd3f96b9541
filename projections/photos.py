"""`photos_wanted`: pictures whose bytes are still to be fetched."""

from holdfast.domain.event import Event, Said
from holdfast.domain.ids import as_text
from holdfast.domain.kinds import BARRED, Kind
from holdfast.domain.ports import RowChange

TABLE = "photos_wanted"


def changes(event: Event) -> list[RowChange]:
    """Give the rows to write and to take away after an event."""
    if event.kind == Kind.PHOTO_STORED:
        return [RowChange(TABLE, (event.facts.subject,), None)]
    said = event.words.said if event.words else None
    if said is None or not said.file_id or not _is_wanted(event, said):
        return []
    values = (said.user_id, said.chat_id, said.file_id, said.file_size)
    return [RowChange(TABLE, (as_text(event.event_id),), values)]


def _is_wanted(event: Event, said: Said) -> bool:
    """Whether a picture's bytes are kept: whoever is barred from the bot fills no disk."""
    if event.facts.rule in BARRED:
        return False
    return said.type == "photo" or event.kind == Kind.PHOTO_ADDED

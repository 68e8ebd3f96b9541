"""Things people send that are neither text nor picture."""

import secrets
from typing import Any

from holdfast.sandbox.model import User


def make(what: str, person: User) -> dict[str, Any]:
    """A sticker, a voice message, a place or somebody's number."""
    return {"sticker": _sticker, "voice": _voice, "location": _location, "contact": _contact}[what](person)


def _sticker(person: User) -> dict[str, Any]:
    del person
    kind = {"type": "regular", "is_animated": False, "is_video": False}
    return {**_ids(), **kind, "width": 512, "height": 512, "emoji": "👍", "file_size": 9_216}


def _voice(person: User) -> dict[str, Any]:
    del person
    return {**_ids(), "duration": 3, "mime_type": "audio/ogg", "file_size": 12_288}


def _location(person: User) -> dict[str, Any]:
    del person
    return {"latitude": 52.5163, "longitude": 13.3777}


def _contact(person: User) -> dict[str, Any]:
    return {"phone_number": "+15550100", "first_name": person.first_name, "user_id": person.id}


def _ids() -> dict[str, str]:
    return {"file_id": "CAAC" + secrets.token_urlsafe(18), "file_unique_id": "AQ" + secrets.token_urlsafe(9)}

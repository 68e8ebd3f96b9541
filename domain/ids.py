"""Identities: sixteen bytes each, ordered as bytes, shown to people as a UUID's text."""

import base64
from functools import lru_cache
from typing import NewType
from uuid import UUID, uuid5

ThreadId = NewType("ThreadId", bytes)
ConversationId = NewType("ConversationId", bytes)
EventId = NewType("EventId", bytes)
OriginId = NewType("OriginId", bytes)

# Every thread id ever made hangs from this one value: it can never change.
_NAMESPACE = UUID("6f1c9a52-7d0e-5c1b-9a3e-48f0c0ffee01")


@lru_cache(maxsize=16_384)  # people speak again and again
def thread_of(platform: str, bot_id: int, person_id: int) -> ThreadId:
    """Name everything one person says to one bot; the same on every worker and tier."""
    return ThreadId(uuid5(_NAMESPACE, f"{platform}:{bot_id}:{person_id}").bytes)


def thread_of_aggregate(series: str, originator_id: str) -> ThreadId:
    """Name the thread that one aggregate has within one series of an application's events."""
    return ThreadId(uuid5(_NAMESPACE, f"eventsourcing:{series}:{originator_id}").bytes)


def conversation_of(thread_id: ThreadId, dedup_key: str) -> ConversationId:
    """Name the conversation an input starts, so that two workers that start it twice start the same one."""
    return ConversationId(uuid5(UUID(bytes=thread_id), dedup_key).bytes)


def as_text(identity: bytes) -> str:
    """Show sixteen bytes as people know them: 8-4-4-4-12 hexadecimal digits."""
    digits = identity.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def from_text(text: str) -> bytes:
    """Read a UUID's text back into sixteen bytes; ValueError when it is none."""
    return UUID(text).bytes


@lru_cache(maxsize=4096)  # each button of a keyboard names the conversation
def as_token(identity: bytes) -> str:
    """Write sixteen bytes as 22 URL-safe characters, short enough for a button's data."""
    return base64.urlsafe_b64encode(identity).rstrip(b"=").decode()


def from_token(token: str) -> bytes:
    """Read a 22-character token back; ValueError when it is none."""
    identity = base64.urlsafe_b64decode(token.encode() + b"==")
    if len(identity) != 16:  # noqa: PLR2004 - a UUID's length
        raise ValueError(token)
    return identity

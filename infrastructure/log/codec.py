"""Between events and their stored bytes: facts, the payload's layers, old versions brought up to date."""

import zlib
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

import msgspec

from holdfast.domain.errors import BrokenLog, UnreadableEvent
from holdfast.domain.event import Event, Facts, Words
from holdfast.domain.reading import Reader
from holdfast.infrastructure.log.canonical import canonical
from holdfast.infrastructure.log.envelope import Record
from holdfast.infrastructure.log.keys import Keyring

SALT_BYTES = 32
COMPRESS_FROM = 1024
_COMPRESSED, _LOCKED = 1, 2

Upcaster = Callable[[dict[str, Any], dict[str, Any]], None]
"""Brings the facts and the words of one kind from one version to the next, in place."""

UPCASTERS: Mapping[tuple[str, int], Upcaster] = {}
"""By kind and the version it reads. No kind has had a second version yet."""


class Sealed(msgspec.Struct, frozen=True, gc=False):
    """A payload ready to be stored, and the commitment to what is in it."""

    payload: bytes
    commitment: bytes


class Codec:
    """Writes and reads the two halves of an event: clear facts and sealed words."""

    def __init__(self, keyring: Keyring, upcasters: Mapping[tuple[str, int], Upcaster] = UPCASTERS) -> None:
        """Prepare the readers; `upcasters` also tells the newest version of each kind."""
        self._keyring = keyring
        self._upcasters = upcasters
        self._newest: dict[str, int] = {}
        for kind, version in upcasters:
            self._newest[kind] = max(self._newest.get(kind, 1), version + 1)
        self._facts = Reader(Facts)
        self._words = Reader(Words)

    def version_of(self, kind: str) -> int:
        """Give the version in which a kind is written today."""
        return self._newest.get(kind, 1)

    def seal(self, content: Any, salt: bytes, event_id: bytes, thread_id: bytes) -> Sealed:  # noqa: ANN401 - Words, or a delivery's content
        """Salt, compress when large, encrypt when there is a key."""
        text = canonical(content)
        commitment = sha256(salt + text).digest()
        flags = 0
        if len(text) >= COMPRESS_FROM:
            text, flags = zlib.compress(text), _COMPRESSED
        body = salt + text
        if self._keyring.locks:
            flags |= _LOCKED
            body = self._keyring.lock(event_id, event_id + thread_id, body)
        return Sealed(bytes((flags,)) + body, commitment)

    def open(self, record: Record) -> tuple[bytes, bytes] | None:
        """Undo the layers: salt and canonical JSON; None when the words were erased. KeyMissing, BrokenLog."""
        payload = record.payload
        if payload is None:
            return None
        if not payload or payload[0] & ~(_COMPRESSED | _LOCKED):
            raise BrokenLog(f"the words of event {record.event_id.hex()} stand in no form this program knows")
        flags, body = payload[0], payload[1:]
        if flags & _LOCKED:
            body = self._keyring.unlock(record.event_id, record.event_id + record.thread_id, body)
        salt, text = body[:SALT_BYTES], body[SALT_BYTES:]
        return salt, _inflated(text) if flags & _COMPRESSED else text

    @property
    def key_name(self) -> str:
        """Name the key that words are encrypted with, or say that there is none."""
        return self._keyring.name

    def lock_file(self, thread_id: bytes, digest: bytes, content: bytes) -> bytes:
        """Make a file's bytes fit to be stored: encrypted when there is a key, as words are."""
        if not self._keyring.locks:
            return bytes((0,)) + content
        return bytes((_LOCKED,)) + self._keyring.lock(digest, digest + thread_id, content)

    def open_file(self, thread_id: bytes, digest: bytes, stored: bytes) -> bytes:
        """Undo lock_file; KeyMissing, BrokenLog."""
        if stored[:1] == bytes((0,)):
            return stored[1:]
        return self._keyring.unlock(digest, digest + thread_id, stored[1:])

    def bare(self, record: Record) -> Event:
        """Read a record without its words, as if they were erased: the facts need no key."""
        return self.event(record._replace(payload=None))

    def event(self, record: Record) -> Event:
        """Read a stored record as the fold wants it; UnreadableEvent for a version from the future, BrokenLog."""
        opened = self.open(record)
        try:
            facts, words = self._halves(record, opened[1] if opened else None)
        except ValueError:
            raise BrokenLog(f"event {record.event_id.hex()} cannot be read") from None
        return Event(
            event_id=record.event_id,
            conversation_id=record.conversation_id,
            kind=record.kind,
            version=record.version,
            ots=record.ots,
            dedup_key=record.dedup_key,
            occurred_at=record.occurred_at,
            facts=facts,
            words=words,
        )

    def _halves(self, record: Record, text: bytes | None) -> tuple[Facts, Words | None]:
        newest = self._newest.get(record.kind, 1)
        if record.kind_version == newest:
            return self._facts.read(record.facts), self._words.read(text) if text is not None else None
        if record.kind_version > newest:
            raise UnreadableEvent(f"{record.kind} version {record.kind_version} is newer than this program")
        return self._upcast(record, text)

    def _upcast(self, record: Record, text: bytes | None) -> tuple[Facts, Words | None]:
        facts = Reader(dict[str, Any]).read(record.facts)
        words = Reader(dict[str, Any]).read(text) if text is not None else {}
        for version in range(record.kind_version, self._newest[record.kind]):
            self._upcasters[record.kind, version](facts, words)
        return msgspec.convert(facts, Facts), msgspec.convert(words, Words) if text is not None else None


def _inflated(text: bytes) -> bytes:
    try:
        return zlib.decompress(text)
    except zlib.error as error:
        raise BrokenLog(f"a compressed payload cannot be read: {error}") from None

"""The words under lock: AES-GCM with a key of its own for each event, derived from the master key."""

import hmac
from collections.abc import Callable
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from holdfast.domain.errors import BrokenLog, KeyMissing

_SALT = b"holdfast payload v1"
KEY_ID_BYTES = 8
NO_KEY = "none"
_NONCE_BYTES = 12


def check_key(known: str, mine: str) -> None:
    """Go on under the key a journal's words were written with; one without a key may begin to use one. KeyMissing."""
    if known not in {NO_KEY, mine}:
        raise KeyMissing(
            "this journal's words are encrypted under another master key: set HOLDFAST_MASTER_KEY to the one "
            "it was begun with"
        )


class Keyring:
    """Holds the master key, 32 bytes, if there is one. HKDF (RFC 5869) derives each event's key from it."""

    def __init__(self, master: bytes | None, randomness: Callable[[int], bytes]) -> None:
        """Extract once; expanding for an event is then a single HMAC."""
        self._root = hmac.digest(_SALT, master, sha256) if master is not None else None
        self._key_id = sha256(b"holdfast key id" + master).digest()[:KEY_ID_BYTES] if master is not None else b""
        self._randomness = randomness

    @property
    def locks(self) -> bool:
        """Whether words are encrypted."""
        return self._root is not None

    @property
    def name(self) -> str:
        """Name the key, so that a journal can tell which one it was written with; `none` where there is none."""
        return self._key_id.hex() or NO_KEY

    def lock(self, event_id: bytes, identity: bytes, plain: bytes) -> bytes:
        """Encrypt: key id (8 bytes), nonce (12), ciphertext with its tag; `identity` is bound in."""
        nonce = self._randomness(_NONCE_BYTES)
        return self._key_id + nonce + AESGCM(self._key_of(event_id)).encrypt(nonce, plain, identity)

    def unlock(self, event_id: bytes, identity: bytes, locked: bytes) -> bytes:
        """Decrypt; KeyMissing without the right master key, BrokenLog when the bytes were changed."""
        if self._root is None or locked[:KEY_ID_BYTES] != self._key_id:
            raise KeyMissing
        nonce = locked[KEY_ID_BYTES : KEY_ID_BYTES + _NONCE_BYTES]
        try:
            cipher = AESGCM(self._key_of(event_id))
            return cipher.decrypt(nonce, locked[KEY_ID_BYTES + _NONCE_BYTES :], identity)
        except (InvalidTag, ValueError):
            raise BrokenLog(f"the words of event {event_id.hex()} were changed") from None

    def _key_of(self, event_id: bytes) -> bytes:
        if self._root is None:
            raise KeyMissing
        return hmac.digest(self._root, event_id + b"\x01", sha256)

"""Which SQL a client runs, read from its half of PostgreSQL's protocol."""

import struct
from collections.abc import Iterator

CANCEL = 80877102
ENCRYPTION = (80877103, 80877104)
"""Codes of the messages that come before the start: two are answered with one byte, and another follows."""

READY = tuple(b"Z\x00\x00\x00\x05" + state for state in (b"I", b"T", b"E"))
"""How every complete answer of a server ends: ready for the next question, in or out of a transaction."""


class Statements:
    """The text behind every execution, also of statements that were prepared long before."""

    def __init__(self) -> None:
        """Begin with the first byte of a connection."""
        self._rest = b""
        self._greeted = False
        self._prepared: dict[bytes, bytes] = {}

    def executed(self, data: bytes) -> list[str]:
        """Take the next bytes; give the texts of the statements that they execute."""
        self._rest += data
        return [text.decode(errors="replace") for kind, body in self._messages() for text in self._text(kind, body)]

    def _messages(self) -> Iterator[tuple[bytes, bytes]]:
        """Cut off the messages that are complete; the first has no kind."""
        while (message := self._next()) is not None:
            yield message

    def _next(self) -> tuple[bytes, bytes] | None:
        head = 1 if self._greeted else 0
        if len(self._rest) < head + 4:
            return None
        end = head + int(struct.unpack_from("!I", self._rest, head)[0])
        if len(self._rest) < end:
            return None
        kind, body, self._rest = self._rest[:head], self._rest[head + 4 : end], self._rest[end:]
        if not self._greeted:
            self._greeted = struct.unpack_from("!I", body)[0] not in (CANCEL, *ENCRYPTION)
        return kind, body

    def _text(self, kind: bytes, body: bytes) -> Iterator[bytes]:
        """Parse gives a name to a text, Bind is about to run what has a name, Query runs a text."""
        if kind == b"P":
            name, text = body.split(b"\0")[:2]
            self._prepared[name] = text
        elif kind == b"B":
            yield self._prepared.get(body.split(b"\0")[1], b"")
        elif kind == b"Q":
            yield body.rstrip(b"\0")

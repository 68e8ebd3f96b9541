"""The turn log: one JSON line for each turn, without a word that anybody said and without a name."""

import sys
from datetime import UTC, datetime
from hashlib import blake2b
from queue import Empty, SimpleQueue
from secrets import token_bytes
from threading import Thread
from typing import TextIO

import msgspec
from msgspec import Struct

from holdfast.domain.watch import TurnTold

_MOST = 10_000
"""Lines that wait to be written; where nobody reads them, further ones are left out and counted."""
_SECOND = 1_000_000
_encode = msgspec.json.Encoder().encode


class TurnLine(Struct, frozen=True, gc=False):
    """What stands in a line. `thread` is the same for the same person while the process runs, and says no more.

    `took_us` are microseconds from the input's coming to its being durable, `append_us` those of the append alone;
    `left_out` is how many lines before this one were not written.
    """

    at: str
    thread: str
    kind: str
    rule: str
    flow: str
    step: str
    next_step: str
    outcome: str
    took_us: int
    append_us: int
    left_out: int


class TurnLog:
    """Writes lines in a thread of its own, so that no turn waits for whoever reads them."""

    def __init__(self, out: TextIO = sys.stdout, most: int = _MOST) -> None:
        """Write to a stream; at most so many lines wait."""
        self._out = out
        self._most = most
        self._key = token_bytes(32)
        self._lines: SimpleQueue[TurnLine | None] = SimpleQueue()
        self._left_out = 0
        self._thread = Thread(target=self._write, name="turn log", daemon=True)
        self._thread.start()

    def __call__(self, told: TurnTold) -> None:
        """Write a turn down, or count it when too many lines wait."""
        if self._lines.qsize() >= self._most:
            self._left_out += 1
            return
        self._lines.put(self._line(told))
        self._left_out = 0

    def close(self, seconds: float = 1.0) -> None:
        """Write what waits, as far as it goes in so many seconds."""
        self._lines.put(None)
        self._thread.join(seconds)

    def _line(self, told: TurnTold) -> TurnLine:
        facts = told.event.facts
        at = datetime.fromtimestamp(told.ended_at / _SECOND, UTC).isoformat(timespec="microseconds")
        return TurnLine(
            at=at,
            # With a key: who knows a person's number could otherwise try what comes of it.
            thread=blake2b(told.thread_id, key=self._key, digest_size=8).hexdigest(),
            kind=told.event.kind,
            rule=facts.rule,
            flow=facts.flow,
            step=facts.step,
            next_step=facts.next_step,
            outcome=told.outcome,
            took_us=max(told.ended_at - told.received_at, 0),
            append_us=max(told.ended_at - told.began_at, 0),
            left_out=self._left_out,
        )

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            lines = [line, *self._more()]
            try:
                self._out.write("".join(f"{_encode(one).decode()}\n" for one in lines))
                self._out.flush()
            except (OSError, ValueError):
                continue  # nobody reads any more

    def _more(self) -> list[TurnLine]:
        """Take what waits besides, so that it is written at one go; the end is put back."""
        found: list[TurnLine] = []
        try:
            while (line := self._lines.get_nowait()) is not None:
                found.append(line)
            self._lines.put(None)
        except Empty:
            pass
        return found

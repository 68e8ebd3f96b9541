"""Failures that a test asks for."""

from enum import StrEnum

import msgspec

MOST = 1_000


class Kind(StrEnum):
    """What goes wrong with a call."""

    DROP = "drop"  # carried out, then the connection is closed without an answer
    RESET = "reset"  # the connection is reset, nothing is carried out
    ERROR = "error"  # refused with `code`, nothing is carried out
    SLOW = "slow"  # carried out, answered `seconds` later
    FLOOD = "flood"  # 429 with `retry_after`, nothing is carried out


class Fault(msgspec.Struct):
    """The next `times` calls of `method` ("*": of any), to `chat_id` when given, fail in one way."""

    kind: Kind
    method: str = "*"
    times: int = 1
    chat_id: int | None = None
    seconds: float = 1.0
    retry_after: int = 1
    code: int = 500
    description: str = "Internal Server Error"

    def fits(self, method: str, chat_id: object) -> bool:
        """Whether it is meant for this call."""
        is_method = self.method == "*" or self.method.lower() == method.lower()
        return is_method and (self.chat_id is None or str(self.chat_id) == str(chat_id))


class Faults:
    """Planned failures, used up in the order in which they were asked for."""

    def __init__(self) -> None:
        self._planned: list[Fault] = []

    def plan(self, fault: Fault) -> None:
        """Let coming calls fail; at most a thousand plans wait at once."""
        if len(self._planned) >= MOST:
            raise ValueError(f"more than {MOST} faults are waiting")
        self._planned.append(fault)

    def next(self, method: str, chat_id: object) -> Fault | None:
        """The failure meant for this call, if any; it is used up."""
        fault = next((fault for fault in self._planned if fault.fits(method, chat_id)), None)
        if fault is not None:
            fault.times -= 1
            self._planned = [fault for fault in self._planned if fault.times > 0]
        return fault

    def waiting(self) -> list[Fault]:
        """Failures not used up yet."""
        return list(self._planned)

    def clear(self) -> None:
        """Let nothing fail any more."""
        self._planned.clear()

"""Taps that wait for the bot's answer."""

from collections import OrderedDict

import msgspec

from holdfast.sandbox.clock import Clock
from holdfast.sandbox.errors import BadRequest
from holdfast.sandbox.state import State
from holdfast.sandbox.updates import TAP_LIFETIME

TOO_OLD = "query is too old and response timeout expired or query ID is invalid"


class Tap(msgspec.Struct, frozen=True):
    """Where a tap was made, and until when it can be answered."""

    chat_id: int
    message_id: int
    until: float


class Queries:
    """Open taps by their id. They need no bound of their own: each is gone after 150 seconds."""

    def __init__(self, clock: Clock, state: State) -> None:
        self._clock = clock
        self._state = state
        self._open: OrderedDict[str, Tap] = OrderedDict(state.all("taps", Tap))

    def __len__(self) -> int:
        self._forget_the_old()
        return len(self._open)

    def open(self, query_id: str, chat_id: int, message_id: int) -> None:
        """A person tapped."""
        self._forget_the_old()
        tap = self._open[query_id] = Tap(chat_id, message_id, self._clock.now() + TAP_LIFETIME)
        self._state.put("taps", query_id, tap)

    def answer(self, query_id: str) -> Tap:
        """The bot answers; a tap can be answered only once."""
        self._forget_the_old()
        tap = self._open.pop(query_id, None)
        if tap is None:
            raise BadRequest(TOO_OLD)
        self._state.drop("taps", query_id)
        return tap

    def clear(self) -> None:
        """Forget all taps."""
        for query_id in self._open:
            self._state.drop("taps", query_id)
        self._open.clear()

    def _forget_the_old(self) -> None:
        while self._open and next(iter(self._open.values())).until <= self._clock.now():
            self._state.drop("taps", self._open.popitem(last=False)[0])

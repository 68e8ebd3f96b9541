"""The queue of updates that the bot has not confirmed yet."""

from collections import OrderedDict, deque
from collections.abc import Callable
from itertools import islice, takewhile

import msgspec

from holdfast.sandbox.clock import Clock
from holdfast.sandbox.numbers import Numbers
from holdfast.sandbox.signals import Signal
from holdfast.sandbox.state import State

DAY = 86_400.0
TAP_LIFETIME = 150.0
REMEMBERED = 10_000
TAP = "callback_query"
# Kinds a bot gets only when it asks for them by name.
ON_REQUEST = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
# Telegram takes an offset this far ahead of its last update for a mistake and begins at the oldest.
TOO_FAR_AHEAD = 10


class Update(msgspec.Struct, frozen=True):
    """One update, encoded when it happened: what is edited later does not change it."""

    update_id: int
    kind: str
    lane: str
    expires_at: float
    payload: bytes
    chat_id: int = 0
    message_id: int = 0

    def as_sent(self) -> dict[str, object]:
        """The Update object of the Bot API."""
        return {"update_id": self.update_id, self.kind: msgspec.Raw(self.payload)}


class Updates:
    """Waiting updates, oldest first.

    Not bounded in number, as Telegram's is not: a bot that is away for a day must find every input again.
    What bounds it is the lifetime, 24 hours, and 150 seconds for a tap.
    """

    def __init__(self, clock: Clock, numbers: Numbers, state: State) -> None:
        self.arrived = Signal()
        self.left = Signal()
        self.on_left: Callable[[Update], None] = _nothing
        self.numbers = numbers
        self.confirmed = 0
        self.allowed: frozenset[str] | None = None
        self._clock = clock
        self._state = state
        self._waiting: OrderedDict[int, Update] = OrderedDict()
        self._ages: deque[Update] = deque()
        self._tap_ages: deque[Update] = deque()
        self._recent: deque[Update] = deque(maxlen=REMEMBERED)
        self._again: list[Update] = []

    def __len__(self) -> int:
        self._forget_the_old()
        return len(self._waiting)

    def push(self, kind: str, payload: bytes, lane: str, *, chat_id: int = 0, message_id: int = 0) -> int | None:
        """Queue an update, about a message or not; None when the bot did not ask for its kind."""
        if not self._is_wanted(kind):
            return None
        lifetime = TAP_LIFETIME if kind == TAP else DAY
        number = self.numbers.next()
        update = Update(number, kind, lane, self._clock.now() + lifetime, payload, chat_id, message_id)
        self._state.put("numbers", "update", number)
        self._state.put("updates", number, update)
        self.restore(update)
        self.arrived.fire()
        return number

    def restore(self, update: Update) -> None:
        """Put back an update that was waiting."""
        self._waiting[update.update_id] = update
        (self._tap_ages if update.kind == TAP else self._ages).append(update)

    def confirm(self, offset: int) -> None:
        """Forget what is below a positive offset, or all but the last of a negative one."""
        if offset > self.numbers.last + 1 + TOO_FAR_AHEAD:
            return
        if offset > 0:
            self.confirmed = max(self.confirmed, offset)
            while self._waiting and next(iter(self._waiting)) < offset:
                self._forget(next(iter(self._waiting)))
        if offset < 0:
            while len(self._waiting) > -offset:
                self._forget(next(iter(self._waiting)))

    def take(self, limit: int) -> list[Update]:
        """The oldest waiting updates, after those that a test wants delivered again."""
        self._forget_the_old()
        again, self._again = self._again[:limit], self._again[limit:]
        return again + list(islice(self._waiting.values(), limit - len(again)))

    def done(self, update_id: int) -> None:
        """Forget one update, wherever it stands in the queue: a webhook has taken it."""
        if update_id in self._waiting:
            self.confirmed = max(self.confirmed, update_id + 1)
            self._forget(update_id)

    def waits(self, update_id: int) -> bool:
        """Whether an update is still to be delivered."""
        self._forget_the_old()
        return update_id in self._waiting

    def newer_than(self, update_id: int) -> list[Update]:
        """Waiting updates behind an id, oldest first; costs what they are, not what waits."""
        newest_first = reversed(self._waiting.values())
        newer = list(takewhile(lambda update: update.update_id > update_id, newest_first))
        return newer[::-1]

    def about(self, chat_id: int) -> list[int]:
        """The messages of a chat that wait."""
        self._forget_the_old()
        return [update.message_id for update in self._waiting.values() if update.chat_id == chat_id]

    def again(self, update_id: int) -> bool:
        """Deliver an update once more with the next batch, also when it was confirmed."""
        known = self._waiting.get(update_id) or next(
            (update for update in self._recent if update.update_id == update_id), None
        )
        if known is None:
            return False
        self._again.append(known)
        self.arrived.fire()
        return True

    def take_again(self) -> list[Update]:
        """What a test wants delivered again, for a webhook."""
        again, self._again = self._again, []
        return again

    def clear(self) -> None:
        """Forget all that waits."""
        for update_id in list(self._waiting):
            self._forget(update_id)
        self._again.clear()

    def _is_wanted(self, kind: str) -> bool:
        return kind not in ON_REQUEST if self.allowed is None else kind in self.allowed

    def _forget(self, update_id: int) -> None:
        update = self._waiting.pop(update_id)
        self._recent.append(update)
        self.on_left(update)
        self._state.drop("updates", update_id)
        self.left.fire()

    def _forget_the_old(self) -> None:
        now = self._clock.now()
        for ages in (self._ages, self._tap_ages):
            while ages and (ages[0].expires_at <= now or ages[0].update_id not in self._waiting):
                update_id = ages.popleft().update_id
                if update_id in self._waiting:
                    self._forget(update_id)


def _nothing(update: Update) -> None:
    del update

"""The last time in which nothing could be stored, and who has not been told of it yet."""

from collections import OrderedDict
from typing import TypeVar

from holdfast.domain.inbound import Inbound

T = TypeVar("T")
_SECOND = 1_000_000
_NOTICED = 3 * _SECOND
"""Who wrote so shortly before the end did not wait long enough to be told."""
_HICCUP = _SECOND
"""What is stored at a later try, but before so much time has passed, is not worth a word."""
_REMEMBERED = 10_000


class Outage:
    """Remembers when nothing could be stored; times are microseconds since 1970. Each person is told of it once."""

    def __init__(self) -> None:
        """Begin with everything well."""
        self._since = 0
        self._until = 0
        self._lasts = False
        self._refused: OrderedDict[int, int] = OrderedDict()
        self._waited: OrderedDict[int, None] = OrderedDict()
        self._told: OrderedDict[int, None] = OrderedDict()

    def refuse(self, user_id: int, now: int) -> None:
        """Somebody's input could not be stored (0: nobody's): an outage begins, or goes on."""
        if not self._lasts:
            self._lasts, self._since = True, now
            self._told.clear()
        if not user_id:
            return
        if user_id not in self._refused:
            _put(self._refused, user_id, now)
        if now - self._refused[user_id] >= _HICCUP:
            _put(self._waited, user_id, None)

    def refuses(self, user_id: int) -> bool:
        """Whether somebody's input could not be stored, and none has been since."""
        return user_id in self._refused

    def end(self, user_id: int, now: int) -> float:
        """What was refused has been stored; give how many seconds the outage took, 0 when none is on."""
        self._refused.pop(user_id, None)
        if not self._lasts:
            return 0.0
        self._lasts, self._until = False, now
        return (now - self._since) / _SECOND

    def caught(self, inbound: Inbound) -> bool:
        """Whether its person wrote in the outage, and has not been told; in a group nobody is told."""
        if not self._since or inbound.said.type == "group":
            return False
        person = inbound.said.user_id
        # Telegram's dates are whole seconds, rounded down.
        wrote_then = self._since - _SECOND <= inbound.occurred_at <= self._until - _NOTICED
        return person in self._waited or (wrote_then and person not in self._told)

    def tell(self, user_id: int) -> None:
        """A reply that tells somebody of it is owed."""
        self._waited.pop(user_id, None)
        _put(self._told, user_id, None)


def _put(people: OrderedDict[int, T], person: int, what: T) -> None:
    """Remember a person: however many write while nothing can be stored, the first are forgotten."""
    people[person] = what
    if len(people) > _REMEMBERED:
        people.popitem(last=False)

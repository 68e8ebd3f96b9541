"""When the bot was there for its people: it had read all that Telegram held for it, and could store what it read."""

import asyncio
from collections.abc import Iterable, Mapping

from msgspec import Struct

from holdfast.domain.state import Conversation

TAP_LIFE = 150 * 1_000_000
"""Microseconds for which Telegram keeps a tap that nobody takes; text it keeps for a day."""
PRESENCE = "presence"
"""The name under which a log remembers it."""
GAP = "gap:"
"""What a log remembers begins with this for each absence that was longer than Telegram keeps what people write."""
_MOST = 10


class Absence(Struct, frozen=True, gc=False):
    """A time in which the bot was not there: from the last moment it was, to the first in which it was again.

    Microseconds since 1970. `sure`: no other worker was there meanwhile, as far as any tier knows.
    """

    since: int
    until: int
    sure: bool = False

    @property
    def length(self) -> int:
        """How long it was, in microseconds."""
        return self.until - self.since

    def caught(self, conversation: Conversation, deadline: int) -> bool:
        """Whether a conversation waited for an answer through all of it, and had not run out when it began."""
        return conversation.updated_at <= self.since <= deadline


class Presence:
    """Remembers when the bot was there last, and the absences that its people have not been told of yet."""

    def __init__(self, last: int = 0, absences: Iterable[Absence] = (), *, patience: int = TAP_LIFE) -> None:
        """Go on from the last moment known (0: none is). What lasts no longer than `patience` is no absence."""
        self.last = last
        self.absences = tuple(absences)
        self.patience = patience
        self._read = False
        self.news = asyncio.Event()
        """Set when the bot came back from an absence, or read all for the first time with one untold."""

    def here(self, at: int) -> None:
        """Say that all that Telegram held at a moment has been read, and is stored."""
        if self.last and at - self.last > self.patience:
            self._add(Absence(self.last, at))
        self.last = at
        if not self._read:
            self._read = True
            if self.absences:
                self.news.set()

    def _add(self, absence: Absence) -> None:
        if len(self.absences) == _MOST:
            # Nobody could be told of any of them: two that follow one another are told as one.
            first, second, *others = self.absences
            self.absences = (Absence(first.since, second.until), *others)
        self.absences = (*self.absences, absence)
        self.news.set()

    def untold(self, now: int) -> tuple[Absence, ...]:
        """Give the absences that people have not been told of yet, and the one that lasts at this moment."""
        lasting = self.last and now - self.last > self.patience
        return (*self.absences, Absence(self.last, now)) if lasting else self.absences

    def is_here(self, now: int) -> bool:
        """Whether time may run for people: the queue was read to its end, and nobody is to be told of an absence.

        Before that, a deadline that has passed may be one that its person kept.
        """
        return self._read and not self.untold(now)

    def confirm(self, absence: Absence, elsewhere: int) -> Absence | None:
        """Make sure of an absence, now that it is known when any worker was there last; None when it was none."""
        sure = Absence(max(absence.since, elsewhere), absence.until, sure=True)
        self._put(absence, sure if sure.length > self.patience else None)
        return sure if sure in self.absences else None

    def told(self, absence: Absence) -> None:
        """Forget an absence: everybody it concerns has been told."""
        self._put(absence, None)

    def _put(self, absence: Absence, other: Absence | None) -> None:
        self.absences = tuple(one for was in self.absences if (one := other if was == absence else was) is not None)

    def as_text(self) -> str:
        """Write down what must survive the process."""
        absences = (f"{one.since}:{one.until}:{one.sure:d}" for one in self.absences)
        return " ".join((f"{self.last}", *absences))


def presence_from(text: str, at_least: int = 0, *, patience: int = TAP_LIFE) -> Presence:
    """Read back what `as_text` wrote; empty when nothing was. The bot was there when its last input came, too."""
    last, *absences = text.split() or ["0"]
    known = [
        Absence(int(since), int(until), sure == "1") for since, until, sure in (one.split(":") for one in absences)
    ]
    return Presence(max(int(last), at_least), known, patience=patience)


def gaps_in(facts: Mapping[str, str]) -> list[Absence]:
    """Read the gaps that a log remembers, oldest first: what was written in them may be missing."""
    found = ((name.removeprefix(GAP), until) for name, until in facts.items() if name.startswith(GAP))
    return sorted((Absence(int(since), int(until), sure=True) for since, until in found), key=lambda gap: gap.since)

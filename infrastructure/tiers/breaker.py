"""The breaker of one tier: one failure takes it out of service, proof and an empty backlog bring it back."""

from enum import StrEnum

from msgspec import Struct

PROOFS = 3
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 2.0


class Standing(StrEnum):
    """Where a tier stands with this worker."""

    BROKEN = "broken"
    """It failed; only probes reach it."""
    CATCHING_UP = "catching up"
    """It answered well, and is being given what it missed; people's turns do not reach it yet."""
    SERVING = "serving"


class Breaker(Struct):
    """The state of one tier; times are microseconds since 1970, pauses seconds."""

    standing: Standing = Standing.BROKEN
    reason: str = "not tried yet"
    since: int = 0
    proofs: int = 0
    pause: float = FIRST_PAUSE

    @property
    def serves(self) -> bool:
        """Whether people's turns may go to this tier."""
        return self.standing is Standing.SERVING

    @property
    def broken(self) -> bool:
        """Whether nothing but probes may reach it."""
        return self.standing is Standing.BROKEN

    def fail(self, reason: str, now: int) -> bool:
        """Take the tier out of service; a further failed probe makes the next pause longer. Says if it is news."""
        fell = not self.broken
        news = fell or reason != self.reason
        self.pause = FIRST_PAUSE if fell else min(2 * self.pause, LONGEST_PAUSE)
        if fell:
            self.since = now
        self.standing, self.reason, self.proofs = Standing.BROKEN, reason, 0
        return news

    def prove(self, now: int) -> None:
        """Count a good probe; after enough of them in a row the tier may be given what it missed."""
        self.proofs += 1
        self.pause = FIRST_PAUSE
        if self.broken and self.proofs >= PROOFS:
            self.standing, self.since = Standing.CATCHING_UP, now

    def trust(self, now: int) -> None:
        """Take a tier that was just opened for sound: at start nobody was failed by it yet."""
        self.standing, self.since, self.pause = Standing.CATCHING_UP, now, FIRST_PAUSE

    def serve(self, now: int) -> None:
        """Let people's turns reach the tier again: it has all that this worker has."""
        if self.standing is Standing.CATCHING_UP:
            self.standing, self.since, self.reason = Standing.SERVING, now, ""

"""The one tree of errors.

    HoldfastError
    ├── SettingsError            a setting is wrong
    ├── FlowError                a flow is declared wrongly
    │   ├── FlowBroken           a declared type failed in a way no answer should
    │   └── UnknownFlow          an open conversation needs a flow that is not loaded
    ├── LogError                 the log
    │   ├── LogUnavailable       nothing can be stored at this moment; try again
    │   │   ├── NotExecuted      a tier did not do it, for certain
    │   │   │   └── NotMigrated  a tier's tables are not those of this program
    │   │   ├── Ambiguous        a tier may have done it, or may not
    │   │   └── NoTier           what must stand on a tier can't, at this moment
    │   ├── Conflict             another event came first; decide again
    │   ├── RowRefused           a projection's row broke a rule of its table
    │   ├── JournalLocked        another process works with this journal
    │   ├── AlienJournal         the file is not a journal of ours
    │   ├── CorruptJournal       the file is damaged
    │   ├── NewerJournal         the file was written by a newer Holdfast
    │   ├── ChangedMigration     a migration already applied has been edited
    │   ├── OtherBot             the journal belongs to another bot
    │   ├── UnreadableEvent      an event was written by a newer Holdfast
    │   └── BrokenLog            a hash or a parent link does not hold
    ├── KeyMissing               words are encrypted and the master key is not here
    └── TelegramError            Telegram refused or could not be reached
        ├── TelegramUnreachable  no answer, or one that says "later"
        └── TelegramRefused      the request itself is wrong
            ├── Blocked          the person has blocked the bot
            └── SecondPoller     another process polls with this token

The first line of a leaf's docstring is its message when none is given.
"""


class HoldfastError(Exception):
    """Something went wrong in Holdfast."""

    def __init__(self, message: str = "") -> None:
        """Keep the message; without one, the first line of the class's docstring is the message."""
        super().__init__(message or (type(self).__doc__ or "").partition("\n")[0])


class SettingsError(HoldfastError):
    """A setting is wrong."""


class FlowError(HoldfastError):
    """A flow is declared wrongly."""


class FlowBroken(FlowError):
    """A flow's declared type failed in a way no answer should."""


class UnknownFlow(FlowError):
    """An open conversation needs a flow, in a version, that is not loaded."""


class LogError(HoldfastError):
    """The log could not do what was asked."""


class LogUnavailable(LogError):
    """Nothing can be stored at this moment; nothing was acknowledged, so try again."""


class NotExecuted(LogUnavailable):
    """A tier did not do what was asked, for certain."""


class NotMigrated(NotExecuted):
    """A tier lacks tables of this program; `holdfast migrate` makes them."""


class Ambiguous(LogUnavailable):
    """A tier did not say whether it did what was asked."""


class NoTier(LogUnavailable):
    """There are tiers and none can be had at this moment; what has to stand on one must wait."""


class Conflict(LogError):
    """Another event of this thread came first."""


class RowRefused(LogError):
    """A row of a projection breaks a rule of its table; the turn was not written."""


class JournalLocked(LogError):
    """Another process works with this journal."""


class AlienJournal(LogError):
    """This file is not a journal of Holdfast's; it was left untouched."""


class CorruptJournal(LogError):
    """This journal is damaged; it was left untouched."""


class NewerJournal(LogError):
    """This journal was written by a newer Holdfast; it was left untouched."""


class ChangedMigration(LogError):
    """A migration that this journal has applied is not the one in this program."""


class OtherBot(LogError):
    """This journal belongs to another bot."""


class UnreadableEvent(LogError):
    """An event was written by a newer Holdfast."""


class BrokenLog(LogError):
    """A hash or a parent link of the log does not hold."""


class KeyMissing(HoldfastError):
    """The words are encrypted and the master key that opens them is not set."""


class TelegramError(HoldfastError):
    """Telegram could not do what was asked."""


class TelegramUnreachable(TelegramError):
    """Telegram did not answer, or asked to come back later."""

    def __init__(self, message: str = "", *, retry_after: float = 0.0) -> None:
        """Remember how many seconds Telegram asked to wait (0: it did not say)."""
        super().__init__(message)
        self.retry_after = retry_after


class TelegramRefused(TelegramError):
    """Telegram refused the request itself."""


class Blocked(TelegramRefused):
    """The person has blocked the bot."""


class SecondPoller(TelegramRefused):
    """Another process reads this bot's updates."""

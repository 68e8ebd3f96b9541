"""The stable names of events. A name, once stored, is never changed and never reused."""

from enum import StrEnum


class Kind(StrEnum):
    """What one event says happened. docs/events.md describes each."""

    STARTED = "conversation.started"
    ANSWERED = "answer.given"
    SKIPPED = "answer.skipped"
    REJECTED = "answer.rejected"
    CORRECTED = "answer.corrected"
    BACK = "step.back"
    PHOTO_ADDED = "photo.added"
    PHOTO_STORED = "photo.stored"
    NAMEPLATE_READ = "nameplate.read"
    RESUMED = "conversation.resumed"
    CONFIRMED = "conversation.confirmed"
    CANCELLED = "conversation.cancelled"
    EXPIRED = "conversation.expired"
    REMINDED = "conversation.reminded"
    REPEATED = "question.repeated"
    NOTED = "thread.noted"
    MERGED = "thread.merged"
    UNEXPECTED = "input.unexpected"
    MISSING = "inputs.missing"
    FORGOTTEN = "person.forgotten"
    RECORDED = "aggregate.recorded"


FILING = frozenset({Kind.ANSWERED, Kind.CORRECTED, Kind.SKIPPED, Kind.PHOTO_ADDED})
"""Kinds that file a value under a field."""

ACCEPTED = FILING | {Kind.STARTED, Kind.BACK, Kind.RESUMED, Kind.CONFIRMED, Kind.CANCELLED, Kind.FORGOTTEN}
"""Kinds by which an input moved its thread on: of two copies of one input, such a one counts first."""

ENDINGS = {Kind.CONFIRMED: "completed", Kind.CANCELLED: "cancelled", Kind.EXPIRED: "expired"}
"""Kinds that end a conversation, and what it then is. (The fourth end, superseded, follows from the order.)"""

BARRED = frozenset({"not_allowed", "too_fast", "flood"})
"""Rules by which an input was kept but not acted on: who may use the bot, and how fast."""

SILENT = frozenset({Kind.PHOTO_STORED, Kind.NAMEPLATE_READ, Kind.RECORDED})
"""Facts from outside, which owe a reply only when something failed."""

AT_LOAD, BY_CLOCK = "silence", "timer"
"""The causes of an end by silence: it was found when the next input came, or a clock found it."""

TIMEZONE = "timezone"
"""The rule of a noted input by which a person named their time zone; the words' value is its name."""

TIMERS = frozenset({Kind.EXPIRED, Kind.REMINDED, Kind.REPEATED, Kind.MISSING})
"""Events that time or an outage brings, not a person: where there are tiers, one must know of them first."""

BROUGHT = SILENT | TIMERS | {Kind.MERGED}
"""Kinds that no input became: time, an outage or the world brought them."""

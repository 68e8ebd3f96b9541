"""What an exception of the driver means: it was certainly not done, it may have been done, or a row is at fault."""

from asyncio import CancelledError

from asyncpg.exceptions import PostgresError, TargetServerAttributeNotMatched

from holdfast.domain.errors import Ambiguous, NotExecuted, RowRefused

_MAYBE_DONE = ("08", "40003", "57P01", "57P02", "57P05", "XX")
"""Answers that may follow a commit: connection trouble, a server that shuts down or crashed, an inner error."""

_NEVER_BEGUN = ("25006", "28", "3D000", "42P01", "42883", "42501", "53", "57P03")
"""Answers that no statement was begun after, even when the session ends with them."""

_ROW = ("22", "23", "54")
"""Answers to what one row holds: a value no column takes, a broken rule, a text too long for an index."""

_ADVICE = {
    "08": "see whether the network between here and there holds",
    "25006": "it takes no writes now: let its address lead to the primary",
    "28": "see whether its name, password and pg_hba.conf let this program in",
    "3D000": "make that database, or name another one",
    "42501": "grant holdfast_app to its role, or use the owner's address",
    "42883": "run holdfast migrate",
    "42P01": "run holdfast migrate",
    "53100": "its disk is full: make room",
    "53300": "it has no connection to spare: allow more, or use its pooler",
    "57P03": "it is starting or stopping: wait",
}

_WITHOUT_ANSWER: tuple[tuple[type[BaseException], str], ...] = (
    (TargetServerAttributeNotMatched, "none of its hosts takes writes; let its address name the primary"),
    (TimeoutError, "no answer in time"),
    (CancelledError, "the call was broken off"),
)


def fault(tier: str, error: BaseException, *, sent: bool) -> NotExecuted | Ambiguous:
    """Say what an exception means for a statement that runs by itself; `sent`: the statement had gone out.

    `tier` is what the message calls it. The message never holds values of rows.
    """
    kind = Ambiguous if sent and _may_be_done(error) else NotExecuted
    verb = "may have done it" if kind is Ambiguous else "did not do it"
    return kind(f"the tier {tier} {verb}: {_told(error)}")


def refusal(error: BaseException) -> RowRefused | None:
    """Say that a row is at fault, or None; only for what went wrong once there was a connection."""
    if isinstance(error, PostgresError):
        state = error.sqlstate or ""
        rule = getattr(error, "constraint_name", None) or type(error).__name__
        return RowRefused(f"a row breaks a rule of its table: {rule}") if state.startswith(_ROW) else None
    if isinstance(error, ValueError | OverflowError) and not isinstance(error, OSError):
        return RowRefused(f"a row holds what no column can: {type(error).__name__}")
    return None


def _may_be_done(error: BaseException) -> bool:
    if isinstance(error, PostgresError):
        state = error.sqlstate or ""
        if state.startswith(_MAYBE_DONE):
            return True
        # A server that ends while it commits (its log's disk is full) may find the commit when it starts again.
        ended = getattr(error, "severity_en", None) in {"FATAL", "PANIC"}
        return ended and (error.severity_en == "PANIC" or not state.startswith(_NEVER_BEGUN))
    if isinstance(error, TargetServerAttributeNotMatched):
        return False
    return refusal(error) is None


def _told(error: BaseException) -> str:
    if isinstance(error, PostgresError):
        return _answered(error)
    for family, told in _WITHOUT_ANSWER:
        if isinstance(error, family):
            return told
    if isinstance(error, OSError):
        return f"it cannot be reached: {error.strerror or error}; see whether it runs"
    return f"the connection failed: {type(error).__name__}"


def _answered(error: PostgresError) -> str:
    """Tell what the server said, but nothing that a row holds."""
    state = error.sqlstate or ""
    said = type(error).__name__ if state.startswith(_ROW) else error.args[0]
    advice = next((f"; {text}" for prefix, text in _ADVICE.items() if state.startswith(prefix)), "")
    return f"{said} ({state}){advice}"

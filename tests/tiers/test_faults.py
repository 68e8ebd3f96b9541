import asyncio
import socket
import ssl

import asyncpg
import pytest
from asyncpg.exceptions import TargetServerAttributeNotMatched

from holdfast.domain.errors import Ambiguous, NotExecuted, RowRefused
from holdfast.infrastructure.tiers.faults import fault, refusal

NEVER = (NotExecuted, NotExecuted)
MAYBE = (NotExecuted, Ambiguous)
"""What an error is before anything was sent, and after."""

WITHOUT_AN_ANSWER = [
    (ConnectionRefusedError(111, "Connection refused"), MAYBE),
    (ConnectionResetError(104, "Connection reset by peer"), MAYBE),
    (socket.gaierror(-2, "Name or service not known"), MAYBE),
    (ssl.SSLCertVerificationError(1, "certificate verify failed"), MAYBE),
    (TimeoutError(), MAYBE),
    (asyncio.CancelledError(), MAYBE),
    (asyncpg.InterfaceError("connection is closed"), MAYBE),
    (asyncpg.InternalClientError("a bug"), MAYBE),
    (asyncpg.ProtocolViolationError("nonsense"), MAYBE),
    (TargetServerAttributeNotMatched("no host takes writes"), NEVER),
]

ANSWERS = [
    *((state, "FATAL", NEVER) for state in ("57P03", "53300", "28000", "28P01", "3D000")),
    *((state, "ERROR", NEVER) for state in ("25006", "53000", "53100", "53200", "53300", "53400", "57P03")),
    *((state, "ERROR", NEVER) for state in ("42P01", "42883", "42501", "42601", "40001", "40P01", "57014", "58030")),
    *((state, "ERROR", NEVER) for state in ("22003", "23505", "54000", "0A000", "55P03", "P0001")),
    *((state, "ERROR", MAYBE) for state in ("08000", "08003", "08006", "08007", "08P01")),
    *((state, "FATAL", MAYBE) for state in ("57P01", "57P02", "57P05", "25P03", "08006")),
    *((state, "ERROR", MAYBE) for state in ("40003", "XX000", "XX001", "XX002")),
    *((state, "PANIC", MAYBE) for state in ("53100", "58030", "XX000")),
]


def answer(state: str, severity: str = "ERROR", text: str = "the server's words") -> asyncpg.PostgresError:
    """Make the error that the driver makes of a server's answer."""
    fields = {"S": severity, "V": severity, "C": state, "M": text, "D": "Key (nickname)=(Press 4) already exists."}
    error = asyncpg.PostgresError.new(fields)
    assert isinstance(error, asyncpg.PostgresError)
    return error


@pytest.mark.parametrize(("error", "kinds"), WITHOUT_AN_ANSWER, ids=lambda value: type(value).__name__)
def test_no_answer_means_maybe_once_it_was_sent(error: BaseException, kinds: tuple[type, type]) -> None:
    """What broke before sending was not done, and what broke after it may have been."""
    assert (type(fault("neon", error, sent=False)), type(fault("neon", error, sent=True))) == kinds


@pytest.mark.parametrize(("state", "severity", "kinds"), ANSWERS)
def test_an_answer_means_no_unless_it_may_follow_a_commit(state: str, severity: str, kinds: tuple[type, type]) -> None:
    """An error of a statement that runs by itself says it was not done, but for those that end a session or lie."""
    error = answer(state, severity)

    assert (type(fault("neon", error, sent=False)), type(fault("neon", error, sent=True))) == kinds


@pytest.mark.parametrize("sent", [True, False])
@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (answer("28P01", "FATAL"), "pg_hba.conf"),
        (answer("3D000", "FATAL"), "make that database"),
        (answer("42P01"), "run holdfast migrate"),
        (answer("42883"), "run holdfast migrate"),
        (answer("42501"), "holdfast_app"),
        (answer("25006"), "the primary"),
        (answer("53100"), "make room"),
        (answer("53300", "FATAL"), "pooler"),
        (ConnectionRefusedError(111, "Connection refused"), "Connection refused; see whether it runs"),
        (TargetServerAttributeNotMatched("none"), "name the primary"),
    ],
)
def test_a_message_names_the_tier_and_what_to_do(error: BaseException, advice: str, *, sent: bool) -> None:
    """Whoever reads the message knows which tier it was and what would help."""
    message = str(fault("neon (db.example:5432/bot)", error, sent=sent))

    assert "neon (db.example:5432/bot)" in message
    assert advice in message


@pytest.mark.parametrize("state", ["23505", "23514", "22003", "54000"])
def test_what_a_row_holds_is_in_no_message(state: str) -> None:
    """A person's words may be in the server's answer, and go no further."""
    error = answer(state, text="value Press 4 is out of range")
    told = (refusal(error), fault("neon", error, sent=True))

    assert not any("Press 4" in str(one) for one in told)


@pytest.mark.parametrize(
    "error",
    [
        *(answer(state) for state in ("22001", "22003", "22021", "22P05", "23502", "23505", "23514", "54000")),
        OverflowError("too great"),
        UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"),
    ],
    ids=repr,
)
def test_a_row_is_at_fault_for_its_own_values(error: BaseException) -> None:
    """A broken rule, a value no column holds and a text too long for an index are the row's own fault."""
    assert isinstance(refusal(error), RowRefused)


@pytest.mark.parametrize(
    "error",
    [answer("40001"), answer("53100"), answer("57P01"), TimeoutError(), ssl.SSLCertVerificationError()],
    ids=repr,
)
def test_a_tiers_trouble_is_no_rows_fault(error: BaseException) -> None:
    """What has nothing to do with values refuses no row."""
    assert refusal(error) is None

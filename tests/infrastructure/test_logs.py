import io
import logging
from collections.abc import Iterator

import pytest

from holdfast.cli.logs import SecretFilter, set_up

TOKEN = "42:AAE-a_Token"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Where a logger with the filter writes."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(SecretFilter(TOKEN, None, ""))
    logger = logging.getLogger("tests.secrets")
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    yield stream
    logger.removeHandler(handler)


def logger() -> logging.Logger:
    return logging.getLogger("tests.secrets")


def test_a_secret_in_a_line_is_taken_out(lines: io.StringIO) -> None:
    """Wherever it stands in the text, in its arguments or twice, a secret is replaced."""
    logger().info("to https://api.telegram.org/bot42:AAE-a_Token/getMe")
    logger().warning("%s and %r at %d%%", TOKEN, [TOKEN], 7)
    logger().info("nothing to hide: %s", "words")

    assert TOKEN not in lines.getvalue()
    assert lines.getvalue().splitlines() == [
        "to https://api.telegram.org/bot***/getMe",
        "*** and ['***'] at 7%",
        "nothing to hide: words",
    ]


def test_a_secret_in_a_trace_is_taken_out(lines: io.StringIO) -> None:
    """An error that quotes the secret is written with its trace and without the secret."""
    try:
        int(f"bot{TOKEN}")
    except ValueError:
        logger().exception("calling %s failed", TOKEN, stack_info=True)

    assert TOKEN not in lines.getvalue()
    assert "invalid literal for int() with base 10: 'bot***'" in lines.getvalue()
    assert "Traceback (most recent call last)" in lines.getvalue()


def test_a_line_with_the_wrong_arguments_stops_nobody(lines: io.StringIO) -> None:
    """A log call that cannot be filled in is written as it stands, and its caller goes on."""
    logger().info("%d apples from %s", f"bot{TOKEN}")

    assert TOKEN not in lines.getvalue()
    assert "apples" in lines.getvalue()


def test_without_secrets_lines_are_as_they_were(lines: io.StringIO) -> None:
    """A filter that knows no secret changes no line."""
    record = logging.LogRecord("name", logging.INFO, "file", 1, "%s words", ("plain",), None)

    assert SecretFilter(None, "").filter(record) is True
    assert record.getMessage() == "plain words"


@pytest.fixture
def loggers() -> Iterator[None]:
    """Put back what setting up changes for the whole process."""
    root = logging.getLogger()
    before = root.level, root.handlers[:]
    yield
    root.setLevel(before[0])
    root.handlers[:] = before[1]
    for name in ("holdfast", "httpx"):
        logging.getLogger(name).setLevel(logging.NOTSET)


@pytest.mark.usefixtures("loggers")
def test_what_the_operator_reads(capsys: pytest.CaptureFixture[str]) -> None:
    """Our own news and others' warnings are written to standard error without secrets, others' news are not."""
    set_up(TOKEN)
    logging.getLogger("holdfast.engine").info("ours %s", TOKEN)
    logging.getLogger("httpx").info("GET /bot%s/getMe", TOKEN)
    logging.getLogger("elsewhere").info("chatter")
    logging.getLogger("elsewhere").warning("a warning of others: %s", TOKEN)
    read = capsys.readouterr()

    assert read.out == ""
    assert TOKEN not in read.err
    assert [line.split(" ", 2)[2] for line in read.err.splitlines()] == [
        "INFO holdfast.engine: ours ***",
        "WARNING elsewhere: a warning of others: ***",
    ]

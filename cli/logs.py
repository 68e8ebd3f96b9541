"""What the operator reads on standard error; no secret ever stands in it."""

import logging
import sys

_PLAIN = logging.Formatter()


class SecretFilter(logging.Filter):
    """Takes secrets out of every line, wherever it comes from."""

    def __init__(self, *secrets: str | None) -> None:
        """Name what must never be written."""
        super().__init__()
        self._secrets = [secret for secret in secrets if secret]

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass, cleaned."""
        record.msg, record.args = self._clean(_message(record)), ()
        if record.exc_info:
            record.exc_text = self._clean(record.exc_text or _PLAIN.formatException(record.exc_info))
        if record.stack_info:
            record.stack_info = self._clean(record.stack_info)
        return True

    def _clean(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - a line that cannot be filled in must not stop whoever wrote it
        return f"{record.msg} {record.args!r}"


def set_up(*secrets: str | None, worker: int = 0) -> None:
    """Write warnings of others and our own news to standard error, without secrets.

    Each line of one of several workers bears its number.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(SecretFilter(*secrets))
    who = f" [{worker}]" if worker else ""
    handler.setFormatter(logging.Formatter(f"%(asctime)s %(levelname)s %(name)s{who}: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("holdfast").setLevel(logging.INFO)
    # httpx writes whole addresses at INFO, and a bot's token stands in them.
    logging.getLogger("httpx").setLevel(logging.WARNING)

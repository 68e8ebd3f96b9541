"""What the operator reads on standard error; no secret ever stands in it."""

import logging
import sys


class SecretFilter(logging.Filter):
    """Takes secrets out of every line, wherever it comes from."""

    def __init__(self, *secrets: str | None) -> None:
        """Name what must never be written."""
        super().__init__()
        self._secrets = [secret for secret in secrets if secret]

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass, cleaned."""
        text = record.getMessage()
        for secret in self._secrets:
            text = text.replace(secret, "***")
        record.msg, record.args = text, ()
        return True


def set_up(*secrets: str | None) -> None:
    """Write warnings of others and our own news to standard error, without secrets."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(SecretFilter(*secrets))
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("holdfast").setLevel(logging.INFO)
    # httpx writes whole addresses at INFO, and a bot's token stands in them.
    logging.getLogger("httpx").setLevel(logging.WARNING)

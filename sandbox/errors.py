"""Telegram's refusals.

ApiError
├── BadRequest        400
├── Unauthorized      401
├── Forbidden         403
├── NotFound          404
├── Conflict          409
├── TooLarge          413
├── TooManyRequests   429
└── Planned           whatever a test asks for
"""


class ApiError(Exception):
    """A call that the Bot API answers with `"ok": false`."""

    status = 400
    reason = "Bad Request"

    def __init__(self, detail: str = "", **parameters: int) -> None:
        super().__init__(f"{self.reason}: {detail}" if detail else self.reason)
        self.parameters = parameters

    @property
    def description(self) -> str:
        """The sentence Telegram puts into the answer."""
        return str(self)


class BadRequest(ApiError):
    """The call cannot be carried out as it was made."""


class Unauthorized(ApiError):
    """The token belongs to no bot."""

    status = 401
    reason = "Unauthorized"


class Forbidden(ApiError):
    """The bot may not write to this person."""

    status = 403
    reason = "Forbidden"


class NotFound(ApiError):
    """There is no such method or file."""

    status = 404
    reason = "Not Found"


class Conflict(ApiError):
    """Updates are already being read in another way."""

    status = 409
    reason = "Conflict"


class TooLarge(ApiError):
    """The body is larger than the Bot API takes."""

    status = 413
    reason = "Request Entity Too Large"


class TooManyRequests(ApiError):
    """The bot sends faster than it may."""

    status = 429
    reason = "Too Many Requests"

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"retry after {retry_after}", retry_after=retry_after)


class Planned(ApiError):
    """The refusal that a test asked for."""

    def __init__(self, code: int, description: str) -> None:
        self.status = code
        self.reason = description
        super().__init__()

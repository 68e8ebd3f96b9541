"""The webhook a bot has set."""

import msgspec

from holdfast.sandbox.errors import BadRequest
from holdfast.sandbox.signals import Signal
from holdfast.sandbox.state import State

MOST_CONNECTIONS = 100


class Webhook(msgspec.Struct, frozen=True):
    """Where updates are posted to."""

    url: str
    secret_token: str = ""
    max_connections: int = 40


class Failure(msgspec.Struct, frozen=True):
    """Why the last post did not arrive."""

    date: int
    message: str


class Hook:
    """The webhook, or none."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.changed = Signal()
        self.failure: Failure | None = None
        self.webhook = next((webhook for _, webhook in state.all("webhook", Webhook)), None)

    def set(self, webhook: Webhook) -> None:
        """Post updates from now on."""
        if not webhook.url.startswith(("http://", "https://")):
            raise BadRequest("bad webhook: An HTTPS URL must be provided for webhook")
        if not 1 <= webhook.max_connections <= MOST_CONNECTIONS:
            raise BadRequest("bad webhook: max_connections must be between 1 and 100")
        self.webhook = webhook
        self.failure = None
        self._state.put("webhook", "", webhook)
        self.changed.fire()

    def remove(self) -> None:
        """Post no more."""
        self.webhook = None
        self.failure = None
        self._state.drop("webhook", "")
        self.changed.fire()

"""A request layer for python-telegram-bot that answers at once."""

from collections.abc import Callable

from telegram.request import BaseRequest, RequestData

from benchmarks.updates import BOT, answer

_ME = f'{{"ok":true,"result":{{"id":{BOT},"is_bot":true,"first_name":"Bot","username":"bench_bot"}}}}'.encode()


class InstantRequest(BaseRequest):
    """Answers as Telegram does."""

    def __init__(self, replied: Callable[[int], None] | None = None) -> None:
        """Begin with nothing sent; call `replied` with the chat of each message that is handed over."""
        self.sent = 0
        self._replied = replied

    @property
    def read_timeout(self) -> float:
        return 5.0

    async def initialize(self) -> None:
        """Nothing to open."""

    async def shutdown(self) -> None:
        """Nothing to close."""

    async def do_request(  # noqa: PLR0913, PLR0917 - the library's own signature
        self,
        url: str,
        method: str,  # noqa: ARG002
        request_data: RequestData | None = None,
        read_timeout: object = None,  # noqa: ARG002
        write_timeout: object = None,  # noqa: ARG002
        connect_timeout: object = None,  # noqa: ARG002
        pool_timeout: object = None,  # noqa: ARG002
    ) -> tuple[int, bytes]:
        """Answer one call."""
        if url.endswith("/getMe"):
            return 200, _ME
        self.sent += 1
        if self._replied and request_data and (chat_id := request_data.json_parameters.get("chat_id")):
            self._replied(int(chat_id))
        return 200, answer(self.sent)

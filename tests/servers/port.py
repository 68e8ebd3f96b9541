"""A port of the loopback that stays one's own while nothing listens on it."""

import socket
from typing import Self

LOOPBACK = "127.0.0.1"


class Port:
    """A free number, held until `release`: a connection is refused unless somebody listens on it as well.

    A bound socket that does not listen lets another listen beside it, when both allow the address to be shared; and
    the system gives the number to no stranger.
    """

    def __init__(self) -> None:
        """Take any number that is free."""
        self._holder = self._bound(0)
        self.number: int = self._holder.getsockname()[1]

    def listener(self) -> socket.socket:
        """Give a socket that listens on it."""
        listener = self._bound(self.number)
        listener.listen(128)
        return listener

    def release(self) -> None:
        """Let it go."""
        self._holder.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.release()

    @staticmethod
    def _bound(number: int) -> socket.socket:
        bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((LOOPBACK, number))
        return bound

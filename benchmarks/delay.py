"""A network that takes its time: every byte takes so long each way, to the microseconds a sleep can keep.

`python -m benchmarks.delay PORT MILLISECONDS` prints its own port, and ends with its standard input. It has threads,
since an event loop's timers are whole milliseconds.
"""

import socket
import sys
import threading
from queue import SimpleQueue
from time import perf_counter, sleep

from tests.servers.port import LOOPBACK

_CHUNK = 65536


def carry(source: socket.socket, sink: socket.socket, seconds: float) -> None:
    """Read at once; write each piece when its time has come."""
    queue: SimpleQueue[tuple[float, bytes]] = SimpleQueue()
    threading.Thread(target=_write, args=(sink, queue), daemon=True).start()
    while data := source.recv(_CHUNK):
        queue.put((perf_counter() + seconds, data))
    queue.put((perf_counter() + seconds, b""))


def _write(sink: socket.socket, queue: "SimpleQueue[tuple[float, bytes]]") -> None:
    while True:
        due, data = queue.get()
        if (wait := due - perf_counter()) > 0:
            sleep(wait)
        if not data:
            return sink.shutdown(socket.SHUT_WR)
        sink.sendall(data)


def listen(target: int, seconds: float) -> None:
    """Stand before a port of the loopback."""
    with socket.create_server((LOOPBACK, 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            client, _ = listener.accept()
            server = socket.create_connection((LOOPBACK, target))
            for one in (client, server):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for pair in ((client, server), (server, client)):
                threading.Thread(target=carry, args=(*pair, seconds), daemon=True).start()


if __name__ == "__main__":
    threading.Thread(target=listen, args=(int(sys.argv[1]), float(sys.argv[2]) / 1000), daemon=True).start()
    sys.stdin.read()

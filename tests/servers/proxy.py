"""A network between a client and a server of this machine, which can be hurt.

`Proxy` lives in the loop at hand, which must not be kept busy; `RemoteProxy` has a process of its own.
"""

import asyncio
from typing import Self

from tests.servers.link import Link
from tests.servers.patience import PATIENCE
from tests.servers.port import Port
from tests.servers.weather import Then, Trap, Weather


class Proxy:
    """Listens on a port of the loopback, and carries what comes in to another.

    It begins as if it were not there. Faults add up until `heal`.
    """

    def __init__(self, target: int) -> None:
        """Stand before this port."""
        self._target = target
        self._port = Port()
        self._weather = Weather()
        self._weather.flows.set()
        self._links: dict[asyncio.Task[None], Link] = {}
        self._forgotten: list[Link] = []
        self._listener: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """Its own number."""
        return self._port.number

    async def start(self) -> None:
        """Listen."""
        self._listener = await asyncio.start_server(self._accept, sock=self._port.listener())

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = Link(self._weather, reader, writer)
        task = asyncio.ensure_future(link.run(self._target))
        self._links[task] = link
        task.add_done_callback(self._links.pop)

    async def heal(self) -> None:
        """Be as at the beginning. What was held up arrives now; what was cut or forgotten stays so."""
        self._weather.to_server = self._weather.to_client = 0.0
        self._weather.trap = None
        self._weather.flows.set()
        if self._listener is None:
            await self.start()

    async def delay(self, to_server: float, to_client: float | None = None) -> None:
        """Let each byte take so many seconds to the server and back; one number is for each way."""
        self._weather.to_server = to_server
        self._weather.to_client = to_server if to_client is None else to_client

    async def cut(self) -> None:
        """Reset every connection, and refuse new ones."""
        await self._refuse()
        await self.reset()

    async def reset(self) -> None:
        """Reset every connection there is; new ones are welcome."""
        for link in [*self._links.values(), *self._forgotten]:
            link.cut()
        self._forgotten.clear()
        await self._end(list(self._links))

    async def black_hole(self) -> None:
        """Accept connections, and carry nothing either way, without a word. `heal` delivers it all, late."""
        self._weather.flows.clear()

    async def half_open(self) -> None:
        """Let every connection be gone for the server, and stand for the client, who never hears of it."""
        for task, link in list(self._links.items()):
            task.cancel()
            self._forgotten.append(link)
            link.forget()

    async def swallow_reply(self, text: str = "commit", then: Then = "cut") -> None:
        """Let the next execution of a statement with this text reach the server, and its answer nobody.

        When the server has answered the connection is cut, or it hangs for ever. Prepared statements are known by
        their text, too. Only one execution is caught; `swallowed` tells that it was, and that the server is done.
        """
        self._weather.trap = Trap(text, then)

    async def swallowed(self) -> int:
        """Give how many answers were swallowed so far."""
        return self._weather.sprung

    async def close(self) -> None:
        """End it, with all that passes through it."""
        await self._refuse()
        await self.reset()
        self._port.release()

    async def _refuse(self) -> None:
        """Listen no more. First what was accepted this moment becomes a link: asyncio would forget to close it."""
        if self._listener is not None:
            listener, self._listener = self._listener, None
            for listening in listener.sockets:
                asyncio.get_running_loop().remove_reader(listening.fileno())
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            listener.close()

    async def _end(self, tasks: "list[asyncio.Task[None]]") -> None:
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=PATIENCE)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()

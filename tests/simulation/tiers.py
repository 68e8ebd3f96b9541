"""Tiers behind a network: the real store in memory, and everything that may go wrong on the way to it."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any

from holdfast.domain.errors import Ambiguous, HoldfastError, NotExecuted
from holdfast.domain.ids import EventId
from holdfast.infrastructure.log.envelope import Record
from holdfast.infrastructure.tiers.memory import MemoryTier
from holdfast.infrastructure.tiers.store import TierTurn
from tests.simulation.story import Story

WRITES = frozenset({"open", "append", "push", "settle", "probe", "hold"})
_BRINGING = frozenset({"append", "push"})
_SHORT, _LONG = 0.0005, 0.003
_ANSWERED = 0.5
_SWIFT = 0.8


def at_once(work: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401 - whatever it gives
    """Run a coroutine that never waits."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    raise RuntimeError("it waits")


@dataclass
class Request:
    """One call on its way."""

    link: "Link"
    name: str
    arguments: tuple[Any, ...]
    answer: asyncio.Future[Any]
    session: int
    loses_answer: bool = False


@dataclass
class Faults:
    """What is wrong with a tier at present, whoever calls."""

    down: bool = False
    frozen: bool = False
    refuses_writes: str = ""


class Server:
    """A database: one store, whoever is connected to it. It tells its watcher of each call it has executed."""

    def __init__(self, name: str, story: Story, watch: Callable[["Server", str, tuple[Any, ...], Any], None]) -> None:
        self.name = name
        self.store: MemoryTier = MemoryTier(name)
        self.faults = Faults()
        self.incarnation = 1
        self.ever: dict[EventId, str] = {}
        self.since: dict[EventId, float] = {}
        self._watch = watch
        self._story = story
        self._waiting: list[Request] = []
        self.copies: list[dict[str, Any]] = []

    def arrive(self, request: Request) -> None:
        """Take a call in, once it has come through."""
        if self.faults.frozen:
            self._waiting.append(request)
        elif request.session != self.incarnation:
            request.link.answered(request, Ambiguous(f"{self.name}: the connection was lost"))
        elif self.faults.down:
            request.link.answered(request, NotExecuted(f"{self.name}: connection refused"))
        elif self.faults.refuses_writes and request.name in WRITES:
            request.link.answered(request, NotExecuted(f"{self.name}: {self.faults.refuses_writes}"))
        else:
            request.link.answered(request, self._execute(request))

    def _execute(self, request: Request) -> Any:  # noqa: ANN401 - whatever the store gives
        try:
            found = at_once(getattr(self.store, request.name)(*request.arguments, 1.0))
        except HoldfastError as error:
            return error
        if request.name in _BRINGING:
            self._note(request.arguments[0])
        self._watch(self, request.name, request.arguments, found)
        return found

    def _note(self, brought: Sequence[Record | TierTurn]) -> None:
        for one in brought:
            record = one.record if isinstance(one, TierTurn) else one
            if record.event_id in self.store.events:
                self.ever[record.event_id] = record.dedup_key
                self.since.setdefault(record.event_id, self._story.loop.time())

    def thaw(self) -> None:
        """Go on: what waited is done now, late."""
        self.faults.frozen = False
        waiting, self._waiting = self._waiting, []
        for request in waiting:
            self.arrive(request)

    def crash(self) -> None:
        """End, and cut all who are connected; what had waited is never done."""
        self.faults.down = True
        self.faults.frozen = False
        self.incarnation += 1
        self._waiting = []

    def start(self) -> None:
        """Take calls again."""
        self.faults.down = False

    def keep_copy(self) -> None:
        """Make a backup."""
        self.copies.append(copied(vars(self.store)))

    def go_back(self, copy: dict[str, Any]) -> None:
        """Come back, when it starts, with the data of an earlier moment."""
        vars(self.store).update(copied(copy))
        self.since = {event_id: since for event_id, since in self.since.items() if event_id in self.store.events}

    @property
    def owes(self) -> bool:
        """Whether somebody waits for a reply, or a thread to be settled, as far as it knows; gaps are left out."""
        threads = self.store._threads.values()  # noqa: SLF001 - the rows of its heads
        return any(one.owed or not one.settled for one in threads if one.mark.closed)

    @property
    def events(self) -> dict[EventId, Record]:
        """Give every event it holds."""
        return self.store.events

    @property
    def deliveries(self) -> dict[EventId, Record]:
        """Give every delivery it holds."""
        return self.store.deliveries


def copied(values: dict[str, Any]) -> dict[str, Any]:
    """Copy the attributes of a store in memory, deep enough that it can go back to them."""
    return {name: _copied_value(value) for name, value in values.items()}


def _copied_value(value: Any) -> Any:  # noqa: ANN401 - any attribute of a store
    if isinstance(value, dict):
        return {key: one if isinstance(one, tuple) else copy(one) for key, one in value.items()}
    return copy(value)


@dataclass
class Route:
    """The way from one worker to one tier, and what is wrong with it. Chances are from 0 to 1, `slow` is seconds."""

    refused: bool = False
    cut: bool = False
    slow: float = 0.0
    loses: float = 0.0
    loses_answers: float = 0.0
    holds: float = 0.0
    seconds_held: float = field(default=2.0)


class Link:
    """The leaf through which one worker reaches one tier. It keeps to the seconds it is given, as the real one does."""

    def __init__(self, server: Server, story: Story, worker: str) -> None:
        self.name = server.name
        self.lanes = 2
        self.route = Route()
        self.failures = 0
        self.server = server
        self._failed_at = 0.0
        self._under_way: dict[asyncio.Future[Any], float] = {}
        self._story = story
        self._loop = story.loop
        self._chance = story.dice(f"{worker} to {server.name}")
        self._session = 0
        self._is_open = False

    async def open(self, bot_id: int, within: float) -> Any:  # noqa: ANN401 - what the store gives
        """Connect anew."""
        self._is_open = True
        self._session = self.server.incarnation
        return await self._call("open", (bot_id,), within)

    @property
    def generation(self) -> int:
        """A number that changes with each connection made."""
        return self._session

    async def close(self) -> None:
        """Hang up."""
        self._is_open = False

    def __getattr__(self, name: str) -> Callable[..., Coroutine[Any, Any, Any]]:
        """Carry any call of the port: its last argument is the seconds it may take."""
        if name.startswith("_"):
            raise AttributeError(name)

        async def call(*arguments: Any, within: float | None = None) -> Any:  # noqa: ANN401
            *given, last = (*arguments, within) if within is not None else arguments
            return await self._call(name, tuple(given), last)

        return call

    async def _call(self, name: str, arguments: tuple[Any, ...], within: float) -> Any:  # noqa: ANN401
        if within <= 0 or not self._is_open:
            raise NotExecuted(f"{self.name}: there was no time to ask, or no connection")
        try:
            async with asyncio.timeout(within):
                return await self._ask(name, arguments)
        except TimeoutError:
            failed: HoldfastError = (Ambiguous if name in WRITES else NotExecuted)(f"{self.name}: no answer in time")
        except (NotExecuted, Ambiguous) as error:
            failed = error if name in WRITES else NotExecuted(f"{error}")
        self.failures += 1
        self._failed_at = self._loop.time()
        self._story.tell("{} on {}: {}", name, self.name, failed)
        raise failed

    async def _ask(self, name: str, arguments: tuple[Any, ...]) -> Any:  # noqa: ANN401
        if self.route.refused:
            await asyncio.sleep(_SHORT)
            raise NotExecuted(f"{self.name}: connection refused")
        if self._session != self.server.incarnation and self._chance.random() < _ANSWERED:
            self._session = self.server.incarnation  # it had heard that the connection was closed, and makes another
        request = Request(self, name, arguments, self._loop.create_future(), self._session)
        self._session = self.server.incarnation
        request.loses_answer = self._chance.random() < self.route.loses_answers
        if self._chance.random() >= self.route.loses:
            held = self.route.seconds_held * (self._chance.random() < self.route.holds)
            self._loop.later(self._way() + held, self._arrive, request)
        self._under_way[request.answer] = self._loop.time()
        try:
            return await request.answer
        finally:
            self._under_way.pop(request.answer, None)

    def forget(self) -> None:
        """Begin anew, as with a new process."""
        self._under_way = {}

    @property
    def hangs(self) -> bool:
        """Whether a call has been waiting for its answer for long."""
        return any(self._loop.time() - begun > _SWIFT for begun in self._under_way.values())

    @property
    def undisturbed_since(self) -> float:
        """Say since when every call had an answer soon."""
        return self._loop.time() if self.hangs else self._failed_at

    def _way(self) -> float:
        return self._chance.uniform(_SHORT, _LONG) + self._chance.random() * self.route.slow

    def _arrive(self, request: Request) -> None:
        if not self.route.cut:
            self.server.arrive(request)

    def answered(self, request: Request, found: Any) -> None:  # noqa: ANN401
        """Let an answer travel back."""
        self._loop.later(self._way(), self._bring, request, found)

    def _bring(self, request: Request, found: Any) -> None:  # noqa: ANN401
        if self.route.cut or request.answer.done():
            return
        if request.loses_answer:
            found = Ambiguous(f"{self.name}: the connection was lost")
        if isinstance(found, Exception):
            request.answer.set_exception(found)
        else:
            request.answer.set_result(found)

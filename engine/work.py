"""Work in the outside world that follows from the log: done once, tried again with patience, given up at last."""

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import msgspec
from msgspec import Struct

from holdfast.domain.errors import HoldfastError, LogUnavailable, TelegramUnreachable
from holdfast.domain.ids import EventId, as_text, from_text
from holdfast.domain.ports import Clock, Log
from holdfast.engine.blame import where

logger = logging.getLogger("holdfast.engine")
_LOOK_EVERY = 2.0
_OTHERS_EVERY = 30.0
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
_REMEMBERED = 100
"""How many given-up pieces of work are remembered for the operator."""
_SECOND = 1_000_000
_NAME = "work:"
Piece = tuple[str, EventId]
"""One piece of work: its kind, and the event it follows from."""


class Retries(Struct, frozen=True):
    """How often a piece of work may fail, and how many seconds pass in between: ever more, up to a longest pause."""

    most: int = 3
    first: float = 2.0
    growth: float = 8.0
    longest: float = 3600.0

    def pause(self, attempts: int) -> float:
        """Give the seconds to wait after so many attempts."""
        return float(min(self.first * self.growth ** (attempts - 1), self.longest))


class Tried(Struct, frozen=True, omit_defaults=True):
    """What has become of a piece of work so far: attempts that failed, when the next is due, why the last one failed.

    `due_at` is in microseconds since 1970; `given_up`: there is no next one.
    """

    attempts: int
    due_at: int
    error: str = ""
    given_up: bool = False


class Work(Protocol):
    """One kind of outside work. What is to be done is read from the log each time, so a crash loses nothing."""

    @property
    def kind(self) -> str:
        """Its stable name: `photo`."""

    @property
    def retries(self) -> Retries:
        """How often it may fail."""

    @property
    def seconds(self) -> float:
        """How long one attempt may take."""

    async def wanted(self) -> Sequence[EventId]:
        """Name the events that something is still to be done about, oldest first; what is not named is cancelled."""

    async def do(self, subject: EventId, *, anybodys: bool) -> bool:
        """Do it, and let an event say so: then it is wanted no more. False: it is for another worker to do.

        `anybodys`: do it also when it is another's. TelegramUnreachable and LogUnavailable make all of this kind
        wait; any other error counts as an attempt that failed.
        """

    async def give_up(self, subject: EventId) -> None:
        """Let an event say that it can't be done: then it is wanted no more."""


class OutsideWork:
    """Does all kinds of outside work, a few pieces at a time. What failed is remembered in the journal.

    Each worker does what follows from the events of those it answers for, and at its start also what others left.
    """

    name = "outside work"

    def __init__(
        self, works: Sequence[Work], log: Log, clock: Clock, tried: Mapping[Piece, Tried], *, at_once: int = 4
    ) -> None:
        """Go on from what was `tried` before, doing so many pieces at once."""
        self._works = {work.kind: work for work in works}
        self._log = log
        self._clock = clock
        self._tried = dict(tried)
        self._at_once = at_once
        self._under_way: dict[Piece, asyncio.Task[None]] = {}
        self._waits_until: dict[str, int] = {}
        self._pauses: dict[str, float] = {}
        self._others: set[Piece] = set()
        self._anybodys = True

    async def resume(self) -> int:
        """Begin what is wanted and due, also what others left; give how many pieces that was. LogUnavailable.

        Called at the start, and when another worker's lease has run out.
        """
        self._anybodys = True
        self._others.clear()
        return await self.look()

    async def run(self) -> None:
        """Look again and again until cancelled; then nothing of it goes on."""
        looks = 0
        try:
            while True:
                try:
                    await self.look()
                except LogUnavailable as error:
                    logger.warning("outside work waits: %s", error)
                except Exception as error:  # noqa: BLE001 - work that can't be done must not end the bot
                    logger.error("outside work failed: %s", where(error))
                await self._clock.sleep(_LOOK_EVERY)
                looks += 1
                if looks % round(_OTHERS_EVERY / _LOOK_EVERY) == 0:
                    self._others.clear()
        finally:
            await self._stop()

    async def settle(self) -> None:
        """Wait until what has been begun is over."""
        while self._under_way:
            await asyncio.wait(self._under_way.values())

    async def _stop(self) -> None:
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def look(self) -> int:
        """Begin what is wanted and due, as far as there is room; stop what is wanted no more. LogUnavailable."""
        begun = 0
        for work in self._works.values():
            wanted = [(work.kind, subject) for subject in await work.wanted()]
            await self._cancel_all_but(work.kind, set(wanted))
            for piece in wanted:
                if len(self._under_way) >= self._at_once:
                    return begun
                if self._is_due(piece):
                    self._begin(work, piece)
                    begun += 1
        self._anybodys = False
        return begun

    def _is_due(self, piece: Piece) -> bool:
        now, tried = self._clock.now(), self._tried.get(piece)
        if piece in self._under_way or piece in self._others or now < self._waits_until.get(piece[0], 0):
            return False
        return tried is None or (now >= tried.due_at and not tried.given_up)

    def _begin(self, work: Work, piece: Piece) -> None:
        task = asyncio.create_task(self._attempt(work, piece, anybodys=self._anybodys), name=f"work: {work.kind}")
        self._under_way[piece] = task
        task.add_done_callback(lambda _: self._under_way.pop(piece, None))

    async def _attempt(self, work: Work, piece: Piece, *, anybodys: bool) -> None:
        """Try once; whatever happens is told and counted here."""
        try:
            try:
                async with asyncio.timeout(work.seconds):
                    mine = await work.do(piece[1], anybodys=anybodys)
            except (TelegramUnreachable, LogUnavailable):
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, it counts
                return await self._failed(work, piece, error)
            if not mine:
                self._others.add(piece)
            self._pauses.pop(work.kind, None)
            await self._forget(piece)
        except (TelegramUnreachable, LogUnavailable) as error:
            self._wait(work.kind, error)
        except Exception as error:  # noqa: BLE001 - its next look will show what is still to be done
            logger.error("%s work failed: %s", work.kind, where(error))

    def _wait(self, kind: str, error: TelegramUnreachable | LogUnavailable) -> None:
        """It is nobody's fault: all of this kind waits, ever longer."""
        asked = error.retry_after if isinstance(error, TelegramUnreachable) else 0.0
        if self._clock.now() >= self._waits_until.get(kind, 0):
            pause = max(self._pauses.get(kind, _FIRST_PAUSE), asked)
            logger.warning("%s work waits for %.0f s: %s", kind, pause, error)
            self._waits_until[kind] = self._clock.now() + round(pause * _SECOND)
            self._pauses[kind] = min(2 * pause, _LONGEST_PAUSE)

    async def _failed(self, work: Work, piece: Piece, error: Exception) -> None:
        """Count an attempt that failed, durably; after the last one, give up."""
        before = self._tried.get(piece)
        attempts = before.attempts + 1 if before else 1
        # What an error of our own says is fit for an operator; another's may quote a person.
        told = f"{error}" if isinstance(error, HoldfastError) else where(error)
        logger.warning("%s work about %s failed the %d. time: %s", work.kind, as_text(piece[1]), attempts, told)
        if attempts >= work.retries.most:
            await work.give_up(piece[1])
        due_at = self._clock.now() + round(work.retries.pause(attempts) * _SECOND)
        await self._remember(piece, Tried(attempts, due_at, told, given_up=attempts >= work.retries.most))

    async def _remember(self, piece: Piece, tried: Tried) -> None:
        self._tried[piece] = tried
        await self._log.remember(_name_of(piece), msgspec.json.encode(tried).decode())
        given_up = [one for one, was in self._tried.items() if was.given_up]
        for oldest in given_up[:-_REMEMBERED]:
            await self._forget(oldest)

    async def _forget(self, piece: Piece) -> None:
        if self._tried.pop(piece, None) is not None:
            await self._log.remember(_name_of(piece), "")

    async def _cancel_all_but(self, kind: str, wanted: set[Piece]) -> None:
        """Stop and forget what is wanted no more: it was done elsewhere, or its person is forgotten."""
        for piece, task in list(self._under_way.items()):
            if piece[0] == kind and piece not in wanted:
                task.cancel()
        for piece, tried in list(self._tried.items()):
            if piece[0] == kind and piece not in wanted and not tried.given_up and piece not in self._under_way:
                await self._forget(piece)


def _name_of(piece: Piece) -> str:
    kind, subject = piece
    return f"{_NAME}{kind}:{as_text(subject)}"


def tried_in(facts: Mapping[str, str]) -> dict[Piece, Tried]:
    """Read what a journal remembers of outside work, among the facts it keeps of itself."""
    found: Iterable[tuple[str, str]] = ((name, fact) for name, fact in facts.items() if name.startswith(_NAME) and fact)
    return {_piece_of(name): msgspec.json.decode(fact, type=Tried) for name, fact in found}


def _piece_of(name: str) -> Piece:
    _, kind, subject = name.split(":")
    return kind, EventId(from_text(subject))

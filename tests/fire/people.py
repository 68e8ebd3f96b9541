"""People who register machines, one input after the other; what is not acknowledged they send again."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Protocol

from holdfast.domain import taps
from holdfast.domain.errors import LogUnavailable
from holdfast.domain.ids import ConversationId, ThreadId, conversation_of
from holdfast.domain.inbound import Inbound
from tests.conformance.scribe import inbound, thread

ANSWERS = ("ACME", "M-1", "SN-1", "Hall 2", "none", "/skip")
_AGAIN = 0.05
"""Seconds until what was not acknowledged is delivered again."""


class Bot(Protocol):
    """Whoever takes inputs in."""

    async def take(self, given: Inbound, number: int) -> None:
        """Take the input of this number of a person's in; LogUnavailable, CancelledError: it must come again."""


@dataclass(frozen=True)
class Turn:
    """One acknowledged input; times are seconds, `tries` counts its deliveries."""

    begun: float
    took: float
    tries: int


@dataclass
class Person:
    """One person, who never sends anything before the last input is acknowledged."""

    number: int
    bot: Bot
    updates: Iterator[int]
    rng: Random
    pause: float
    sent: list[Inbound] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    saved: list[str] = field(default_factory=list)

    @property
    def thread_id(self) -> ThreadId:
        """The person's thread."""
        return thread(self.number)

    @property
    def keys(self) -> list[str]:
        """The names of what was acknowledged, in the order in which it was sent."""
        return [given.dedup_key for given in self.sent]

    async def work(self, enough: asyncio.Event) -> None:
        """Register machines until it is enough; the last one stays half done."""
        await asyncio.sleep(self.rng.uniform(0.0, self.pause))
        names = (f"Press {number}" for number in count(1))
        while (conversation := await self.fills_in(name := next(names), enough)) is not None:
            await self.confirms(conversation)
            self.saved.append(name)

    async def fills_in(self, name: str, enough: asyncio.Event | None = None) -> ConversationId | None:
        """Register a machine as far as the card, and give the conversation; None when it was enough before that."""
        start = await self.says("/addmachine")
        for text in (name, *ANSWERS):
            if enough is not None and enough.is_set():
                return None
            await self.says(text)
        return conversation_of(self.thread_id, start.dedup_key)

    async def confirms(self, conversation: ConversationId) -> None:
        """Tap the button that saves the machine."""
        await self.says(taps.action(conversation, taps.CONFIRM), kind="tap")

    async def says_a_last_word(self, words: int) -> None:
        """Say something to every worker, so that each has to do with all there is."""
        for _ in range(words):
            await self.says("/addmachine")

    async def says(self, text: str, kind: str = "text") -> Inbound:
        """Say something, again and again until it is acknowledged; then think for a moment."""
        given = inbound(next(self.updates), text, person=self.number, kind=kind)
        begun, tries = time.monotonic(), 1
        while not await self._delivered(given):
            tries += 1
            await asyncio.sleep(_AGAIN)
        self.sent.append(given)
        self.turns.append(Turn(begun, time.monotonic() - begun, tries))
        await asyncio.sleep(self.rng.uniform(0.5, 1.5) * self.pause)
        return given

    async def _delivered(self, given: Inbound) -> bool:
        """Deliver once; a bot that dies meanwhile acknowledges nothing."""
        try:
            await self.bot.take(given, len(self.sent))
        except LogUnavailable:
            return False
        return True

"""What the sender adds to a reply, beyond handing it to the request layer."""

import asyncio
from collections.abc import Sequence
from itertools import count
from time import process_time

from benchmarks.house import InstantRequest, InstantWire
from benchmarks.report import Goal, figure, title
from benchmarks.updates import FIRST_PERSON
from holdfast.bot.messenger import TelegramMessenger
from holdfast.domain.ids import EventId, thread_of
from holdfast.domain.ports import Delivery
from holdfast.domain.screen import Button, Screen
from holdfast.engine.pacing import Pacing, Rate
from holdfast.engine.reply import Reply
from holdfast.engine.sender import Sender
from holdfast.infrastructure.clock import SystemClock

_PEOPLE, _EACH = 200, 5
_UNBOUND = Rate(1_000_000, 1_000_000)
_SCREEN = Screen(text="✓ Nickname: Press 4\n\n<b>2 of 8</b>", keyboard=((Button("Skip", "x"), Button("Back", "y")),))


class _Forgetful:
    """A log that keeps nothing: what it costs to record a delivery is a part of the turns' own figures."""

    async def record(self, _delivery: Delivery) -> None:
        """Keep nothing."""

    async def delivered(self, _event_id: EventId) -> bool:
        """Nothing was."""
        return False

    def owes_elsewhere(self, _thread_id: bytes) -> bool:
        """There is no other worker."""
        return False


async def sending(rounds: int) -> None:
    """Print microseconds of processor time a reply: straight to the messenger, and through the sender with its pace."""
    title(f"Sending ({_PEOPLE} people, {_EACH} replies each, a request layer that answers at once)")
    numbers = count(1)
    found: dict[str, list[float]] = {"straight": [], "sender": []}
    for _ in range(rounds):
        replies = [_reply(next(numbers), seat) for _ in range(_EACH) for seat in range(_PEOPLE)]
        messenger = TelegramMessenger(InstantWire(InstantRequest()))
        found["straight"].append(await _straight(messenger, replies))
        found["sender"].append(await _through_the_sender(messenger, replies))
    figure("a reply handed straight to the request layer", found["straight"], "us")
    added = [one - floor for one, floor in zip(found["sender"], found["straight"], strict=True)]
    figure("what the sender adds to a reply", added, "us", Goal(1000))


def _reply(number: int, seat: int) -> Reply:
    person = FIRST_PERSON + seat
    answers = EventId(number.to_bytes(16, "big"))
    return Reply(thread_id=thread_of("telegram", 42, person), chat_id=person, answers=answers, screens=(_SCREEN,))


async def _straight(messenger: TelegramMessenger, replies: Sequence[Reply]) -> float:
    began = process_time()
    await asyncio.gather(*(messenger.send(one.chat_id, one.screens[0]) for one in replies))
    return (process_time() - began) * 1e6 / len(replies)


async def _through_the_sender(messenger: TelegramMessenger, replies: Sequence[Reply]) -> float:
    clock = SystemClock()
    pacing = Pacing(clock, overall=_UNBOUND, chat=_UNBOUND)
    sender = Sender(_Forgetful(), messenger, clock, pacing=pacing)  # type: ignore[arg-type] # all that it asks of a log
    began = process_time()
    for one in replies:
        await sender.put(one)
    await sender.settle()
    return (process_time() - began) * 1e6 / len(replies)

"""People who talk at one steady pace: each in their turn says the next thing, whatever the bot makes of it."""

import asyncio
from collections.abc import Sequence
from typing import Any

from holdfast.sandbox.client import Control, Person
from holdfast.sandbox.sight import buttons, from_bot

COURSE = ("/addmachine", "Press {}", *["/skip"] * 6, "")
"""What a person says, again and again; at the last place the card is saved, or not."""
TICK = 0.1
"""Seconds between two handfuls of inputs."""
_SAVED = 3
"""Every third machine is saved."""
_LABEL = "✓ Save"


class Crowd:
    """Some people, and how many inputs a second they make together."""

    def __init__(self, control: Control, people: Sequence[Person], rate: float) -> None:
        """Nobody has said anything yet."""
        self._control = control
        self._people = people
        self._rate = rate
        self._turn = 0
        self.said = 0

    async def talk(self, seconds: float) -> None:
        """Talk for so long, at the pace; where a handful took too long, the next ones follow at once."""
        loop = asyncio.get_running_loop()
        begun, due = loop.time(), 0
        while (passed := loop.time() - begun) < seconds:
            wanted = int(passed * self._rate) - due
            due += wanted
            await self._all_say([self._next() for _ in range(wanted)])
            await asyncio.sleep(TICK)

    def _next(self) -> tuple[Person, int]:
        """Give whose turn it is, and how many things they have said."""
        said, number = divmod(self._turn, len(self._people))
        self._turn += 1
        return self._people[number], said

    async def _all_say(self, turns: Sequence[tuple[Person, int]]) -> None:
        said = [one for turn in turns if (one := await self._does(*turn))]
        if said:
            await self._control.batch(said)
        self.said += len(said)

    async def _does(self, person: Person, said: int) -> dict[str, Any] | None:
        run, place = divmod(said, len(COURSE))
        if text := COURSE[place].format(run):
            return {"kind": "text", "person_id": person.id, "text": text}
        if run % _SAVED == 0 and (tap := await self._tap(person)):
            return tap
        return {"kind": "text", "person_id": person.id, "text": "/cancel"}

    async def _tap(self, person: Person) -> dict[str, Any] | None:
        """Find the button that saves under the last message; none when the bot is late."""
        message = next(from_bot(await self._control.sight(person.id, last=2)), None)
        for button in buttons(message) if message else ():
            if button.text == _LABEL and message:
                data = button.callback_data
                return {"kind": "tap", "person_id": person.id, "message_id": message.message_id, "data": data}
        return None

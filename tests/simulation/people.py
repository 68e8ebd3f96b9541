"""People with phones: they register machines, answer, skip, go back, cancel, tap, and are not always patient."""

import asyncio

from holdfast.domain.screen import Screen
from holdfast.domain.wording import WORDING
from tests.simulation.story import Story
from tests.simulation.telegram import Telegram
from tests.simulation.worker import STEPS

_ASKED = f" of {STEPS + 1} "
_BACK_TO_THE_CARD = 0.6
_WORDS = ("/cancel", "/back", "/skip", "/start", "/help", "x", "/library")


class Person:
    """Somebody with a phone. What they type is marked with a number, so that no two answers are alike."""

    def __init__(self, person: int, telegram: Telegram, story: Story) -> None:
        self.person = person
        self._telegram = telegram
        self._chance = story.dice(f"person {person}")
        self._chat = telegram.join(person)
        self._typed = 0

    async def live(self, until: float) -> None:
        """Write and tap until a moment of virtual time."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(self._chance.random())
        self._telegram.says(self.person, "/addmachine")
        while loop.time() < until:
            await self._pause()
            self.act()

    async def _pause(self) -> None:
        seen = len(self._chat.screens)
        for _ in range(self._chance.choice((0, 1, 1, 2, 5, 10))):
            await asyncio.sleep(0.2 + self._chance.random() / 2)
            if len(self._chat.screens) > seen:
                break
        await asyncio.sleep(self._chance.choice((0.05, 0.3, 0.3, 1.0, 1.0, 3.0, 12.0)))

    def act(self) -> None:
        """Do one thing: mostly what is asked."""
        draw, text = self._chance.random(), self._last_text()
        if "Please check" in text and draw < 0.7:
            self._tap(first=draw < 0.55)
        elif draw < 0.08:
            self._tap(first=False)
        elif draw < 0.2:
            self._telegram.says(self.person, self._chance.choice(_WORDS))
        elif _ASKED not in text and draw < 0.7:
            self._telegram.says(self.person, "/addmachine")
        else:
            self._typed += 1
            self._telegram.says(self.person, f"{self.person}-{self._typed}")

    def _last_text(self) -> str:
        return self._chat.screens[-1][1].text if self._chat.screens else ""

    def _tap(self, *, first: bool) -> None:
        """Tap a button of the last message, if it has any; or, now and then, of what was told after a fork."""
        message_id, screen = self._chat.screens[-1] if self._chat.screens else (0, Screen(text=""))
        cards = [shown for shown in self._chat.screens if shown[1].text.startswith(WORDING["merged"])]
        if cards and not first and self._chance.random() < _BACK_TO_THE_CARD:
            message_id, screen = cards[-1]
        buttons = [button for row in screen.keyboard for button in row]
        if buttons:
            chosen = buttons[0] if first else self._chance.choice(buttons)
            self._telegram.taps(self.person, message_id, chosen.data)

"""People with phones: they register machines, answer, skip, go back, cancel, tap, and are not always patient."""

import asyncio

from tests.simulation.story import Story
from tests.simulation.telegram import Telegram

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
        """Do one thing."""
        draw = self._chance.random()
        buttons = [button for _, screen in self._chat.screens[-1:] for row in screen.keyboard for button in row]
        if buttons and draw < (0.75 if self._at_the_card() else 0.15):
            message_id, _ = self._chat.screens[-1]
            chosen = buttons[0] if self._at_the_card() and draw < 0.6 else self._chance.choice(buttons)
            self._telegram.taps(self.person, message_id, chosen.data)
        elif draw < 0.22:
            self._telegram.says(self.person, self._chance.choice(_WORDS))
        elif draw < 0.5 and not buttons:
            self._telegram.says(self.person, "/addmachine")
        else:
            self._typed += 1
            self._telegram.says(self.person, f"{self.person}-{self._typed}")

    def _at_the_card(self) -> bool:
        return any("Please check" in screen.text for _, screen in self._chat.screens[-1:])

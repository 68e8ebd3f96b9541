"""People with phones, who play their scripts: now a burst of texts without waiting, now one calm turn after another."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from holdfast.sandbox.client import Control, NotSeen, Person
from holdfast.sandbox.inputs import Done
from holdfast.sandbox.model import Message
from holdfast.sandbox.sight import Sight, buttons, from_bot, text_of
from tests.chaos.processes import PATIENCE
from tests.chaos.scripts import LAST_STEP, Act, Script, registration

LONG_POLL = 25
GLANCE = 60
"""How many messages back a person looks."""

IMPATIENCE = 1.5
"""How long somebody waits for a bot that forgets what it was told."""


def answers(message: Message, act: Act) -> bool:
    """Whether a message tells what an act should lead to, and asks what stands open then."""
    return act.hears in text_of(message) and act.asks in text_of(message)


@dataclass
class Diary:
    """What a person remembers: taps by their update, machines they were told are saved, the last act, what failed."""

    taps: dict[int, str] = field(default_factory=dict)
    saved: list[dict[str, str | None]] = field(default_factory=list)
    updates: list[int] = field(default_factory=list)
    last: Act | None = None
    stuck: str = ""


class Technician:
    """Registers machine after machine until it is enough, and leaves a last one half done."""

    patience = PATIENCE
    """How many seconds they wait for an answer."""
    glances = 0.0
    """How many seconds pass at least between two looks at the phone."""

    def __init__(self, control: Control, person: Person, rng: Random, *, trusting: bool) -> None:
        """All they do is chosen by `rng`; who trusts waits for the very answer, the others a moment for any."""
        self.person = person
        self.diary = Diary()
        self._control = control
        self._rng = rng
        self._trusting = trusting
        self._walks = 0
        self._tapped: tuple[Message, str] | None = None

    async def work(self, enough: asyncio.Event, burst: asyncio.Event) -> None:
        """Work; each burst is announced as it is sent. When somebody gets no answer, it is enough for all."""
        try:
            self._remember(await self.person.starts())
            while not enough.is_set():
                await self._register(burst)
                await asyncio.sleep(self._rng.uniform(0.0, 0.3))
            await self._leave_one_half_done()
        except NotSeen as error:
            self.diary.stuck = f"{self.person.user.first_name}: {error}"
            enough.set()

    def _script(self, *, in_hand: bool) -> Script:
        self._walks += 1
        mark = f"{self.person.user.first_name}{self._walks}"
        by_button = in_hand and self._walks > 1 and self._rng.random() < 0.5
        return registration(mark, self._rng, in_hand=in_hand, by_button=by_button)

    async def _register(self, burst: asyncio.Event) -> None:
        in_hand = self._rng.random() < 0.4
        script = self._script(in_hand=in_hand)
        before = len(script.acts)
        script.save()
        if in_hand:
            done = await self._calmly(script.acts[:before])
        else:
            done = await self._at_once(script.acts[:before], burst)
        if await self._calmly(script.acts[before:]) and len(done) == before:
            self.diary.saved.append({**script.answers, LAST_STEP: await self._file_id(script, done)})

    async def _leave_one_half_done(self) -> None:
        script = self._script(in_hand=True)
        await self._calmly(script.acts[: self._rng.randint(1, len(script.acts))])

    async def _calmly(self, acts: list[Act]) -> list[Done]:
        done: list[Done] = []
        for act in acts:
            one = await self._do(act, done)
            if one is None:
                break
            done.append(one)
            self._remember(one)
            self.diary.last = act
            # A tapped message may itself become the answer.
            await self._hear(act, max(one.message_ids) - (act.kind == "tap" and self._trusting))
            await asyncio.sleep(self._rng.uniform(0.0, 0.1))
        return done

    async def _at_once(self, acts: list[Act], burst: asyncio.Event) -> list[Done]:
        inputs = [{"kind": act.kind, "person_id": self.person.id, **_fields(act)} for act in acts]
        done = await self._control.batch(inputs)
        burst.set()
        for one in done:
            self._remember(one)
        self.diary.last = acts[-1]
        await self._hear(acts[-1], max(done[-1].message_ids))
        return done

    async def _do(self, act: Act, done: list[Done]) -> Done | None:
        """Do one thing; None when there is no such button, because the bot has lost its way."""
        if act.kind == "tap":
            found = await self._button(act.text)
            self._tapped = found or self._tapped
            return await self.person.taps_data(*found) if found else None
        if act.kind == "tap again":
            return await self.person.taps_data(*self._tapped) if self._tapped else None
        if act.kind == "edit":
            return await self.person.edits(done[act.of], act.text)
        return await self.person.does(act.kind, **_fields(act))

    async def _hear(self, act: Act, floor: int) -> None:
        """Wait for the answer to an act among the messages behind a number."""
        if not self._trusting:
            await self._wait(floor, IMPATIENCE, lambda _: True)
            return
        last = await self._wait(floor, self.patience, lambda message: answers(message, act))
        if last is not None:
            texts = [text_of(message) for message in last.messages[-5:]]
            raise NotSeen(f"after {self.patience:.0f} s nobody has answered {act}; the last messages are {texts}")

    async def _wait(self, floor: int, patience: float, fits: Callable[[Message], bool]) -> Sight | None:
        """Look at the chat until a message of the bot fits; give what was seen last when none came."""
        loop = asyncio.get_running_loop()
        end = loop.time() + patience
        sight = await self._control.sight(self.person.id, last=GLANCE)
        while not any(message.message_id > floor and fits(message) for message in from_bot(sight)):
            if (left := end - loop.time()) <= 0:
                return sight
            wait = min(left + 1, LONG_POLL)
            await asyncio.sleep(self.glances)
            sight = await self._control.sight(self.person.id, after=sight.version, wait=wait, last=GLANCE)
        return None

    async def _button(self, label: str) -> tuple[Message, str] | None:
        sight = await self._control.sight(self.person.id, last=GLANCE)
        for message in from_bot(sight):
            for button in buttons(message):
                if button.text == label:
                    return message, button.callback_data or ""
        if self._trusting:
            raise NotSeen(f"{self.person.user.first_name} sees no button {label!r}")
        return None

    async def _file_id(self, script: Script, done: list[Done]) -> str | None:
        """Name the photo that was sent last, as the sandbox names it."""
        if script.answers[LAST_STEP] is None:
            return None
        number = done[script.sources[LAST_STEP]].message_ids[0]
        sight = await self._control.sight(self.person.id, last=1000)
        [message] = [one for one in sight.messages if one.message_id == number]
        return message.photo[-1].file_id if message.photo else None

    def _remember(self, done: Done) -> None:
        updates = [update_id for update_id in done.update_ids if update_id is not None]
        self.diary.updates += updates
        if done.callback_query_id is not None:
            self.diary.taps[updates[0]] = done.callback_query_id


def _fields(act: Act) -> dict[str, Any]:
    if act.kind == "photo":
        return {"caption": act.text, "seed": len(act.text)}
    return {"what": act.text} if act.kind == "other" else {"text": act.text}

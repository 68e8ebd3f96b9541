"""Many people who talk to several workers behind one address, while workers are killed and a tier is cut."""

import asyncio
import json
import os
import re
import signal
import time
from collections import defaultdict
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from holdfast.bot.wire import Wire
from holdfast.cli.worker import journal_of
from holdfast.sandbox.client import Control, NotSeen
from holdfast.sandbox.inputs import Done
from holdfast.sandbox.sight import Sight, text_of
from tests.chaos.evidence import Findings, judge_inputs, judge_machines, judge_places
from tests.chaos.outcome import WHOLE_CHAT
from tests.chaos.processes import TOKEN, Holdfast, TookTooLong, until
from tests.chaos.scripts import Act
from tests.chaos.technicians import Diary, Technician, answers
from tests.fire.evidence import Kept, compare, of_journals, of_tier
from tests.fire.places import Place
from tests.fire.reading import reading
from tests.fire.world import HEALING

AT_ONCE = 16
SECRET = "a-secret-that-nobody-knows"
_GREETING = re.compile(r"posted to http://127\.0\.0\.1:([0-9]+)/")
_EXPECTED = r"holdfast: worker \d+ has ended|.*other writers were faster"
_COMPLAINT = re.compile(rf"^(?:Traceback.*|\S+ \S+ ERROR (?!{_EXPECTED}).*)$", re.MULTILINE)


class Workers(Holdfast):
    """`holdfast run --webhook --workers`; its first worker's journal is the one that is looked into."""

    def __init__(self, folder: Path, url: str, count: int, **settings: str) -> None:
        super().__init__(folder, url, "--webhook", "--port", "0", "--workers", str(count))
        self.count = count
        self.settings |= {"TELEGRAM_WEBHOOK_SECRET": SECRET, **settings}

    @property
    def journals(self) -> list[Path]:
        return [journal_of(self.journal, number) for number in range(1, self.count + 1)]

    @property
    def seen(self) -> Path:
        return self.journals[0]

    def owed(self) -> int:
        """Count the replies that the heads say are owed: of several copies of an input one owes a reply."""
        return int(self.read("SELECT coalesce(sum(undelivered), 0) FROM heads")[0][0])

    async def ready(self) -> int:
        """Start, and give the port when all workers take updates in."""
        self.start()
        await until(lambda: self.runs() >= self.count, f"all workers run: {self.said()}")
        return int(_GREETING.findall(self.said())[-1])

    def runs(self) -> int:
        """Count how often a worker came as far as to take updates in."""
        return self.said().count("Holdfast runs on")

    def lives(self, number: int) -> list[int]:
        """Give the ids of the processes that a worker has been."""
        return [int(pid) for pid in re.findall(rf"worker {number} is the process ([0-9]+)", self.said())]

    def kill_one(self, number: int) -> None:
        os.kill(self.lives(number)[-1], signal.SIGKILL)

    def complaints(self) -> list[str]:
        return _COMPLAINT.findall(self.said())

    def reports(self, *words: str) -> Any:  # noqa: ANN401 - a JSON value
        """Run a command that reports, on what is looked into."""
        done = self.command(*words, "--journal", str(self.seen))
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


class Poster(Technician):
    """Somebody who taps no button while a text of theirs is on its way: by webhook the tap could overtake it."""

    patience = 600.0
    glances = 0.4
    room = asyncio.Semaphore()
    """Lets so many at once do a whole registration: a machine that is too busy answers nobody in time."""

    async def _register(self, burst: asyncio.Event) -> None:
        async with self.room:
            await super()._register(burst)

    async def _at_once(self, acts: list[Act], burst: asyncio.Event) -> list[Done]:
        done = await super()._at_once(acts, burst)
        while await self._control.get(f"/chats/{self.person.id}/waiting", list[int]):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        return done


class Quota(asyncio.Event):
    """It is enough when a person has sent so much, or when it is enough for all."""

    def __init__(self, diary: Diary, inputs: int, everybody: asyncio.Event) -> None:
        super().__init__()
        self._diary = diary
        self._inputs = inputs
        self._everybody = everybody

    def is_set(self) -> bool:
        return self._everybody.is_set() or len(self._diary.updates) >= self._inputs

    def set(self) -> None:
        self._everybody.set()


Trouble = Callable[["Crowd", asyncio.Event], Coroutine[None, None, None]]
"""What happens meanwhile; the event is set when it is enough for all."""


@dataclass
class Crowd:
    """So many people, each with so many inputs to send, and the figures of it."""

    control: Control
    bot: Workers
    there: Sequence[Place]
    seed: int
    size: int
    inputs: int
    people: list[Technician] = field(default_factory=list)
    in_flight: list[int] = field(default_factory=list)
    seconds: float = 0.0

    async def talk(self, trouble: Trouble) -> None:
        """Let all talk at once, while there is trouble."""
        room = asyncio.Semaphore(AT_ONCE)
        for number in range(self.size):
            name = f"P{number:03d}x"
            person = await self.control.person(name)
            poster = Poster(self.control, person, Random(f"{self.seed}:{name}"), trusting=True)
            poster.room = room
            self.people.append(poster)
        enough, burst, began = asyncio.Event(), asyncio.Event(), time.monotonic()
        async with asyncio.TaskGroup() as group:
            for one in self.people:
                group.create_task(one.work(Quota(one.diary, self.inputs, enough), burst), name="person")
            group.create_task(trouble(self, enough), name="trouble")
        self.seconds = time.monotonic() - began

    async def kill(self, number: int) -> None:
        """Kill a worker, and wait until it is back."""
        self.in_flight.append((await self.control.status()).pending)
        before = self.bot.runs()
        self.bot.kill_one(number)
        await until(lambda: self.bot.runs() > before, f"worker {number} is back")

    async def after(self, share: float, enough: asyncio.Event) -> None:
        """Wait until so much of all was sent."""
        while sum(len(one.diary.updates) for one in self.people) < share * self.size * self.inputs:
            if enough.is_set():
                return
            await asyncio.sleep(0.02)

    async def settled(self) -> list[str]:
        """Wait until every journal and every tier hold the same; say what differs, most often nothing."""
        with suppress(NotSeen, TookTooLong):
            await self.control.all_confirmed()
            await until(lambda: self.bot.owed() == 0, "all replies are delivered")
        end = time.monotonic() + HEALING
        while True:
            kept = [await _of_journal(path) for path in self.bot.journals]
            problems = compare(kept[0], [*[await of_tier(place) for place in self.there], *kept[1:]])
            if not problems or time.monotonic() > end:
                return problems
            await asyncio.sleep(0.5)

    async def examine(self) -> Findings:
        """Hold what one journal holds by now against what was sent."""
        findings = Findings()
        exported = await asyncio.to_thread(self.bot.reports, "log", "export")
        lines = [json.loads(line) for line in exported.splitlines()]
        taps = {update: query for one in self.people for update, query in one.diary.taps.items()}
        judge_inputs(findings, await self.control.inputs(), taps, lines)
        judge_machines(findings, self.people, self.bot)
        judge_places(findings, self.people, self.bot)
        by_thread: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        for line in lines:
            by_thread[line["thread_id"]].append(line)
        owners = {next(_speakers(thread)): thread for thread in by_thread.values()}
        sent: defaultdict[str, list[int]] = defaultdict(list)
        for answered, facts in self.bot.read("SELECT answers, facts FROM deliveries WHERE kind = 'delivery.sent'"):
            sent[str(UUID(bytes=answered))] += json.loads(facts)["message_ids"]
        for one in self.people:
            sight = await self.control.sight(one.person.id, last=WHOLE_CHAT)
            _judge_answers(findings, one, sight, owners.get(one.person.id, []), sent)
        for words, trouble in (("log verify", "problems"), ("rebuild", "differences")):
            report = json.loads(await asyncio.to_thread(self.bot.reports, *words.split(), "--json"))
            findings.failures += [str(one) for one in report[trouble]]
        findings.failures += [f"the bot wrote: {line}" for line in self.bot.complaints()]
        return findings


def _judge_answers(
    findings: Findings, one: Technician, sight: Sight, lines: Sequence[dict[str, Any]], sent: dict[str, list[int]]
) -> None:
    """Nobody waits in vain, each input was answered, and the last message is the right one.

    Two workers may answer one input, around a kill, and the one that comes back what another has gone on from: so
    the order of replies is not looked at.
    """
    name = one.person.id
    findings.replies += [one.diary.stuck] if one.diary.stuck else []
    spoken = [line for line in lines if line["payload"].get("said")]
    answered = {line["duplicate_of"] or line["event_id"] for line in spoken if line["event_id"] in sent}
    waits = [line["kind"] for line in spoken if not line["duplicate_of"] and line["event_id"] not in answered]
    findings.replies += [f"{name}: {kind} has no reply" for kind in waits]
    recorded = {number for line in spoken for number in sent.get(line["event_id"], ())}
    findings.replies_twice += len([one for one in sight.messages if one.from_.is_bot]) - len(recorded)
    last, act = sight.messages[-1], one.diary.last
    if act is None or not last.from_.is_bot or not answers(last, act):
        findings.replies.append(f"{name}: the last message is {text_of(last)!r}, it should answer {act}")


def _speakers(lines: Sequence[dict[str, Any]]) -> Any:  # noqa: ANN401 - people's ids
    return (line["payload"]["said"]["user_id"] for line in lines if line["payload"].get("said"))


async def _of_journal(path: Path) -> Kept:
    async with reading(path) as journal:
        kept = await of_journals([journal])
        kept.name = path.name
        return kept


async def hook(url: str, port: int) -> None:
    """Let Telegram's stand-in post to the workers."""
    wire = Wire(TOKEN, url)
    await wire.open()
    await wire.call("setWebhook", url=f"http://127.0.0.1:{port}/", secret_token=SECRET, max_connections=100)
    await wire.close()

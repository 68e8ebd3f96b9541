"""A soak: a real bot over real servers, under steady traffic for a long time, measured all along."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from holdfast.sandbox.client import Control
from tests.chaos.processes import Holdfast, Sandbox, until
from tests.servers.ground import Ground
from tests.servers.port import Port
from tests.servers.server import Server
from tests.soak.people import Crowd
from tests.soak.samples import Sample, Sampler
from tests.soak.verdict import problems

INPUTS = "SELECT count(*), count(DISTINCT dedup_key) FROM events"


@dataclass(frozen=True)
class Plan:
    """How long people talk and how fast, how many they are, and how long nobody talks before and after; seconds."""

    seconds: float
    rate: float = 50.0
    people: int = 200
    every: float = 60.0
    idle: float = 60.0


@dataclass
class Soaked:
    """What came of it. `idle` are percents of a core, before people talked and after."""

    plan: Plan
    samples: list[Sample] = field(default_factory=list)
    idle: list[float] = field(default_factory=list)
    said: int = 0
    kept: int = 0
    status: int = -1
    wrong: list[str] = field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        """What is not as it should be."""
        found = problems(self.samples, self.plan.rate, self.idle) + self.wrong
        found += [f"{self.said} inputs were said, and {self.kept} are kept"] if self.said != self.kept else []
        return found + ([f"it ended with the status {self.status}"] if self.status else [])

    def told(self) -> str:
        """Tell it: a line for each sample, and the verdict."""
        head = f"{'s':>6}{'turns':>7}{'p50 ms':>8}{'p99 ms':>8}{'worst':>8}{'MiB':>7}{'cpu s':>8}{'fds':>5}"
        head += f"{'tasks':>7}{'threads':>9}{'sessions':>10}{'owed':>6}{'behind':>8}"
        lines = [
            f"{one.at:6.0f}{one.turns:7}{one.p50:8.1f}{one.p99:8.1f}{one.worst:8.1f}{one.rss:7.1f}{one.cpu:8.1f}"
            f"{one.fds:5}{one.tasks:7}{one.threads:9}{one.connections:10}{one.owed:6}{one.behind:8}"
            for one in self.samples
        ]
        idle = ", ".join(f"{one:.2f} %" for one in self.idle)
        verdict = "; ".join(self.problems) or "flat, and nothing is lost"
        return "\n".join([head, *lines, f"idle: {idle} of a core", f"{self.kept} inputs kept", f"Verdict: {verdict}."])

    def as_json(self) -> str:
        """Write it down for programs."""
        return json.dumps({**asdict(self), "problems": self.problems}, indent=1)


@asynccontextmanager
async def servers(ground: Ground, count: int = 2) -> AsyncIterator[list[str]]:
    """Start so many servers, and give the addresses of an empty database on each."""
    tiers = [Server(ground) for _ in range(count)]
    try:
        await asyncio.gather(*(tier.start() for tier in tiers))
        yield [tier.dsn(await tier.create_database()) for tier in tiers]
    finally:
        await asyncio.gather(*(tier.end() for tier in tiers))


async def soak(plan: Plan, folder: Path) -> Soaked:
    """Let it happen; everything is kept in the folder."""
    with Ground() as ground, Sandbox(folder) as sandbox, Port() as port:
        url = await sandbox.ready()
        async with servers(ground) as dsns, Control(url) as control:
            with Holdfast(folder, url) as bot:
                address = f"127.0.0.1:{port.number}"
                tiers = " ".join(f"{name}={dsn}" for name, dsn in zip(("neon", "supabase"), dsns, strict=True))
                bot.settings |= {"HOLDFAST_HEALTH": address, "HOLDFAST_TURN_LOG": "1", "HOLDFAST_TIERS": tiers}
                bot.settings |= {"HOLDFAST_PACE": "none"}  # 50 replies a second are more than Telegram takes
                return await _soaked(plan, bot, control, Sampler(f"http://{address}", bot.output, dsns))


async def _soaked(plan: Plan, bot: Holdfast, control: Control, sampler: Sampler) -> Soaked:
    found = Soaked(plan)
    bot.start()
    await until(lambda: "it says how it is" in bot.said(), "the bot can be asked")
    await asyncio.sleep(min(10.0, plan.idle))
    found.idle.append(await _idle(sampler, plan.idle))
    crowd = Crowd(control, [await control.person(f"Ada {number}") for number in range(plan.people)], plan.rate)
    talking = asyncio.create_task(crowd.talk(plan.seconds))
    await _watch(found, sampler, talking)
    await control.all_confirmed()
    await until(lambda: bot.owed() == 0, "all replies are delivered")
    found.idle.append(await _idle(sampler, plan.idle))
    found.said, found.kept = crowd.said, bot.read(INPUTS)[0][1]
    for command in ("log verify", "tiers verify"):
        done = await asyncio.to_thread(bot.command, *command.split())
        found.wrong += [f"{command}: {done.stdout}{done.stderr}"] if done.returncode else []
    found.status = await bot.stop()
    return found


async def _watch(found: Soaked, sampler: Sampler, talking: "asyncio.Task[None]") -> None:
    """Take a sample now and then, until nobody talks any more."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    while not talking.done():
        await asyncio.wait((talking,), timeout=found.plan.every)
        if not talking.done():
            found.samples.append(await sampler.take(loop.time() - begun))
            print(found.told().splitlines()[len(found.samples)], flush=True)  # noqa: T201 - whoever waits sees it go on
    talking.result()


async def _idle(sampler: Sampler, seconds: float) -> float:
    """Give the percentage of a core that is used while nobody talks."""
    loop = asyncio.get_running_loop()
    begun, before = loop.time(), await sampler.take(0.0)
    await asyncio.sleep(seconds)
    after = await sampler.take(seconds)
    return 100 * (after.cpu - before.cpu) / (loop.time() - begun)

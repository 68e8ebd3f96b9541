"""What is measured of a running bot at one moment, and of its turns since the moment before."""

import json
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.servers.patience import PATIENCE

CONNECTIONS = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()"
MIB = 2**20


@dataclass(frozen=True)
class Sample:
    """One moment. `at` are seconds since the traffic began, `rss` is in MiB, `cpu` in seconds since the start.

    `turns` were durable since the last sample; `p50`, `p99` and `worst` are how long those took, in milliseconds.
    """

    at: float
    rss: float
    cpu: float
    fds: int
    tasks: int
    threads: int
    connections: int
    owed: int
    behind: int
    turns: int = 0
    p50: float = 0.0
    p99: float = 0.0
    worst: float = 0.0


class Sampler:
    """Takes samples of one bot: of what it says of itself, of its turn log, and of what its servers see of it."""

    def __init__(self, health: str, output: Path, dsns: list[str]) -> None:
        """Ask at an address, read a file that grows, and look into databases."""
        self._health = health
        self._output = output
        self._dsns = dsns
        self._read = 0

    async def take(self, at: float) -> Sample:
        """Take one."""
        figures = await self._figures()
        took = self._took()
        return Sample(
            at=at,
            rss=figures["process_resident_memory_bytes"] / MIB,
            cpu=figures["process_cpu_seconds_total"],
            fds=int(figures["process_open_fds"]),
            tasks=int(figures["holdfast_tasks"]),
            threads=int(figures["holdfast_os_threads"]),
            connections=sum([await _connections(dsn) for dsn in self._dsns]),
            owed=int(figures["holdfast_replies_owed"]),
            behind=int(figures["holdfast_tier_lag_events"]),
            turns=len(took),
            p50=_at(took, 0.5),
            p99=_at(took, 0.99),
            worst=_at(took, 1.0),
        )

    async def _figures(self) -> dict[str, float]:
        """Read all figures; those that differ by a label are added up."""
        async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
            text = (await client.get(f"{self._health}/metrics")).raise_for_status().text
        found: dict[str, float] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                found[sample.name] = found.get(sample.name, 0.0) + sample.value
        return found

    def _took(self) -> list[float]:
        """Read on in the turn log: how long each turn took that is durable, in milliseconds, the shortest first."""
        with self._output.open("rb") as file:
            file.seek(self._read)
            whole, found, _ = file.read().rpartition(b"\n")
        self._read += len(whole) + len(found)
        lines = (json.loads(line) for line in whole.splitlines() if line.startswith(b"{"))
        return sorted(line["took_us"] / 1000 for line in lines if line["outcome"].startswith("saved"))


async def _connections(dsn: str) -> int:
    connection = await asyncpg.connect(dsn, timeout=PATIENCE)
    try:
        name = dsn.rpartition("/")[2].partition("?")[0]
        return int(await connection.fetchval(CONNECTIONS, name, timeout=PATIENCE))
    finally:
        await connection.close()


def _at(took: list[float], share: float) -> float:
    return took[min(int(share * len(took)), len(took) - 1)] if took else 0.0

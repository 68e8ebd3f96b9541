"""A real bot on its road, asked over HTTP how it is."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from holdfast.bot.server import listen
from holdfast.domain.errors import SettingsError
from tests.bot.road import Road, registers
from tests.bot.road import road as lay
from tests.docs.pages import first_names, page, section
from tests.servers.database import Database
from tests.servers.port import Port

NAMES = first_names(section(page("docs/operate.md"), "Figures"))
HOSTILE = 'Press "4711"\n# HELP x'


@pytest.fixture
async def road(tmp_path: Path) -> AsyncIterator[Road]:
    async with lay(tmp_path) as laid:
        yield laid


@asynccontextmanager
async def asked(road: Road, **more: object) -> AsyncIterator[httpx.AsyncClient]:
    """Run a bot that can be asked, and ask it once it answers."""
    with Port() as port:
        address = f"127.0.0.1:{port.number}"
        async with (
            road.bot(holdfast_health=address, **more),
            httpx.AsyncClient(base_url=f"http://{address}", trust_env=False, timeout=30) as client,
        ):
            for _ in range(200):
                try:
                    await client.get("/healthz")
                    break
                except httpx.TransportError:
                    await asyncio.sleep(0.05)
            yield client


async def ready(client: httpx.AsyncClient) -> httpx.Response:
    """Ask until it is ready, for ten seconds at most."""
    for _ in range(200):
        if (await client.get("/readyz")).status_code == 200:
            break
        await asyncio.sleep(0.05)
    return await client.get("/readyz")


def figures(text: str) -> dict[str, dict[tuple[str, ...], float]]:
    """Read the figures: by name, then by the values of their labels."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found


async def test_a_bot_says_how_it_is(road: Road) -> None:
    """Alive and ready once Telegram's queue was read; what people did is counted, and no word of theirs is there."""
    async with asked(road) as client:
        alive, well = await client.get("/healthz"), await ready(client)
        ada = await road.control.person("Ada Lovelace", username="countess")
        await registers(ada, HOSTILE)
        await road.control.all_confirmed()
        await road.until("SELECT count(*) FROM heads WHERE undelivered > 0", [(0,)])
        text = (await client.get("/metrics")).text
    found = figures(text)
    [(events,)] = road.rows("SELECT count(*) FROM events")

    assert (alive.status_code, well.status_code) == (200, 200)
    assert well.json() == {"ready": True, "journal": "written", "telegram": "read", "tiers": {}}
    assert found["holdfast_turns_total"]["conversation.confirmed", "saved"] == 1
    assert sum(found["holdfast_turns_total"].values()) == found["holdfast_turn_seconds_count"][()] == events
    assert found["holdfast_replies_total"]["sent",] == events
    assert (found["holdfast_replies_owed"][()], found["holdfast_quarantine"][()]) == (0, 0)
    assert found["holdfast_journal_bytes"]["journal",] > 0
    assert found["process_resident_memory_bytes"][()] > 10_000_000
    for word in ("4711", "Lovelace", "countess", str(ada.id), road.sandbox.token):
        assert word not in text


async def test_a_tier_is_told_of(road: Road, database: Database) -> None:
    """Of each tier it says whether it serves, and what it lacks."""
    async with asked(road, holdfast_tiers=f"neon={database.dsn}") as client:
        well = await ready(client)
        ada = await road.control.person("Ada")
        await ada.sees("Hello", after=await ada.says("/start"))
        found = figures((await client.get("/metrics")).text)

    assert well.json()["tiers"] == {"neon": "serving"}
    assert found["holdfast_tier_serving"]["neon",] == 1
    assert found["holdfast_tier_standing"]["broken", "neon"] == 0
    assert found["holdfast_tier_lag_events"]["neon",] >= 0
    assert found["holdfast_tier_turns_waiting"]["neon",] == 0


async def test_who_cannot_store_is_not_ready(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the journal can't be written the bot is alive and not ready, and it is ready again by itself."""
    async with asked(road) as client:
        await ready(client)
        monkeypatch.setattr("holdfast.cli.health._FRESH", 0)
        monkeypatch.setattr("holdfast.cli.health._WITHIN", 0.2)
        other = sqlite3.connect(road.journal, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        alive, ill = await client.get("/healthz"), await client.get("/readyz")
        other.execute("ROLLBACK")
        other.close()
        well = await ready(client)

    assert (alive.status_code, ill.status_code, well.status_code) == (200, 503, 200)
    assert ill.json()["journal"] in {"takes too long", "can't be written"}


async def test_a_port_that_is_taken_is_named(road: Road) -> None:
    """When the port can't be had the bot says so and does not start."""
    with listen("127.0.0.1", 0) as taken:
        number = taken.getsockname()[1]
        with pytest.raises(BaseExceptionGroup) as caught:
            async with road.bot(holdfast_health=f"127.0.0.1:{number}"):
                await asyncio.sleep(5)

    assert caught.group_contains(SettingsError, match=f"port {number} of 127.0.0.1 can't be listened on")


async def test_the_page_names_every_figure(road: Road) -> None:
    """The operator's page has a row for each figure, and invents none."""
    async with asked(road) as client:
        await ready(client)
        text = (await client.get("/metrics")).text
    shown = {line.split()[2] for line in text.splitlines() if line.startswith("# HELP holdfast_")}

    assert shown - set(NAMES) == set()
    assert {name for name in NAMES if not name.startswith("holdfast_tier_lag")} - shown == set()

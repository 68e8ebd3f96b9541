"""A tier behind TLS, as every provider's is."""

from pathlib import Path

import pytest

from holdfast.domain.errors import NotExecuted
from holdfast.infrastructure.tiers.postgres import PostgresTier
from tests.conformance.scribe import BOT, Scribe, inbound
from tests.conformance.tiers import LONG
from tests.conformance.turns import appended, turn_of
from tests.servers.database import Database
from tests.servers.tls import certificate, tls_front


def through(database: Database, port: int, words: str) -> PostgresTier:
    """The tier as reached through a front, with other words behind the question mark."""
    address = database.server.dsn(database.name, port=port).partition("?")[0]
    return PostgresTier("neon", f"{address}?{words}")


@pytest.mark.parametrize("words", ["sslmode=require&channel_binding=require", "sslmode=verify-full"])
async def test_a_turn_goes_over_tls(database: Database, tmp_path: Path, words: str) -> None:
    """With TLS asked for, and with the server's name held against its certificate, a turn is written and it is told."""
    shown, hidden = certificate(tmp_path)
    async with tls_front(database.server.port, shown, hidden) as port:
        vouched = f"&sslrootcert={shown}" if "verify" in words else ""
        tier = through(database, port, words + vouched)
        facts = await tier.open(BOT, LONG)
        await appended(tier, turn_of(Scribe().append(inbound(1))))
        events = (await tier.facts(LONG)).events
        await tier.close()

    assert facts.encrypted
    assert events == 1


async def test_a_server_nobody_vouches_for_is_refused(database: Database, tmp_path: Path) -> None:
    """With verify-full, a server whose certificate another one signed is not spoken to."""
    shown, hidden = certificate(tmp_path)
    (tmp_path / "other").mkdir()
    stranger, _ = certificate(tmp_path / "other")
    async with tls_front(database.server.port, shown, hidden) as port:
        tier = through(database, port, f"sslmode=verify-full&sslrootcert={stranger}")
        with pytest.raises(NotExecuted, match="certificate"):
            await tier.open(BOT, LONG)


async def test_a_server_without_tls_is_refused_where_tls_is_asked_for(database: Database) -> None:
    """With sslmode=require, words never go in clear to a server that speaks no TLS."""
    tier = through(database, database.server.port, "sslmode=require")

    with pytest.raises(NotExecuted):
        await tier.open(BOT, LONG)

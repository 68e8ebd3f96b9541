"""Migrations of a tier: the same numbers as the journal's, one transaction each, one program at a time."""

import asyncio
import time
from typing import TypeAlias

import asyncpg

from holdfast.domain.errors import NotMigrated
from holdfast.infrastructure.migrations import Migration, lacking
from holdfast.infrastructure.sql import statements
from holdfast.infrastructure.tiers.address import read_address
from holdfast.infrastructure.tiers.faults import fault

_DIALECT = "postgres"
_SQL = "tier_migrations.sql"
_PLACE = "tier"

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


async def migrate(dsn: str, within: float) -> list[str]:
    """Apply what is missing, within so many seconds, and give the names: `0001_log`.

    An address that may make roles also makes `holdfast_app`, the role that may add to the log and not change it;
    a bot's own login is made a member of it. NotExecuted when it cannot be done; NewerJournal, ChangedMigration.
    """
    address = read_address(dsn)
    connection: Connection | None = None
    try:
        async with asyncio.timeout(within):
            connection = await asyncpg.connect(address.dsn, statement_cache_size=0)
            return await apply_pending(connection)
    except (asyncpg.PostgresError, asyncpg.InternalClientError, asyncpg.InterfaceError, OSError) as error:
        raise fault(address.shown, error, sent=False) from None
    finally:
        if connection is not None:
            connection.terminate()


async def bring_up_to_date(connection: Connection) -> None:
    """Apply what is missing where the role may, else raise NotMigrated."""
    missing = await pending(connection)
    if not missing:
        return
    if not await connection.fetchval(statements(_SQL)["may_migrate"]):
        numbers = ", ".join(f"{migration.number:04d}" for migration in missing)
        raise NotMigrated(f"the tier lacks the migrations {numbers}: run holdfast migrate with its owner's address")
    await apply_pending(connection)


async def pending(connection: Connection) -> list[Migration]:
    """Name what this tier lacks; NewerJournal, ChangedMigration."""
    sql = statements(_SQL)
    if not await connection.fetchval(sql["exists"]):
        return lacking(_DIALECT, {}, _PLACE)
    rows = await connection.fetch(sql["read_applied"])
    return lacking(_DIALECT, {row["number"]: row["checksum"] for row in rows}, _PLACE)


async def apply_pending(connection: Connection) -> list[str]:
    """Apply what is missing and give the names; the role and its rights are put right each time."""
    applied = []
    while name := await _apply_next(connection):
        applied.append(name)
    return applied


async def _apply_next(connection: Connection) -> str:
    """Apply the first that is missing, or, when none is, grant; one transaction, under a lock."""
    sql = statements(_SQL)
    async with connection.transaction():
        await connection.execute(sql["lock"])
        missing = await pending(connection)
        if not missing:
            await connection.execute(sql["create_role"])
            await connection.execute(sql["grant_role"])
            return ""
        await connection.execute(sql["create_table"])
        await connection.execute(missing[0].sql)
        await connection.execute(
            sql["insert_applied"], missing[0].number, missing[0].name, missing[0].checksum, time.time_ns() // 1000
        )
    return f"{missing[0].number:04d}_{missing[0].name}"

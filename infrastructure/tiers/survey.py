"""A look at one tier for its operator: over a connection of its own, beside a bot that may be using it."""

import asyncio
import time

from msgspec import Struct
from msgspec.structs import replace

from holdfast.domain.errors import ChangedMigration, LogUnavailable, NewerJournal, RowRefused
from holdfast.infrastructure.sql import statements
from holdfast.infrastructure.tiers.address import Address, read_address
from holdfast.infrastructure.tiers.link import Link, Session
from holdfast.infrastructure.tiers.postgres_migrations import pending
from holdfast.infrastructure.tiers.store import TierFacts

_PROBES = 5
_SQL = "survey.sql"


class Survey(Struct, frozen=True, kw_only=True):
    """What was seen of a tier. `shown` is its hosts and database, fit for a message; times are seconds.

    `round_trip` is the middle one of a few; `missing` are the migrations it lacks, and `may_migrate` says that this
    role may apply them; `facts` are None while any is missing. `exposed` names who may look in and should not.
    `unwritten` says why a write was not taken; it is empty when one was, or when none could be tried.
    """

    shown: str
    round_trip: float
    server_version: str
    role: str
    writable: bool
    encrypted: bool
    may_migrate: bool
    exposed: str
    missing: tuple[str, ...]
    facts: TierFacts | None
    unwritten: str = ""


async def survey(name: str, dsn: str, within: float) -> Survey:
    """Look at a tier within so many seconds; nothing of it is changed.

    SettingsError when the DSN is none, NewerJournal, ChangedMigration; NotExecuted names what is wrong and, behind a
    semicolon, what to do.
    """
    address = read_address(dsn)
    link = Link(name, address)
    link.open()
    end = asyncio.get_running_loop().time() + within
    try:
        found = await link.run(within, lambda session: _look(session, address.shown))
        if found.facts is None or not found.writable:
            return found
        unwritten = await _write(link, end - asyncio.get_running_loop().time())
        return replace(found, unwritten=_plain(name, address, unwritten) if unwritten else "")
    except (NewerJournal, ChangedMigration) as error:
        raise type(error)(str(error).replace("the journal", "the tier")) from None
    except LogUnavailable as error:
        raise type(error)(_plain(name, address, error)) from None
    finally:
        link.close()


def _plain(name: str, address: Address, error: Exception) -> str:
    """Leave out what goes without saying where a tier is looked at: that this was not done."""
    return str(error).replace(f"the tier {name} ({address.shown}) did not do it", address.shown)


async def _look(session: Session, shown: str) -> Survey:
    sql = statements(_SQL)
    took = sorted([await _ping(session) for _ in range(_PROBES)])
    row = await session.fetchrow(sql["look"])
    missing = tuple(f"{one.number:04d}_{one.name}" for one in await pending(session))
    return Survey(
        shown=shown,
        round_trip=took[_PROBES // 2],
        encrypted=session.encrypted,
        missing=missing,
        facts=None if missing else await _facts(session),
        **dict(row or {}),
    )


async def _ping(session: Session) -> float:
    begun = time.perf_counter()
    await session.execute(statements(_SQL)["ping"])
    return time.perf_counter() - begun


async def _facts(session: Session) -> TierFacts:
    row = await session.mapping("read_facts")
    applied = tuple(map(int, row.pop("migrations").split()))
    return TierFacts(**row, migrations=applied, encrypted=session.encrypted)


async def _write(link: Link, within: float) -> Exception | None:
    """Write and commit; give what went wrong."""

    async def call(session: Session) -> None:
        await session.execute(statements(_SQL)["write_canary"])

    try:
        await link.run(within, call)
    except (LogUnavailable, RowRefused) as error:
        return error
    return None

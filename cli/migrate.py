"""`holdfast migrate`: bring the journal and every tier up to this program."""

import os
from pathlib import Path

from msgspec import Struct

from holdfast.cli.findings import told
from holdfast.domain.errors import HoldfastError, SettingsError
from holdfast.infrastructure.clock import SystemClock, system_randomness
from holdfast.infrastructure.log.journal import SqliteJournal
from holdfast.infrastructure.settings import Settings
from holdfast.infrastructure.tiers import postgres_migrations
from holdfast.infrastructure.tiers.logins import check_same_database, login_of, make_login
from holdfast.infrastructure.tiers.survey import survey

_WITHIN, _MIGRATING = 10.0, 60.0
"""Seconds for a look at a tier, and for all of its migrations."""


class TierMigrated(Struct, frozen=True, kw_only=True):
    """What was done to a tier: the migrations applied, the login made or given its role; what is wrong, what to do."""

    name: str
    applied: list[str]
    login: str | None = None
    problem: str = ""
    advice: str = ""


class Migrated(Struct, frozen=True, kw_only=True):
    """What was done to the journal (nothing, when a tier was named), and to each tier."""

    journal: str
    applied: list[str]
    tiers: list[TierMigrated]


async def migrate(settings: Settings, journal: Path, tier: str | None, admin_variable: str | None) -> Migrated:
    """Migrate the journal and all tiers, or the tier that is named; SettingsError, and the errors of a journal."""
    named = settings.tiers()
    if tier is not None:
        named = [one for one in named if one[0] == tier]
        if not named:
            raise SettingsError(f"there is no tier {tier!r}; there are: {_names(settings)}")
    admin = _admin(admin_variable, len(named))
    applied = await _journal(journal) if tier is None else []
    tiers = [await _tried(name, dsn, admin) for name, dsn in named]
    return Migrated(journal=str(journal), applied=applied, tiers=tiers)


def _names(settings: Settings) -> str:
    return ", ".join(name for name, _ in settings.tiers()) or "none"


def _admin(variable: str | None, tiers: int) -> str | None:
    """Read the administrator's DSN: from the environment, since other users see a command line."""
    if variable is None:
        return None
    if tiers != 1:
        raise SettingsError("--admin-dsn-env is for one tier: name it with --tier")
    dsn = os.environ.get(variable)
    if not dsn:
        raise SettingsError(f"there is nothing in {variable}: put the administrator's address there")
    return dsn


async def _journal(path: Path) -> list[str]:
    store = SqliteJournal(path, SystemClock(), system_randomness)
    await store.open()
    await store.close()
    return store.applied


async def _tried(name: str, dsn: str, admin: str | None) -> TierMigrated:
    """Migrate a tier; what goes wrong with one keeps nobody from the next."""
    applied: list[str] = []
    try:
        if admin is None:
            await _own(name, dsn, applied)
            return TierMigrated(name=name, applied=applied)
        login = await _administered(name, dsn, admin, applied)
    except HoldfastError as error:
        found = told(name, error)
        return TierMigrated(name=name, applied=applied, problem=found.what, advice=found.advice)
    return TierMigrated(name=name, applied=applied, login=login)


async def _own(name: str, dsn: str, applied: list[str]) -> None:
    """Migrate over the bot's own address."""
    seen = await survey(name, dsn, _WITHIN)
    if seen.missing and not seen.may_migrate:
        raise SettingsError(
            f"its role {seen.role} may not apply {', '.join(seen.missing)}; run holdfast migrate --tier {name} "
            "--admin-dsn-env VARIABLE, with an administrator's address in that variable"
        )
    if seen.missing:
        applied += await postgres_migrations.migrate(dsn, _MIGRATING)


async def _administered(name: str, dsn: str, admin: str, applied: list[str]) -> str:
    """Migrate over the administrator's address, make the bot's login, and see that it comes in; give its name."""
    check_same_database(dsn, admin)
    login = login_of(dsn)
    applied += await postgres_migrations.migrate(admin, _MIGRATING)
    await make_login(name, admin, login, _WITHIN)
    await survey(name, dsn, _WITHIN)
    return login.name

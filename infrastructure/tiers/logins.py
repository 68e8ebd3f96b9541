"""The login a bot works with on a tier: made by an administrator, and able to add to the log but not to change it."""

from urllib.parse import unquote, urlsplit

from msgspec import Struct

from holdfast.domain.errors import NotExecuted, SettingsError
from holdfast.infrastructure.sql import statements
from holdfast.infrastructure.tiers.address import read_address
from holdfast.infrastructure.tiers.link import Link, Session

_SQL = "logins.sql"
_POOLED_NAMES = "pooler.supabase.com"
"""A pooler that wants the project's name behind the role's: `holdfast_bot.abcdefgh`."""


class Login(Struct, frozen=True):
    """A name and a password."""

    name: str
    password: str


def login_of(dsn: str) -> Login:
    """Read the login from a tier's DSN; SettingsError when it names none, or has no password."""
    parts = urlsplit(dsn)
    name = unquote(parts.username or "")
    if _POOLED_NAMES in parts.netloc:
        name = name.rpartition(".")[0] or name
    if not name or not parts.password:
        raise SettingsError("the tier's address must name the user to be made, and its password")
    return Login(name, unquote(parts.password))


def check_same_database(dsn: str, admin_dsn: str) -> None:
    """See that two DSNs lead to databases of one name, with two users; SettingsError when they don't."""
    here, there = read_address(dsn).shown.rpartition("/")[2], read_address(admin_dsn).shown.rpartition("/")[2]
    if here != there:
        raise SettingsError(f"the administrator's address leads to the database {there!r}, the tier's to {here!r}")
    if urlsplit(dsn).username == urlsplit(admin_dsn).username:
        raise SettingsError("the tier's address names the administrator itself: name another user in it, to be made")


async def make_login(tier: str, admin_dsn: str, login: Login, within: float) -> bool:
    """Make a login with the restricted role, or give that role to one there is; say whether it was made.

    The password goes to the server as it is, for not every provider takes a hash. NotExecuted.
    """
    link = Link(tier, read_address(admin_dsn))
    link.open()
    try:
        return await link.run(within, lambda session: _make(session, login))
    finally:
        link.close()


async def _make(session: Session, login: Login) -> bool:
    sql = statements(_SQL)
    if not await session.fetchval(sql["restricted_exists"]):
        raise NotExecuted("there is no role holdfast_app; let the administrator be one who may make roles")
    is_new = not await session.fetchval(sql["exists"], login.name)
    if is_new:
        await session.execute(await session.fetchval(sql["write_create"], login.name, login.password))
    await session.execute(await session.fetchval(sql["write_grant"], login.name))
    return is_new
